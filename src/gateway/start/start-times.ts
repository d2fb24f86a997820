// How pods came up, as control tells it: for the receipts of requests that waited for them.

/** Pods that are remembered; one whose first request comes later than 1,000 other starts has no parts in its receipt. */
const PODS_MAX = 1_000;

/** Monotonic milliseconds of this thread; NaN where nobody knows. */
export interface StartTimes {
  /** Control heard of a request that waits. */
  readonly wokenMs: number;
  /** The runtime found the Pod. */
  readonly createdMs: number;
  readonly spawnedMs: number;
}

export class Starts {
  readonly #pods = new Map<string, StartTimes>();

  set(pod: string, times: StartTimes): void {
    this.#pods.delete(pod);
    this.#pods.set(pod, times);
    const [oldest] = this.#pods.keys();
    if (this.#pods.size > PODS_MAX && oldest !== undefined) this.#pods.delete(oldest);
  }

  of(pod: string): StartTimes | undefined {
    return this.#pods.get(pod);
  }
}

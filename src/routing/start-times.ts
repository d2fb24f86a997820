// When pods' starts passed which step, for the receipts of the requests that waited for them.
import { serving, type Pod } from "#kinds";

/** What a gateway is told of a start; milliseconds before now, NaN where not known. */
export interface StartAges {
  readonly wokenAgoMs: number;
  readonly createdAgoMs: number;
  readonly spawnedAgoMs: number;
}

/** State, no IO. Times are one clock's monotonic milliseconds. */
export class StartTimes {
  /** Backends with requests that wait: when control first heard of it. */
  readonly #woken = new Map<string, number>();

  woken(backend: string, nowMs: number): void {
    if (!this.#woken.has(backend)) this.#woken.set(backend, nowMs);
  }

  /** The requests are answered, or the backend is gone. */
  over(backend: string): void {
    this.#woken.delete(backend);
  }

  /** The pod, found by its runtime at `createdMs`, has its process since `nowMs`. */
  started(pod: Pod, createdMs: number, nowMs: number): StartAges {
    const backend = `${pod.metadata.namespace ?? ""}/${pod.metadata.labels?.[serving.revision] ?? ""}`;
    return { wokenAgoMs: nowMs - (this.#woken.get(backend) ?? NaN), createdAgoMs: nowMs - createdMs, spawnedAgoMs: 0 };
  }
}

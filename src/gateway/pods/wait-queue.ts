// Requests that wait for a pod, in order of arrival; each can leave from where it stands.
import type { Pod } from "./pod.ts";

/** A request that waits for a pod. */
export interface Waiter {
  /** Its place in the queue; the queue's alone. */
  queued?: Queued | undefined;
  /** A place on `pod` is taken for it; called once, after which it waits no more. */
  granted(pod: Pod): void;
  /** The revision is gone. */
  refused(): void;
}

/** A link of the chain. */
export interface Queued {
  readonly waiter: Waiter;
  /** When it came, as the doorbell has it. */
  readonly since: number;
  before: Queued | undefined;
  after: Queued | undefined;
}

export class WaitQueue {
  #first: Queued | undefined;
  #last: Queued | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Since when the oldest waits; 0 when nobody does. */
  get since(): number {
    return this.#first?.since ?? 0;
  }

  push(waiter: Waiter, since: number): void {
    const queued: Queued = { waiter, since, before: this.#last, after: undefined };
    waiter.queued = queued;
    if (this.#last === undefined) this.#first = queued;
    else this.#last.after = queued;
    this.#last = queued;
    this.#size++;
  }

  /** The oldest, who waits no more. */
  shift(): Waiter | undefined {
    const waiter = this.#first?.waiter;
    if (waiter !== undefined) this.drop(waiter);
    return waiter;
  }

  /** False when it does not wait. */
  drop(waiter: Waiter): boolean {
    const queued = waiter.queued;
    if (queued === undefined) return false;
    const { before, after } = queued;
    waiter.queued = undefined;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    this.#size--;
    return true;
  }
}

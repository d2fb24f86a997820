// The bounded queue between the store's events and one watcher, with its wake-ups.
import type { StoreEvent } from "#store";

/** A watcher that lets this many events pile up is dropped. */
export const WATCH_QUEUE_MAX = 10_000;

/** Holds events until the watcher takes them; overflow empties it for good. */
export class EventQueue {
  #events: StoreEvent[] = [];
  #overflown = false;
  #wake: (() => void) | undefined;
  #pending = false;

  /** Called by the store; never blocks and never throws. */
  push(events: readonly StoreEvent[]): void {
    if (this.#overflown) return;
    if (this.#events.length + events.length > WATCH_QUEUE_MAX) {
      this.#overflown = true;
      this.#events = [];
    } else {
      for (const event of events) this.#events.push(event);
    }
    this.notify();
  }

  get overflown(): boolean {
    return this.#overflown;
  }

  get empty(): boolean {
    return this.#events.length === 0;
  }

  /** Everything that has come since the last call. */
  take(): readonly StoreEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Ends the wait of the watcher, or the next one at once. */
  notify(): void {
    this.#pending = true;
    this.#wake?.();
  }

  /** Resolves at the next `notify`. One waiter at a time. */
  async wait(): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    this.#pending = false;
  }
}

// The bounded queue between the store's events and one watcher, with its wake-ups.
import type { StoreEvent } from "#store";

/** A watcher that lets so many events pile up is dropped. */
export const WATCH_QUEUE_MAX = 10_000;
/** As many characters of objects. Watchers of the same objects hold the same texts, so that a thousand cost hardly more than one. */
export const WATCH_QUEUE_LENGTH_MAX = 16 << 20;
/** What a watcher takes at a time: about so many characters. */
const TAKEN_LENGTH = 64 << 10;

const lengthOf = ({ value, previous }: StoreEvent): number => value.length + (previous?.length ?? 0);

/** Holds events until the watcher takes them; overflow empties it for good. */
export class EventQueue {
  #events: StoreEvent[] = [];
  /** Events before this index were taken. */
  #head = 0;
  #length = 0;
  #overflown = false;
  #wake: (() => void) | undefined;
  #pending = false;

  /** Called by the store; never blocks and never throws. */
  push(events: readonly StoreEvent[]): void {
    if (this.#overflown) return;
    for (const event of events) {
      this.#events.push(event);
      this.#length += lengthOf(event);
    }
    if (this.#events.length - this.#head > WATCH_QUEUE_MAX || this.#length > WATCH_QUEUE_LENGTH_MAX) {
      this.#overflown = true;
      this.#clear();
    }
    this.notify();
  }

  get overflown(): boolean {
    return this.#overflown;
  }

  get empty(): boolean {
    return this.#head === this.#events.length;
  }

  /** The next events, as many as make a good piece of a stream; none when it is empty. */
  take(): readonly StoreEvent[] {
    const from = this.#head;
    for (let length = 0; length < TAKEN_LENGTH && !this.empty; this.#head++) {
      const size = lengthOf(this.#events[this.#head] as StoreEvent);
      length += size;
      this.#length -= size;
    }
    const taken = this.#events.slice(from, this.#head);
    if (this.empty) this.#clear();
    return taken;
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

  #clear(): void {
    this.#events = [];
    this.#head = 0;
    this.#length = 0;
  }
}

// Events of sources on their way to the events thread: each is handed in again when the thread was replaced, until it is over.
import type { ControlToEvents, SourceEvent, SourceEventEnd } from "#protocol";

/** An event without what the outbox gives it. */
export type UnsentEvent = Omit<SourceEvent, "type" | "id">;

type OutboxMessage = Extract<ControlToEvents, { readonly type: "sourceEvent" | "dropSourceEvent" }>;

export class SourceOutbox {
  readonly #post: (message: OutboxMessage) => void;
  /** One a watch: whoever sends waits. */
  readonly #open = new Map<number, { readonly event: SourceEvent; readonly over: () => void }>();
  #last = 0;

  constructor(post: (message: OutboxMessage) => void) {
    this.#post = post;
  }

  /** Resolves once the event is over, or the signal aborts. */
  send(unsent: UnsentEvent, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const id = ++this.#last;
    const event: SourceEvent = { type: "sourceEvent", id, ...unsent };
    return new Promise((resolve) => {
      const abort = (): void => {
        this.#post({ type: "dropSourceEvent", id });
        this.#close(id);
      };
      const over = (): void => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#open.set(id, { event, over });
      this.#post(event);
    });
  }

  over({ id }: SourceEventEnd): void {
    this.#close(id);
  }

  /** A thread has just started: nothing is under way in it. */
  again(): void {
    for (const { event } of this.#open.values()) this.#post(event);
  }

  #close(id: number): void {
    const open = this.#open.get(id);
    this.#open.delete(id);
    open?.over();
  }
}

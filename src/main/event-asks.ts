// Questions to the events thread about what has happened to events: each is answered with lines and an end.
import { Lines, StatusError } from "#core";
import type { ControlToEvents, EventsQuestion, EventsToControl } from "#protocol";

/** Of one answer that wait for their reader. */
const LINES_MAX = 20_000;
const ASKS_MAX = 100;

type Ask = Extract<ControlToEvents, { readonly type: "ask" | "enough" }>;
type Answer = Extract<EventsToControl, { readonly type: "told" | "answered" }>;

export class EventAsks {
  readonly #send: (message: Ask) => void;
  readonly #open = new Map<number, Lines<unknown>>();
  #last = 0;

  constructor(send: (message: Ask) => void) {
    this.#send = send;
  }

  /** Throws StatusErrors. The thread is told when the reader has enough. */
  async *ask(question: EventsQuestion, signal: AbortSignal): AsyncGenerator<unknown> {
    if (this.#open.size >= ASKS_MAX) throw new StatusError("TooManyRequests", `${ASKS_MAX} questions about events are being answered: try again`);
    const ask = ++this.#last;
    const lines = new Lines<unknown>(LINES_MAX);
    this.#open.set(ask, lines);
    this.#send({ type: "ask", ask, question });
    try {
      yield* lines.read(signal);
    } finally {
      if (this.#open.delete(ask)) this.#send({ type: "enough", ask });
    }
  }

  receive(message: Answer): void {
    const lines = this.#open.get(message.ask);
    if (message.type === "told") return lines?.push(message.line);
    this.#open.delete(message.ask);
    const { failure } = message;
    lines?.end(failure === undefined ? undefined : new StatusError(failure.reason, failure.message));
  }

  /** The thread is no more, and has answered nobody. */
  gone(): void {
    for (const lines of this.#open.values()) lines.end(new StatusError("ServiceUnavailable", "the events thread has ended: ask again"));
    this.#open.clear();
  }
}

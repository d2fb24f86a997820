// Long loops give way: other requests and controllers get their turn between pieces.
import type { Clock } from "#core";

/** So many objects are handled in one turn of the loop. */
export const PIECE = 200;

/** How long a loop may work before it gives way. */
const SLICE_MS = 5;

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Long loops of one server: however many there are, one of them works in a turn of the event loop, in order of their requests. */
export class Turns {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** For one loop, beginning now. */
  begin(): Turn {
    return new Turn(this.#clock, () => this.#next());
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#wake());
    });
  }

  #wake(): void {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(() => this.#wake());
  }
}

/** `if (turn.isOver) await turn.next()` once a step. */
export class Turn {
  readonly #clock: Clock;
  readonly #next: () => Promise<void>;
  #sinceMs: number;

  constructor(clock: Clock, next: () => Promise<void>) {
    this.#clock = clock;
    this.#next = next;
    this.#sinceMs = clock.monotonicMs();
  }

  get isOver(): boolean {
    return this.#clock.monotonicMs() - this.#sinceMs >= SLICE_MS;
  }

  async next(): Promise<void> {
    await this.#next();
    this.#sinceMs = this.#clock.monotonicMs();
  }
}

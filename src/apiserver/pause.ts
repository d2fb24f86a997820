// Long work gives way: whatever many objects or many watchers cost is spread over turns of the event loop.
import type { Clock } from "#core";

/** How long all long work of a server may take in one turn of the event loop. */
const SLICE_MS = 5;
/** As long for what our own parts ask: they come first, but a loop of theirs gives way, too. */
export const OWN_SLICE_MS = 10;
/** So many that wait are woken in a turn; those for whom the slice does not reach wait on, in their order. */
const WOKEN_MAX = 64;

/**
 * The slice of each turn that lists, encodes and watches share, however many there are. Between two slices the event
 * loop serves sockets, timers and whatever does not ask: writes, leases, controllers.
 * `if (turns.isOver) await turns.next();` once a step.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #sliceMs: number;
  readonly #waiting: (() => void)[] = [];
  /** Undefined until somebody works in this turn. */
  #sinceMs: number | undefined;
  #spentMs = 0;

  constructor(clock: Clock, sliceMs = SLICE_MS) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
  }

  get isOver(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (this.#sinceMs === undefined) {
      this.#sinceMs = nowMs;
      setImmediate(() => this.#end());
    }
    return nowMs - this.#sinceMs + this.#spentMs >= this.#sliceMs;
  }

  /** Counts what a step causes later in the turn, out of its own sight. */
  spend(ms: number): void {
    this.#spentMs += ms;
  }

  /** Resolves in a later turn that has time left. */
  async next(): Promise<void> {
    do await new Promise<void>((resolve) => this.#waiting.push(resolve));
    while (this.isOver);
  }

  #end(): void {
    this.#sinceMs = undefined;
    this.#spentMs = 0;
    const woken = this.#waiting.splice(0, WOKEN_MAX);
    for (const wake of woken) wake();
    // Whoever works in this turn arranges for the next; those who wait on are not forgotten meanwhile.
    if (this.#waiting.length > 0) void this.isOver;
  }
}

// What the control thread does with the shared tables when a gateway thread died, wherever in an operation that was.
import { Doorbell } from "./doorbell.ts";
import { InFlightLayout } from "./in-flight.ts";

/** Attempts at one row in one go: a thread's operation lasts a fraction of a microsecond. */
const ATTEMPTS_MAX = 100;

export interface RecoveryTables {
  readonly inFlight: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer | undefined;
  readonly threads: number;
  readonly rows: number;
}

/**
 * A dead thread's columns are subtracted from the totals. Had it died within an operation, one total may be one more than its
 * columns: which row that is shows in a moment in which no thread is within an operation, and the difference is taken off.
 */
export class Recovery {
  readonly #cells: Int32Array;
  readonly #layout: InFlightLayout;
  readonly #doorbell: Doorbell;
  /** The first row that was not seen in such a moment since the last death. */
  #unsettled = Infinity;

  constructor(tables: RecoveryTables) {
    this.#cells = new Int32Array(tables.inFlight);
    this.#layout = new InFlightLayout(this.#cells.length, tables.threads);
    this.#doorbell = new Doorbell(tables.doorbell, { thread: -1, threads: tables.threads, rows: tables.rows, nowMs: () => 0 });
  }

  /** Gives back what the thread held; call it once the thread runs no more and before its successor starts. Then `settle`. */
  bury(thread: number): void {
    const cells = this.#cells;
    this.#doorbell.silence(thread);
    for (let row = 0; row < this.#layout.rows; row++) {
      const held = Atomics.exchange(cells, this.#layout.columnAt(row, thread), 0);
      if (held !== 0) Atomics.sub(cells, this.#layout.totalAt(row), held);
    }
    const word = this.#layout.wordAt(thread);
    const last = Atomics.load(cells, word);
    if ((last & 1) === 1) {
      Atomics.store(cells, word, (last + 1) | 0);
      this.#unsettled = 0;
    }
    this.#doorbell.ringAll();
  }

  /** True once every row is right; false: call it again a little later, a thread was in the way or has died as well. */
  settle(): boolean {
    if (this.#unsettled === Infinity) return true;
    for (; this.#unsettled < this.#layout.rows; this.#unsettled++) if (!this.#settleRow(this.#unsettled)) return false;
    this.#unsettled = Infinity;
    this.#doorbell.ringAll();
    return true;
  }

  #settleRow(row: number): boolean {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const before = this.#quiet();
      if (before === undefined) continue;
      let surplus = Atomics.load(this.#cells, this.#layout.totalAt(row));
      for (let thread = 0; thread < this.#layout.columns; thread++) surplus -= Atomics.load(this.#cells, this.#layout.columnAt(row, thread));
      if (!this.#unchanged(before)) continue;
      if (surplus !== 0) Atomics.sub(this.#cells, this.#layout.totalAt(row), surplus);
      return true;
    }
    return false;
  }

  /** All threads' words; undefined when one is within an operation. */
  #quiet(): number[] | undefined {
    const words: number[] = [];
    for (let thread = 0; thread < this.#layout.columns; thread++) {
      const word = Atomics.load(this.#cells, this.#layout.wordAt(thread));
      if ((word & 1) === 1) return undefined;
      words.push(word);
    }
    return words;
  }

  #unchanged(words: readonly number[]): boolean {
    for (let thread = 0; thread < words.length; thread++) if (Atomics.load(this.#cells, this.#layout.wordAt(thread)) !== words[thread]) return false;
    return true;
  }
}

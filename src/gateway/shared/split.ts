// Percent split without chance: over any 100 consecutive requests of all threads each share gets exactly its percent.
import { assert } from "#core";

/**
 * The order in which shares take turns: `sum(weights)` entries, each index `weights[index]` times, spread as evenly as can be
 * (each step the share that is furthest behind). Any window of that length in its endless repetition is exact.
 */
export function splitSequence(weights: readonly number[]): Uint8Array {
  const sum = weights.reduce((a, b) => a + b, 0);
  assert(weights.length > 0 && weights.length <= 256 && sum > 0 && sum <= 10_000, "a split has 1 to 256 shares with a positive sum");
  const credit = weights.map(() => 0);
  return Uint8Array.from({ length: sum }, () => {
    let ahead = 0;
    for (let i = 0; i < weights.length; i++) {
      credit[i] = (credit[i] ?? 0) + (weights[i] ?? 0);
      if ((credit[i] ?? 0) > (credit[ahead] ?? 0)) ahead = i;
    }
    credit[ahead] = (credit[ahead] ?? 0) - sum;
    return ahead;
  });
}

/** A row's count starts again below this, long before its 32 bits are used up. */
export const TURNS_MAX = 1_000_000_000;

/** Bytes of `GatewayStart.turns`. */
export function turnsBytes(rows: number): number {
  return 4 * rows;
}

/** The shared counts of requests, a row a path with more than one share: whose turn it is does not depend on the thread. */
export class SplitTurns {
  readonly #cells: Int32Array;

  /** Without a buffer no row is shared. */
  constructor(turns: SharedArrayBuffer | undefined) {
    this.#cells = new Int32Array(turns ?? new SharedArrayBuffer(0));
  }

  /** Whether the row's turns are those of all threads. */
  shared(row: number): boolean {
    return row >= 0 && row < this.#cells.length;
  }

  /** The next turn of a shared row, from 0 to `length` - 1; goes on when shares and `length` change. */
  next(row: number, length: number): number {
    const turn = Atomics.add(this.#cells, row, 1);
    // One thread alone draws this turn. A whole number of rounds is taken off, so that nobody's turn changes.
    if (turn === TURNS_MAX) Atomics.sub(this.#cells, row, TURNS_MAX - (TURNS_MAX % length));
    return turn % length;
  }
}

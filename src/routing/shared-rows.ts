// Rows of a shared table by what they belong to: kept while it is wanted, used again once no thread can know them any more.
import { Slots } from "./slots.ts";

export class SharedRows {
  readonly #slots: Slots;
  readonly #rows = new Map<string, number>();
  /** Given back, and perhaps in use by a thread that has not heard of it; by owner, in order of generations. */
  readonly #leaving = new Map<string, { readonly row: number; readonly generation: number }>();

  constructor(count: number) {
    this.#slots = new Slots(count);
  }

  /** The owner's row, the one it had when it is back soon; undefined when all are taken. */
  of(owner: string): number | undefined {
    const known = this.#rows.get(owner);
    if (known !== undefined) return known;
    const row = this.#leaving.get(owner)?.row ?? this.#slots.take();
    this.#leaving.delete(owner);
    if (row !== undefined) this.#rows.set(owner, row);
    return row;
  }

  /** The owner wants it no more from `generation` on. */
  giveBack(owner: string, generation: number): void {
    const row = this.#rows.get(owner);
    if (row === undefined) return;
    this.#rows.delete(owner);
    this.#leaving.set(owner, { row, generation });
  }

  /** All threads know of everything up to `generation`. */
  settled(generation: number): void {
    for (const [owner, leaving] of this.#leaving) {
      if (leaving.generation > generation) return;
      this.#leaving.delete(owner);
      this.#slots.giveBack(leaving.row);
    }
  }
}

// Rows of a shared table by what they belong to: kept while it is wanted, used again once no thread can know them any more.
import { Slots } from "./slots.ts";

export class SharedRows {
  readonly #slots: Slots;
  readonly #rows = new Map<string, number>();
  /** Given back and perhaps in use by a thread that has not heard of it: in order of generations. */
  readonly #leaving: { readonly row: number; readonly generation: number }[] = [];

  constructor(count: number) {
    this.#slots = new Slots(count);
  }

  /** The owner's row; undefined when all are taken. */
  of(owner: string): number | undefined {
    const known = this.#rows.get(owner);
    if (known !== undefined) return known;
    const row = this.#slots.take();
    if (row !== undefined) this.#rows.set(owner, row);
    return row;
  }

  /** The owner is gone with `generation`. */
  giveBack(owner: string, generation: number): void {
    const row = this.#rows.get(owner);
    if (row === undefined) return;
    this.#rows.delete(owner);
    this.#leaving.push({ row, generation });
  }

  /** All threads know of everything up to `generation`. */
  settled(generation: number): void {
    while ((this.#leaving[0]?.generation ?? Infinity) <= generation) this.#slots.giveBack((this.#leaving.shift() as { row: number }).row);
  }
}

// Rows of the shared in-flight table: bounded, each pod's own until nobody counts in it any more.

export class Slots {
  readonly #free: number[];

  constructor(count: number) {
    this.#free = Array.from({ length: count }, (_, index) => count - 1 - index);
  }

  /** Takes this one; false when it is taken or there is no such slot. */
  reserve(slot: number): boolean {
    const index = this.#free.indexOf(slot);
    if (index >= 0) this.#free.splice(index, 1);
    return index >= 0;
  }

  /** Undefined when all are taken. */
  take(): number | undefined {
    return this.#free.pop();
  }

  giveBack(slot: number): void {
    this.#free.push(slot);
  }
}

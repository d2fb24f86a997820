// A limit that several share.

export class Budget {
  #left: number;

  constructor(max: number) {
    this.#left = max;
  }

  /** False: the others have it all. */
  take(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  give(count: number): void {
    this.#left += count;
  }
}

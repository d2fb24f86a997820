// Those who are behind read by themselves, a few at a time and one read a turn: however many they are, memory holds a few reads.

/** Reads at a time; each is 256 kB at most, or one event. */
const READERS_MAX = 16;

export interface Behind {
  /** One read's worth; asks again when it wants more. Never rejects. */
  catchUp(): Promise<void>;
}

export class CatchUps {
  readonly #line = new Set<Behind>();
  #readers = 0;

  get readers(): number {
    return this.#readers;
  }

  /** First come, first served. */
  ask(who: Behind): void {
    this.#line.add(who);
    this.#go();
  }

  forget(who: Behind): void {
    this.#line.delete(who);
  }

  #go(): void {
    while (this.#readers < READERS_MAX) {
      const [first] = this.#line;
      if (first === undefined) return;
      this.#line.delete(first);
      this.#readers++;
      void first.catchUp().finally(() =>
        // What is read of memory takes no turn of the loop: others come in between.
        setImmediate(() => {
          this.#readers--;
          this.#go();
        }),
      );
    }
  }
}

// What the events thread has been told of one kind of thing, by key, and since which batch.

export interface ToldEntry<T extends { readonly id: string }, S> {
  readonly is: T;
  /** What controllers see once it is in force. */
  readonly standing: S;
  /** Of the batch that carries it. */
  readonly generation: number;
}

export interface Changes<T> {
  readonly put: readonly T[];
  readonly removed: readonly string[];
}

export class Told<T extends { readonly id: string }, S> {
  readonly #entries = new Map<string, ToldEntry<T, S>>();
  /** Keys of what was told and is not in force yet. */
  readonly #unsettled = new Set<string>();
  readonly #changed: (before: T | undefined, after: T | undefined) => void;

  /** `changed` hears of each entry that is told of, or that goes. */
  constructor(changed: (before: T | undefined, after: T | undefined) => void = () => undefined) {
    this.#changed = changed;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): ToldEntry<T, S> | undefined {
    return this.#entries.get(key);
  }

  all(): T[] {
    return [...this.#entries.values()].map(({ is }) => is);
  }

  /** What is as it was told stays out. An object of another id takes the place of one that is removed. */
  change(dirty: Iterable<string>, plan: (key: string) => Omit<ToldEntry<T, S>, "generation"> | undefined, generation: number): Changes<T> {
    const put: T[] = [];
    const removed: string[] = [];
    for (const key of dirty) {
      const before = this.#entries.get(key);
      const entry = plan(key);
      if (before !== undefined && before.is.id !== entry?.is.id) removed.push(before.is.id);
      if (entry === undefined) {
        this.#entries.delete(key);
        this.#unsettled.delete(key);
        if (before !== undefined) this.#changed(before.is, undefined);
      } else if (before === undefined || JSON.stringify(before.is) !== JSON.stringify(entry.is)) {
        this.#entries.set(key, { ...entry, generation });
        this.#unsettled.add(key);
        this.#changed(before?.is, entry.is);
        put.push(entry.is);
      }
    }
    return { put, removed };
  }

  /** What is in force of it when batches up to this one are; undefined when nothing is, or not the latest. */
  standing(key: string, acknowledged: number): S | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.generation > acknowledged ? undefined : entry.standing;
  }

  /** Keys of what came into force with the batches after the first up to the second; looks at everything only when nothing was in force before. */
  settled(after: number, upTo: number): string[] {
    const settled = [...(after < 0 ? this.#entries.keys() : this.#unsettled)].filter((key) => {
      const { generation = -1 } = this.#entries.get(key) ?? {};
      return generation > after && generation <= upTo;
    });
    for (const key of settled) this.#unsettled.delete(key);
    return settled;
  }
}

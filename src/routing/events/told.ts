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
      if (entry === undefined) this.#entries.delete(key);
      else if (before === undefined || JSON.stringify(before.is) !== JSON.stringify(entry.is)) {
        this.#entries.set(key, { ...entry, generation });
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

  /** Keys of what came into force with the batches after the first up to the second. */
  settled(after: number, upTo: number): string[] {
    return [...this.#entries].filter(([, { generation }]) => generation > after && generation <= upTo).map(([key]) => key);
  }
}

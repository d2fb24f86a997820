// Which generations are in force everywhere, and which pods nobody uses any more: over all live gateway threads.

interface Leaving {
  readonly generation: number;
  /** Threads that have not told yet. */
  readonly threads: Set<number>;
}

/** State, no IO. What is settled is answered once. */
export class Acknowledgements {
  /** Thread → last acknowledged generation; Infinity before its first one: it does not listen before. */
  readonly #threads = new Map<number, number>();
  /** Keys that wait for their generation. */
  readonly #keys = new Map<number, string[]>();
  readonly #leaving = new Map<string, Leaving>();

  /** The generation that every listening thread has acknowledged; -1 while none listens. */
  get everywhere(): number {
    const least = Math.min(...this.#threads.values());
    return least === Infinity ? -1 : least;
  }

  start(thread: number): void {
    this.#threads.set(thread, Infinity);
  }

  /** A dead thread neither holds up a generation nor uses a pod. */
  stop(thread: number): { readonly keys: string[]; readonly pods: string[] } {
    this.#threads.delete(thread);
    const pods = [...this.#leaving].filter(([, leaving]) => leaving.threads.delete(thread) && leaving.threads.size === 0).map(([pod]) => pod);
    for (const pod of pods) this.#leaving.delete(pod);
    return { keys: this.#settledKeys(), pods };
  }

  /** `key` will be settled with `generation`. */
  expect(generation: number, key: string): void {
    const keys = this.#keys.get(generation);
    if (keys === undefined) this.#keys.set(generation, [key]);
    else keys.push(key);
  }

  acknowledge(thread: number, generation: number): string[] {
    const before = this.#threads.get(thread);
    if (before === undefined || (before !== Infinity && generation <= before)) return [];
    this.#threads.set(thread, generation);
    return this.#settledKeys();
  }

  /** The pod is taken out with `generation`; true when no thread lives that could use it. */
  leave(pod: string, generation: number): boolean {
    if (this.#threads.size === 0) return true;
    this.#leaving.set(pod, { generation, threads: new Set(this.#threads.keys()) });
    return false;
  }

  /** The pod is wanted again. */
  stay(pod: string): void {
    this.#leaving.delete(pod);
  }

  isLeaving(pod: string): boolean {
    return this.#leaving.has(pod);
  }

  /** True when this was the last thread; an answer to an older removal does not count. */
  drained(thread: number, pod: string, generation: number): boolean {
    const leaving = this.#leaving.get(pod);
    if (leaving === undefined || generation < leaving.generation) return false;
    leaving.threads.delete(thread);
    if (leaving.threads.size > 0) return false;
    this.#leaving.delete(pod);
    return true;
  }

  #settledKeys(): string[] {
    const everywhere = this.everywhere;
    const settled: string[] = [];
    for (const [generation, keys] of this.#keys) {
      if (generation > everywhere) continue;
      settled.push(...keys);
      this.#keys.delete(generation);
    }
    return settled;
  }
}

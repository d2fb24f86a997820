// A queue of keys with no duplicates and one worker a key: the heart of every level-triggered loop.

/** Keys wait in order of arrival; a key that is added while it is being worked on runs once more afterwards. */
export class WorkQueue<K> {
  readonly #waiting = new Set<K>();
  readonly #running = new Set<K>();
  readonly #again = new Set<K>();
  /** Workers without work; each key wakes one. */
  #idle: (() => void)[] = [];
  /** Signals that wake all workers when they abort. */
  readonly #signals = new WeakSet<AbortSignal>();

  add(key: K): void {
    if (this.#running.has(key)) this.#again.add(key);
    else if (!this.#waiting.has(key)) {
      this.#waiting.add(key);
      this.#idle.shift()?.();
    }
  }

  /** The next key, or undefined once the signal aborts. */
  async take(signal: AbortSignal): Promise<K | undefined> {
    this.#follow(signal);
    while (!signal.aborted) {
      const [key] = this.#waiting;
      if (key !== undefined) {
        this.#waiting.delete(key);
        this.#running.add(key);
        return key;
      }
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    return undefined;
  }

  /** Must follow every `take`. */
  done(key: K): void {
    this.#running.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  get depth(): number {
    return this.#waiting.size;
  }

  get idle(): boolean {
    return this.#waiting.size === 0 && this.#running.size === 0;
  }

  #follow(signal: AbortSignal): void {
    if (this.#signals.has(signal)) return;
    this.#signals.add(signal);
    const wakeAll = (): void => {
      for (const resolve of this.#idle.splice(0)) resolve();
    };
    signal.addEventListener("abort", wakeAll, { once: true });
  }
}

// A queue of keys with no duplicates and one worker a key: the heart of every level-triggered loop.

/** Keys wait in order of arrival; a key that is added while it is being worked on runs once more afterwards. */
export class WorkQueue<K> {
  readonly #waiting = new Set<K>();
  readonly #running = new Set<K>();
  readonly #again = new Set<K>();
  #wake: (() => void)[] = [];

  add(key: K): void {
    if (this.#running.has(key)) this.#again.add(key);
    else this.#waiting.add(key);
    this.#notify();
  }

  /** The next key, or undefined once the signal aborts. */
  async take(signal: AbortSignal): Promise<K | undefined> {
    while (!signal.aborted) {
      const [key] = this.#waiting;
      if (key !== undefined) {
        this.#waiting.delete(key);
        this.#running.add(key);
        return key;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener("abort", wake);
          resolve();
        };
        signal.addEventListener("abort", wake, { once: true });
        this.#wake.push(wake);
      });
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

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

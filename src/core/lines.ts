// What is told to a reader who may be slow: a few lines wait, more end it.
import { StatusError } from "./status-error.ts";

/** For one reader. */
export class Lines<T> {
  readonly #max: number;
  readonly #waiting: T[] = [];
  #wake: (() => void) | undefined;
  #end: { readonly error?: unknown } | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /** Nothing follows an end. */
  push(line: T): void {
    if (this.#end !== undefined) return;
    if (this.#waiting.length < this.#max) this.#waiting.push(line);
    else this.end(new StatusError("TooManyRequests", `more than ${this.#max} lines were waiting to be read: ask for less, or read faster`));
    this.#wake?.();
  }

  end(error?: unknown): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake?.();
  }

  /** What was pushed before the end; then it throws the error that it ended with, if any. Ends when the signal aborts, too. */
  async *read(signal: AbortSignal): AsyncGenerator<T> {
    while (!signal.aborted) {
      // Nothing is awaited between the look and the rest, so that no line is missed.
      if (this.#waiting.length > 0) {
        yield* this.#waiting.splice(0);
        continue;
      }
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return;
      await this.#rest(signal);
    }
  }

  #rest(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wake = undefined;
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}

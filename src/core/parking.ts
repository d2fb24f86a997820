// Where a loop rests while there is nothing to do, without a timer.

/** For one loop. */
export class Parking {
  #leave: (() => void) | undefined;

  /** Resolves with `leave`, or when the signal aborts. */
  stay(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#leave = undefined;
        signal.removeEventListener("abort", leave);
        resolve();
      };
      this.#leave = leave;
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  /** There is something to do; nothing happens when nobody rests. */
  leave(): void {
    this.#leave?.();
  }
}

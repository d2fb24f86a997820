// The time after a start: a program that was just started has the machine to itself until it answers, and what is made ahead for the next one waits.
import type { Clock } from "#core";

const AFTER_START_MS = 200;

export class Lull {
  readonly #clock: Clock;
  #notBeforeMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something was started just now. */
  disturb(): void {
    this.#notBeforeMs = this.#clock.monotonicMs() + AFTER_START_MS;
  }

  /** Resolves a moment after the last start, at once when that is over. Rejects when the signal aborts. */
  async come(signal: AbortSignal): Promise<void> {
    for (let waitMs = this.#leftMs(); waitMs > 0; waitMs = this.#leftMs()) await this.#clock.sleep(waitMs, signal);
  }

  #leftMs(): number {
    return this.#notBeforeMs - this.#clock.monotonicMs();
  }
}

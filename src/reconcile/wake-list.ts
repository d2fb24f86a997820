// Keys that are due at a time: one sleeper for all of them.
import type { Clock } from "#core";

/** Longest single sleep; a due time further away is slept for in parts. */
const SLEEP_MS_MAX = 3_600_000;

export class WakeList {
  readonly #clock: Clock;
  readonly #dueMs = new Map<string, number>();
  readonly #wake: (key: string) => void;
  #rearm = new AbortController();
  #sleepingUntilMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, wake: (key: string) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Wakes the key at that monotonic time; an earlier time that is already set stays. */
  atLatest(key: string, atMs: number): void {
    this.set(key, Math.min(atMs, this.#dueMs.get(key) ?? Number.POSITIVE_INFINITY));
  }

  /** Replaces the key's time; undefined takes it off the list. */
  set(key: string, atMs: number | undefined): void {
    if (atMs === undefined) {
      this.#dueMs.delete(key);
      return;
    }
    this.#dueMs.set(key, atMs);
    if (atMs < this.#sleepingUntilMs) this.#rearm.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const rearm = new AbortController();
      this.#rearm = rearm;
      const abort = (): void => rearm.abort();
      signal.addEventListener("abort", abort, { once: true });
      const nowMs = this.#clock.monotonicMs();
      this.#sleepingUntilMs = nowMs + SLEEP_MS_MAX;
      for (const dueMs of this.#dueMs.values()) this.#sleepingUntilMs = Math.min(this.#sleepingUntilMs, dueMs);
      await this.#clock.sleep(this.#sleepingUntilMs - nowMs, rearm.signal).catch(() => {});
      signal.removeEventListener("abort", abort);
      if (!signal.aborted) this.#fire();
    }
  }

  #fire(): void {
    const nowMs = this.#clock.monotonicMs();
    const due = [...this.#dueMs].filter(([, atMs]) => atMs <= nowMs).sort((a, b) => a[1] - b[1]);
    for (const [key] of due) {
      this.#dueMs.delete(key);
      this.#wake(key);
    }
  }
}

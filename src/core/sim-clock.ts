// A clock that tests move by hand: sleepers wake in order of their deadlines, and each settles before the next.
import type { Clock } from "./clock.ts";

interface Sleeper {
  readonly dueMs: number;
  readonly order: number;
  readonly wake: () => void;
}

/** Lets pending promise callbacks and immediates run; what they start runs, too. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Starts at monotonic 0; `stepWall` moves the wall clock alone, as an administrator or NTP would. */
export class SimClock implements Clock {
  #nowMs = 0;
  #wallOffsetMs: number;
  #order = 0;
  #sleepers: Sleeper[] = [];

  constructor(startWallMs = Date.UTC(2026, 0, 1)) {
    this.#wallOffsetMs = startWallMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      };
      const wake = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const sleeper: Sleeper = { dueMs: this.#nowMs + Math.max(0, ms), order: this.#order++, wake };
      this.#sleepers.push(sleeper);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Moves time forward, waking every sleeper that falls due on the way. */
  async advance(ms: number): Promise<void> {
    const target = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#sleepers.filter((s) => s.dueMs <= target).sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((s) => s !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.wake();
      await settle();
    }
    this.#nowMs = target;
    await settle();
  }

  /** The machine sleeps: time passes and nobody wakes until it is over, then everything overdue at once. */
  async suspend(ms: number): Promise<void> {
    this.#nowMs += ms;
    await this.advance(0);
  }

  /** The wall clock is set forward or back; monotonic time goes on. */
  stepWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** How many sleepers wait: zero when everything that ran has ended. */
  get waiting(): number {
    return this.#sleepers.length;
  }
}

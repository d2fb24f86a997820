// Notices threads that hang: one that works is asked once a second whether it is there, and must say so in time.
import type { Clock } from "#core";

/** Between two looks. */
const LOOK_MS = 1_000;
/** Looks in a row at which a question was still open, after which the thread hangs. */
const UNANSWERED_MAX = 5;

export interface ThreadPulseOptions {
  readonly clock: Clock;
  readonly ask: (thread: number) => void;
  /** The thread does not answer; told once. */
  readonly hangs: (thread: number) => void;
}

/** At rest nobody is asked and no timer runs: a thread that does nothing cannot hang. */
export class ThreadPulse {
  readonly #options: ThreadPulseOptions;
  /** Threads that have done something since they were asked last. */
  readonly #stirred = new Set<number>();
  /** Looks at which the question to a thread was open. */
  readonly #unanswered = new Map<number, number>();
  #looking = false;

  constructor(options: ThreadPulseOptions) {
    this.#options = options;
  }

  /** The thread got or sent something. */
  stirred(thread: number, signal: AbortSignal): void {
    this.#stirred.add(thread);
    if (this.#looking) return;
    this.#looking = true;
    void this.#look(signal);
  }

  /** The thread has answered. */
  answered(thread: number): void {
    this.#unanswered.delete(thread);
  }

  /** The thread has ended. */
  gone(thread: number): void {
    this.#stirred.delete(thread);
    this.#unanswered.delete(thread);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted && this.#stirred.size + this.#unanswered.size > 0) {
      const beforeMs = clock.monotonicMs();
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
      // A machine that slept, or whose control thread had no time itself, says nothing about the others.
      if (clock.monotonicMs() - beforeMs < 2 * LOOK_MS) this.#count();
      this.#ask();
    }
    this.#looking = false;
  }

  #count(): void {
    for (const [thread, looks] of this.#unanswered) {
      this.#unanswered.set(thread, looks + 1);
      if (looks + 1 < UNANSWERED_MAX) continue;
      this.gone(thread);
      this.#options.hangs(thread);
    }
  }

  #ask(): void {
    for (const thread of this.#stirred) {
      this.#stirred.delete(thread);
      if (this.#unanswered.has(thread)) continue;
      this.#unanswered.set(thread, 0);
      this.#options.ask(thread);
    }
  }
}

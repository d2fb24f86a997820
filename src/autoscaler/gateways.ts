// Which gateway threads are there: one epoch of each counts, and their clocks are brought to ours.

/** A report that seems older than this comes from a clock that was set, not over a slow way. */
const DELAY_MS_MAX = 5_000;

interface Gateway {
  readonly epoch: number;
  /** Our clock minus its own, as the fastest message showed it; undefined before the first report. */
  offsetMs: number | undefined;
}

/** Who reports: a thread's number is used again by its successors, each with a higher epoch. */
export interface Sender {
  readonly thread: number;
  readonly epoch: number;
}

/** The gateway threads by number. */
export class Gateways {
  readonly #live = new Map<number, Gateway>();
  /** Highest epoch of each number that has ended. */
  readonly #over = new Map<number, number>();

  /** Without threads silence says nothing. */
  get some(): boolean {
    return this.#live.size > 0;
  }

  /** A thread began to listen; true when it takes the place of another one. */
  up({ thread, epoch }: Sender): boolean {
    return this.#isLive({ thread, epoch }) && this.#enter({ thread, epoch });
  }

  /** A thread ended: nothing that it said counts from now on. */
  down(thread: number): void {
    const known = this.#live.get(thread);
    if (known !== undefined) this.#over.set(thread, known.epoch);
    this.#live.delete(thread);
  }

  /**
   * When, on our clock, the period of a report ended; `replaced` when its sender took the place of another thread.
   * Undefined for a thread that has ended or been replaced.
   */
  reported(from: Sender & { readonly atMs: number }, nowMs: number): { readonly endMs: number; readonly replaced: boolean } | undefined {
    if (!this.#isLive(from)) return undefined;
    const replaced = this.#enter(from);
    const gateway = this.#live.get(from.thread) as Gateway;
    const offsetMs = Math.min(gateway.offsetMs ?? Infinity, nowMs - from.atMs);
    const isSet = nowMs - (from.atMs + offsetMs) > DELAY_MS_MAX;
    gateway.offsetMs = isSet ? nowMs - from.atMs : offsetMs;
    return { endMs: Math.min(nowMs, Math.floor(from.atMs + gateway.offsetMs)), replaced };
  }

  #isLive({ thread, epoch }: Sender): boolean {
    return epoch >= (this.#live.get(thread)?.epoch ?? 0) && epoch > (this.#over.get(thread) ?? -1);
  }

  #enter({ thread, epoch }: Sender): boolean {
    const known = this.#live.get(thread);
    if (known?.epoch === epoch) return false;
    this.#live.set(thread, { epoch, offsetMs: undefined });
    return known !== undefined;
  }
}

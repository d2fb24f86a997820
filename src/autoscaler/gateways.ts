// Which gateway threads are there, and which of them owes a report: tells silence (no load) from missing data.
import type { BackendLoad } from "#protocol";

/** A thread that reported load reports again a second later; beyond this it counts as stuck. */
const REPORT_LATE_MS = 5_000;

interface Gateway {
  epoch: number;
  reportedAtMs: number;
  /** Backends that had load in the latest report: the next one must name them. */
  owes: ReadonlySet<string>;
}

function hasLoad({ averageConcurrency, requestCount, waiting }: BackendLoad): boolean {
  return averageConcurrency > 0 || requestCount > 0 || waiting > 0;
}

/** The gateway threads by number; at most one epoch of each counts. */
export class Gateways {
  readonly #byThread = new Map<number, Gateway>();

  /** A thread began to listen; what an earlier one of this number owed is void. */
  up(thread: number, nowMs: number): void {
    this.#byThread.set(thread, { epoch: this.#byThread.get(thread)?.epoch ?? 0, reportedAtMs: nowMs, owes: new Set() });
  }

  /** A thread ended. */
  down(thread: number): void {
    this.#byThread.delete(thread);
  }

  /** Notes a report; false when it came from a thread that has been replaced since. */
  reported(thread: number, epoch: number, loads: readonly BackendLoad[], nowMs: number): boolean {
    if (epoch < (this.#byThread.get(thread)?.epoch ?? 0)) return false;
    const owes = new Set(loads.filter(hasLoad).map(({ backend }) => backend));
    this.#byThread.set(thread, { epoch, reportedAtMs: nowMs, owes });
    return true;
  }

  /** True when silence about this backend means that nobody asks for it. */
  answerFor(backend: string, nowMs: number): boolean {
    for (const { owes, reportedAtMs } of this.#byThread.values()) {
      if (owes.has(backend) && nowMs - reportedAtMs > REPORT_LATE_MS) return false;
    }
    return this.#byThread.size > 0;
  }
}

// Which gateway threads are there, and which of them owes a report: tells silence (no load) from missing data.
import type { BackendLoad } from "#protocol";

/** A thread that reported load for a backend reports on it again a second later; beyond this it counts as stuck. */
const REPORT_LATE_MS = 5_000;

interface Gateway {
  readonly epoch: number;
  /** Backends that had load in the thread's latest report on them, with its time: another report must follow. */
  readonly owes: Map<string, number>;
}

function hasLoad({ averageConcurrency, requestCount, waiting }: BackendLoad): boolean {
  return averageConcurrency > 0 || requestCount > 0 || waiting > 0;
}

/** The gateway threads by number; at most one epoch of each counts. */
export class Gateways {
  readonly #byThread = new Map<number, Gateway>();

  /** A thread began to listen; what an earlier one of this number owed is void. */
  up(thread: number): void {
    this.#byThread.set(thread, { epoch: this.#byThread.get(thread)?.epoch ?? 0, owes: new Map() });
  }

  /** A thread ended. */
  down(thread: number): void {
    this.#byThread.delete(thread);
  }

  /** Notes a report, which need not name every backend; false when it came from a thread that has been replaced since. */
  reported(from: { readonly thread: number; readonly epoch: number }, loads: readonly BackendLoad[], nowMs: number): boolean {
    const known = this.#byThread.get(from.thread);
    if (known !== undefined && from.epoch < known.epoch) return false;
    const owes = known?.epoch === from.epoch || known?.epoch === 0 ? known.owes : new Map<string, number>();
    for (const load of loads) {
      if (hasLoad(load)) owes.set(load.backend, nowMs);
      else owes.delete(load.backend);
    }
    this.#byThread.set(from.thread, { epoch: from.epoch, owes });
    return true;
  }

  /** True when silence about this backend means that nobody asks for it. */
  answerFor(backend: string, nowMs: number): boolean {
    for (const { owes } of this.#byThread.values()) {
      const reportedAtMs = owes.get(backend);
      if (reportedAtMs !== undefined && nowMs - reportedAtMs > REPORT_LATE_MS) return false;
    }
    return this.#byThread.size > 0;
  }

  /** A backend is gone: nobody owes anything about it. */
  forget(backend: string): void {
    for (const { owes } of this.#byThread.values()) owes.delete(backend);
  }
}

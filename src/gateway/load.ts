// Concurrency as Knative's activator measures it: per backend the time integral of its requests, reported once a second.
import { Parking, type Clock } from "#core";
import type { BackendLoad, GatewayToControl } from "#protocol";

export const REPORT_PERIOD_MS = 1000;

/** What the reporter asks of a backend. */
export interface Loaded {
  readonly key: string;
  readonly waiting: number;
  /** Requests wait and no pod is ready. */
  readonly asleep: boolean;
  readonly load: LoadMeter;
}

/** Counts one backend's requests, waiting ones included. */
export class LoadMeter {
  #count = 0;
  #begun = 0;
  #integral = 0;
  #changedMs = 0;
  #sinceMs = 0;
  /** 1 until the request that was reported at once is taken off the next report. */
  #reported = 0;
  /** Average concurrency of the period that was reported last. */
  average = 0;
  /** Whether it has an entry with the reporter. */
  known = false;

  /** True when this request is the first of a new entry. */
  begin(nowMs: number): boolean {
    const first = !this.known;
    if (first) {
      this.known = true;
      this.#reported = 1;
      this.#sinceMs = nowMs;
      this.#changedMs = nowMs;
      this.#integral = 0;
      this.#begun = 0;
    }
    this.#advance(nowMs);
    this.#count++;
    this.#begun++;
    return first;
  }

  end(nowMs: number): void {
    this.#advance(nowMs);
    this.#count--;
  }

  get count(): number {
    return this.#count;
  }

  /** Closes the period; `idle` when nothing was in flight during all of it. */
  report(nowMs: number): { readonly averageConcurrency: number; readonly requestCount: number; readonly idle: boolean } {
    this.#advance(nowMs);
    const lastedMs = nowMs - this.#sinceMs;
    const average = lastedMs > 0 ? this.#integral / lastedMs : this.#count;
    this.average = average;
    const answer = {
      averageConcurrency: Math.max(0, average - this.#reported),
      requestCount: Math.max(0, this.#begun - this.#reported),
      idle: average === 0 && this.#count === 0 && this.#begun === 0,
    };
    this.#integral = 0;
    this.#begun = 0;
    this.#reported = 0;
    this.#sinceMs = nowMs;
    return answer;
  }

  #advance(nowMs: number): void {
    this.#integral += this.#count * (nowMs - this.#changedMs);
    this.#changedMs = nowMs;
  }
}

export interface LoadReporterOptions {
  readonly clock: Clock;
  readonly send: (message: GatewayToControl) => void;
  readonly thread: number;
  readonly epoch: number;
}

/** Reports while anything is in flight and once more after; no timer runs otherwise. */
export class LoadReporter {
  readonly #options: LoadReporterOptions;
  readonly #active = new Set<Loaded>();
  #lastMs = 0;
  readonly #parking = new Parking();

  constructor(options: LoadReporterOptions) {
    this.#options = options;
  }

  /** A request reached the backend; the first one is reported at once, as concurrency 1. */
  begin(backend: Loaded, nowMs: number): void {
    if (!backend.load.begin(nowMs)) return;
    if (this.#active.size === 0) this.#lastMs = nowMs;
    this.#active.add(backend);
    this.#parking.leave();
    this.#send(nowMs, REPORT_PERIOD_MS, [{ backend: backend.key, averageConcurrency: 1, requestCount: 1, waiting: backend.waiting }]);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#active.size === 0) await this.#parking.stay(signal);
      if (signal.aborted) return;
      try {
        await this.#options.clock.sleep(this.#lastMs + REPORT_PERIOD_MS - this.#options.clock.monotonicMs(), signal);
      } catch (error) {
        if (!signal.aborted) throw error;
        return;
      }
      this.#report(this.#options.clock.monotonicMs());
    }
  }

  #report(nowMs: number): void {
    const backends: BackendLoad[] = [];
    for (const backend of this.#active) {
      const { idle, averageConcurrency, requestCount } = backend.load.report(nowMs);
      backends.push({ backend: backend.key, averageConcurrency, requestCount, waiting: backend.waiting });
      if (idle) {
        this.#active.delete(backend);
        backend.load.known = false;
      } else if (backend.asleep) {
        this.#options.send({ type: "wake", thread: this.#options.thread, backend: backend.key });
      }
    }
    this.#send(nowMs, nowMs - this.#lastMs, backends);
    this.#lastMs = nowMs;
  }

  #send(atMs: number, periodMs: number, backends: readonly BackendLoad[]): void {
    const { thread, epoch, send } = this.#options;
    if (backends.length > 0) send({ type: "load", thread, epoch, atMs, periodMs, backends });
  }
}

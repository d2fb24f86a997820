// The metric windows of one revision: concurrency and requests per second, each stable and panic.
import { BucketRing, type RingState } from "./bucket-ring.ts";
import type { AggregationAlgorithm, MetricSettings, ScalingMetric } from "./settings.ts";

export interface WindowValues {
  readonly stable: number;
  readonly panic: number;
}

/** What the windows hold, a plain value; rings in the order concurrency, requests, of each stable and panic. */
export interface WindowsState {
  readonly algorithm: AggregationAlgorithm;
  readonly rings: readonly RingState[];
}

/** Times are milliseconds on any one timeline; see `BucketRing`. */
export class RevisionWindows {
  #settings: MetricSettings;
  readonly #rings: Readonly<Record<ScalingMetric, { readonly stable: BucketRing; readonly panic: BucketRing }>>;

  constructor(settings: MetricSettings) {
    this.#settings = settings;
    const pair = (): { stable: BucketRing; panic: BucketRing } => ({
      stable: new BucketRing(settings.stableWindowMs),
      panic: new BucketRing(settings.panicWindowMs),
    });
    this.#rings = { concurrency: pair(), rps: pair() };
  }

  get settings(): MetricSettings {
    return this.#settings;
  }

  /** Adds one second's average concurrency and count of requests. */
  record(timeMs: number, concurrency: number, requests: number): void {
    for (const [metric, value] of [
      ["concurrency", concurrency],
      ["rps", requests],
    ] as const) {
      this.#rings[metric].stable.record(timeMs, value);
      this.#rings[metric].panic.record(timeMs, value);
    }
  }

  /** The averages now; undefined when there are no data and silence does not mean 0. */
  values(metric: ScalingMetric, nowMs: number): WindowValues | undefined {
    const { stable, panic } = this.#rings[metric];
    if (this.#settings.scraped && stable.isEmpty(nowMs)) return undefined;
    const average = this.#settings.algorithm === "linear" ? "linearAverage" : "weightedAverage";
    return { stable: stable[average](nowMs), panic: panic[average](nowMs) };
  }

  /** Takes new settings; the windows keep what fits. The algorithm stays that of the creation. */
  update(settings: MetricSettings): void {
    for (const { stable, panic } of Object.values(this.#rings)) {
      stable.resize(settings.stableWindowMs);
      panic.resize(settings.panicWindowMs);
    }
    this.#settings = { ...settings, algorithm: this.#settings.algorithm };
  }

  get #all(): readonly BucketRing[] {
    return Object.values(this.#rings).flatMap(({ stable, panic }) => [stable, panic]);
  }

  get state(): WindowsState {
    return { algorithm: this.#settings.algorithm, rings: this.#all.map(({ state }) => state) };
  }

  /** Takes what windows of the same lengths held. */
  restore({ algorithm, rings }: WindowsState): void {
    this.#settings = { ...this.#settings, algorithm };
    this.#all.forEach((ring, index) => ring.restore(rings[index] ?? { total: 0, sums: [] }));
  }

  /** Zeros for every second from `fromMs` to `toMs`: nobody asked. */
  recordSilence(fromMs: number, toMs: number): void {
    for (const { stable, panic } of Object.values(this.#rings)) {
      stable.recordSilence(fromMs, toMs);
      panic.recordSilence(fromMs, toMs);
    }
  }
}

// What the autoscaler is told about one revision: settings of its decider and of its metric windows.

/** The scaling metrics of the KPA class. */
export type ScalingMetric = "concurrency" | "rps";

export type AggregationAlgorithm = "linear" | "weighted-exponential";

/** Settings of a decider (serving.md 3.3); counts are per pod. */
export interface DeciderSettings {
  readonly scalingMetric: ScalingMetric;
  /** What a pod should bear: total × utilisation, at least 0.01. */
  readonly targetValue: number;
  /** What a pod can bear; the excess burst capacity counts with it. */
  readonly totalValue: number;
  /** -1: always through the activator, 0: never unless at zero. */
  readonly targetBurstCapacity: number;
  readonly activatorCapacity: number;
  /** As a factor: 2 stands for 200 %. */
  readonly panicThreshold: number;
  readonly stableWindowMs: number;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  readonly initialScale: number;
  /** 0: off. */
  readonly activationScale: number;
  /** Fixed when the decider is created. */
  readonly scaleDownDelayMs: number;
  readonly reachable: boolean;
}

/** Settings of a revision's metric windows. */
export interface MetricSettings {
  readonly stableWindowMs: number;
  readonly panicWindowMs: number;
  readonly algorithm: AggregationAlgorithm;
  /** False (target burst capacity -1): silence is a valid 0, not missing data. */
  readonly scraped: boolean;
}

export interface RevisionSettings {
  readonly decider: DeciderSettings;
  readonly metric: MetricSettings;
}

// Annotations and config-autoscaler resolved into settings (serving.md 3.2, 3.3). What does not parse counts as absent.
import { parseDurationMs } from "#core";
import { annotationOf, autoscaling, type AutoscalerConfig } from "#kinds";
import type { AggregationAlgorithm, RevisionSettings, ScalingMetric } from "./settings.ts";

export type Annotations = Readonly<Record<string, string>>;

/** What the settings of a revision depend on: its PodAutoscaler and the configuration. */
export interface Resolvable {
  readonly annotations: Annotations;
  readonly containerConcurrency: number;
  /** `""`, `Reachable` or `Unreachable`. */
  readonly reachability: string;
  readonly config: AutoscalerConfig;
}

/** Utilisation for requests per second is not configurable. */
const RPS_UTILISATION = 0.7;
const TARGET_MIN = 0.01;

/** The number under `key` (any spelling), or undefined when absent or not a number. */
export function numberOf(annotations: Annotations, key: string): number | undefined {
  const text = annotationOf(annotations, key);
  return text !== undefined && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

/** A whole number that fits 32 bits, or undefined. */
function integerOf(annotations: Annotations, key: string): number | undefined {
  const text = annotationOf(annotations, key);
  const value = text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
  return value !== undefined && Math.abs(value) <= 0x7fff_ffff ? value : undefined;
}

/** A duration annotation in milliseconds, or undefined when absent or not a Go duration. */
export function durationOf(annotations: Annotations, key: string): number | undefined {
  const text = annotationOf(annotations, key);
  return text === undefined ? undefined : parseDurationMs(text);
}

/** The initial scale: a 0 counts only where the configuration allows it. */
export function initialScaleOf(annotations: Annotations, config: AutoscalerConfig): number {
  const value = integerOf(annotations, autoscaling.initialScale);
  return value === undefined || (value === 0 && !config.allowZeroInitialScale) ? config.initialScale : value;
}

/** Lower and upper bound of the scale; `max` 0 is none. An unreachable revision has no lower bound. */
export function scaleBoundsOf({ annotations, config, reachability }: Omit<Resolvable, "containerConcurrency">): { readonly min: number; readonly max: number } {
  const min = reachability === "Unreachable" ? 0 : (integerOf(annotations, autoscaling.minScale) ?? config.minScale);
  return { min, max: integerOf(annotations, autoscaling.maxScale) ?? config.maxScale };
}

function targetsOf(of: Resolvable, metric: ScalingMetric): { readonly targetValue: number; readonly totalValue: number } {
  const { annotations, config, containerConcurrency } = of;
  const wanted = numberOf(annotations, autoscaling.target);
  const percentage = numberOf(annotations, autoscaling.targetUtilizationPercentage);
  let total: number;
  if (metric === "rps") total = wanted ?? config.requestsPerSecondTargetDefault;
  else if (containerConcurrency === 0) total = wanted ?? config.containerConcurrencyTargetDefault;
  else total = Math.min(wanted ?? containerConcurrency, containerConcurrency);
  const utilisation = percentage === undefined ? (metric === "rps" ? RPS_UTILISATION : config.containerConcurrencyTargetFraction) : percentage / 100;
  return { totalValue: total, targetValue: Math.max(TARGET_MIN, total * utilisation) };
}

function algorithmOf(annotations: Annotations): AggregationAlgorithm {
  const text = annotationOf(annotations, autoscaling.metricAggregationAlgorithm);
  return text === "weighted-exponential" || text === "weightedExponential" ? "weighted-exponential" : "linear";
}

/** The settings of a revision's decider and windows. */
export function resolveSettings(of: Resolvable): RevisionSettings {
  const { annotations, config } = of;
  const scalingMetric: ScalingMetric = annotationOf(annotations, autoscaling.metric) === "rps" ? "rps" : "concurrency";
  const stableWindowMs = durationOf(annotations, autoscaling.window) ?? config.stableWindowMs;
  const panicPercentage = numberOf(annotations, autoscaling.panicWindowPercentage) ?? config.panicWindowPercentage;
  const panicWindowMs = Math.max(1_000, Math.round((stableWindowMs * panicPercentage) / 100 / 1_000) * 1_000);
  const targetBurstCapacity = numberOf(annotations, autoscaling.targetBurstCapacity) ?? config.targetBurstCapacity;
  return {
    decider: {
      scalingMetric,
      ...targetsOf(of, scalingMetric),
      targetBurstCapacity,
      activatorCapacity: config.activatorCapacity,
      panicThreshold: (numberOf(annotations, autoscaling.panicThresholdPercentage) ?? config.panicThresholdPercentage) / 100,
      stableWindowMs,
      maxScaleUpRate: config.scaleUpRateMax,
      maxScaleDownRate: config.scaleDownRateMax,
      initialScale: initialScaleOf(annotations, config),
      activationScale: integerOf(annotations, autoscaling.activationScale) ?? 0,
      scaleDownDelayMs: durationOf(annotations, autoscaling.scaleDownDelay) ?? config.scaleDownDelayMs,
      reachable: of.reachability !== "Unreachable",
    },
    metric: { stableWindowMs, panicWindowMs, algorithm: algorithmOf(annotations), scraped: targetBurstCapacity !== -1 },
  };
}

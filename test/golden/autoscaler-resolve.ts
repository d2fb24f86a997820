// Adapter of the recorded resolve.json: annotations and configuration to settings.
import { resolveSettings, type RevisionSettings } from "#autoscaler";
import type { AutoscalerConfig } from "#kinds";
import { parseDurationMs } from "#core";
import { compared, type Checked } from "./autoscaler-checker.ts";

/** What a recording says about a PodAutoscaler. */
export interface RecordedPa {
  readonly annotations: Readonly<Record<string, string>>;
  readonly containerConcurrency: number;
  readonly reachability: string;
}

export interface RecordedSettings {
  readonly decider: Readonly<Record<string, unknown>>;
  readonly metric: { readonly algorithm: string; readonly panicWindowMs: number; readonly stableWindowMs: number; readonly scrapeTarget: string };
}

/** Annotation keys without a slash belong to the autoscaler's group. */
export function fullAnnotations(recorded: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(recorded).map(([key, value]) => [key.includes("/") ? key : `autoscaling.knative.dev/${key}`, value]));
}

export function configOf(data: Readonly<Record<string, string>>): AutoscalerConfig {
  const number = (key: string, otherwise: number): number => Number(data[key] ?? otherwise);
  const ms = (key: string, otherwise: string): number => parseDurationMs(data[key] ?? otherwise) ?? 0;
  const percentage = number("container-concurrency-target-percentage", 70);
  return {
    podAutoscalerClass: "kpa.autoscaling.knative.dev",
    enableScaleToZero: data["enable-scale-to-zero"] !== "false",
    allowZeroInitialScale: data["allow-zero-initial-scale"] === "true",
    scaleUpRateMax: number("max-scale-up-rate", 1000),
    scaleDownRateMax: number("max-scale-down-rate", 2),
    containerConcurrencyTargetFraction: percentage > 1 ? percentage / 100 : percentage,
    containerConcurrencyTargetDefault: number("container-concurrency-target-default", 100),
    requestsPerSecondTargetDefault: number("requests-per-second-target-default", 200),
    targetBurstCapacity: number("target-burst-capacity", 211),
    stableWindowMs: ms("stable-window", "60s"),
    panicWindowPercentage: number("panic-window-percentage", 10),
    panicThresholdPercentage: number("panic-threshold-percentage", 200),
    activatorCapacity: number("activator-capacity", 100),
    initialScale: number("initial-scale", 1),
    minScale: number("min-scale", 0),
    maxScale: number("max-scale", 0),
    maxScaleLimit: number("max-scale-limit", 0),
    scaleDownDelayMs: ms("scale-down-delay", "0s"),
    scaleToZeroGracePeriodMs: ms("scale-to-zero-grace-period", "30s"),
    scaleToZeroPodRetentionPeriodMs: ms("scale-to-zero-pod-retention-period", "0s"),
  };
}

export function settingsOf(pa: RecordedPa, config: Readonly<Record<string, string>>): RevisionSettings {
  return resolveSettings({ ...pa, annotations: fullAnnotations(pa.annotations), config: configOf(config) });
}

/** Our settings in the recorded form. */
export function recordedSettings({ decider, metric }: RevisionSettings): RecordedSettings {
  const { algorithm, panicWindowMs, stableWindowMs, scraped } = metric;
  return {
    decider: { ...decider },
    metric: { algorithm: algorithm === "linear" ? "" : algorithm, panicWindowMs, stableWindowMs, scrapeTarget: scraped ? "rev-private" : "" },
  };
}

/** The recorded settings with one name for the linear algorithm. */
export function plainSettings({ decider, metric }: RecordedSettings): RecordedSettings {
  return { decider, metric: { ...metric, algorithm: metric.algorithm === "linear" ? "" : metric.algorithm } };
}

interface ResolveCase extends RecordedPa, RecordedSettings {
  readonly config: Readonly<Record<string, string>>;
}

export function* checkResolve(given: ResolveCase, name: string): Iterable<Checked> {
  yield compared(name, plainSettings(given), recordedSettings(settingsOf(given, given.config)));
}

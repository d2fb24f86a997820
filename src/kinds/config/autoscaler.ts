// config-autoscaler: cluster-wide settings of the autoscaler (serving.md §3.1).
import { formatDurationMs } from "#core";
import { ConfigReader, resultOf, type ConfigData, type ConfigError } from "./reader.ts";

const KPA_CLASS = "kpa.autoscaling.knative.dev";

/** Parsed `config-autoscaler`. Times in milliseconds; `containerConcurrencyTargetFraction` in (0, 1]. */
export interface AutoscalerConfig {
  readonly podAutoscalerClass: string;
  readonly enableScaleToZero: boolean;
  readonly allowZeroInitialScale: boolean;
  readonly scaleUpRateMax: number;
  readonly scaleDownRateMax: number;
  readonly containerConcurrencyTargetFraction: number;
  readonly containerConcurrencyTargetDefault: number;
  readonly requestsPerSecondTargetDefault: number;
  readonly targetBurstCapacity: number;
  readonly stableWindowMs: number;
  readonly panicWindowPercentage: number;
  readonly panicThresholdPercentage: number;
  readonly activatorCapacity: number;
  readonly initialScale: number;
  readonly minScale: number;
  readonly maxScale: number;
  readonly maxScaleLimit: number;
  readonly scaleDownDelayMs: number;
  readonly scaleToZeroGracePeriodMs: number;
  readonly scaleToZeroPodRetentionPeriodMs: number;
}

const INT32_MAX = 2_147_483_647n;
const TARGET_MIN = 0.01;
const STABLE_WINDOW_MIN_MS = 6_000;
const STABLE_WINDOW_MAX_MS = 3_600_000;

function read(reader: ConfigReader): AutoscalerConfig {
  const percentage = reader.number("container-concurrency-target-percentage", 70);
  return {
    enableScaleToZero: reader.boolean("enable-scale-to-zero", true),
    allowZeroInitialScale: reader.boolean("allow-zero-initial-scale", false),
    podAutoscalerClass: reader.text("pod-autoscaler-class", KPA_CLASS),
    scaleUpRateMax: reader.number("max-scale-up-rate", 1000),
    scaleDownRateMax: reader.number("max-scale-down-rate", 2),
    // A number above 1 is a percentage, else a fraction.
    containerConcurrencyTargetFraction: percentage > 1 ? percentage / 100 : percentage,
    containerConcurrencyTargetDefault: reader.number("container-concurrency-target-default", 100),
    requestsPerSecondTargetDefault: reader.number("requests-per-second-target-default", 200),
    targetBurstCapacity: reader.number("target-burst-capacity", 211),
    activatorCapacity: reader.number("activator-capacity", 100),
    panicWindowPercentage: reader.number("panic-window-percentage", 10),
    panicThresholdPercentage: reader.number("panic-threshold-percentage", 200),
    initialScale: reader.integer("initial-scale", 1, INT32_MAX),
    minScale: reader.integer("min-scale", 0, INT32_MAX),
    maxScale: reader.integer("max-scale", 0, INT32_MAX),
    maxScaleLimit: reader.integer("max-scale-limit", 0, INT32_MAX),
    stableWindowMs: reader.durationMs("stable-window", 60_000),
    scaleDownDelayMs: reader.durationMs("scale-down-delay", 0),
    scaleToZeroGracePeriodMs: reader.durationMs("scale-to-zero-grace-period", 30_000),
    scaleToZeroPodRetentionPeriodMs: reader.durationMs("scale-to-zero-pod-retention-period", 0),
  };
}

const wholeSeconds = (ms: number): boolean => ms % 1000 === 0;

function checkTimes(config: AutoscalerConfig, reader: ConfigReader): void {
  const { scaleToZeroGracePeriodMs: grace, scaleToZeroPodRetentionPeriodMs: retention, scaleDownDelayMs: delay, stableWindowMs: window } = config;
  reader.check(grace > 0, `scale-to-zero-grace-period must be positive, was: ${formatDurationMs(grace)}`);
  reader.check(retention >= 0, `scale-to-zero-pod-retention-period cannot be negative, was: ${formatDurationMs(retention)}`);
  reader.check(delay >= 0, `scale-down-delay cannot be negative, was: ${formatDurationMs(delay)}`);
  reader.check(wholeSeconds(delay), `scale-down-delay = ${formatDurationMs(delay)}, must be specified with at most second precision`);
  const inRange = window >= STABLE_WINDOW_MIN_MS && window <= STABLE_WINDOW_MAX_MS;
  reader.check(inRange, `stable-window = ${formatDurationMs(window)}, must be in [6s; 1h0m0s] range`);
  reader.check(wholeSeconds(window), `stable-window = ${formatDurationMs(window)}, must be specified with at most second precision`);
}

function checkTargets(config: AutoscalerConfig, reader: ConfigReader): void {
  const { targetBurstCapacity: burst, containerConcurrencyTargetFraction: fraction, requestsPerSecondTargetDefault: rps } = config;
  reader.check(burst >= 0 || burst === -1, `target-burst-capacity must be either non-negative or -1 (for unlimited), was: ${burst.toFixed(6)}`);
  reader.check(fraction > 0 && fraction <= 1, `container-concurrency-target-percentage = ${fraction.toFixed(6)} is outside of valid range of (0, 100]`);
  const target = fraction * config.containerConcurrencyTargetDefault;
  const names = "container-concurrency-target-percentage and container-concurrency-target-default";
  reader.check(target >= TARGET_MIN, `${names} yield target concurrency of ${target}, can't be less than ${TARGET_MIN}`);
  reader.check(rps >= TARGET_MIN, `requests-per-second-target-default must be at least ${TARGET_MIN}, was: ${rps}`);
  reader.check(config.activatorCapacity >= 1, `activator-capacity = ${config.activatorCapacity}, must be at least 1`);
  reader.check(config.scaleUpRateMax > 1, `max-scale-up-rate = ${config.scaleUpRateMax}, must be greater than 1.0`);
  reader.check(config.scaleDownRateMax > 1, `max-scale-down-rate = ${config.scaleDownRateMax}, must be greater than 1.0`);
  const panic = config.panicWindowPercentage;
  reader.check(panic >= 1 && panic <= 100, `panic-window-percentage = ${panic}, must be in [1, 100] interval`);
}

function checkScales(config: AutoscalerConfig, reader: ConfigReader): void {
  const { initialScale, minScale, maxScale, maxScaleLimit: limit } = config;
  const initialOk = initialScale >= (config.allowZeroInitialScale ? 0 : 1);
  reader.check(initialOk, `initial-scale = ${initialScale}, must be at least 0 (or at least 1 when allow-zero-initial-scale is false)`);
  reader.check(limit >= 0, `max-scale-limit = ${limit}, must be at least 0`);
  reader.check(minScale >= 0, `min-scale = ${minScale}, must be at least 0`);
  reader.check(maxScale >= 0, `max-scale = ${maxScale}, must be at least 0`);
  reader.check(maxScale === 0 || minScale <= maxScale, `min-scale (${minScale}) must be less than max-scale (${maxScale})`);
  reader.check(limit <= 0 || (maxScale >= 1 && maxScale <= limit), `max-scale = ${maxScale}, must be in [1, max-scale-limit(${limit})] range`);
}

/** Settings from the data of `config-autoscaler`; the error is the webhook's text. */
export function parseAutoscalerConfig(data: ConfigData): AutoscalerConfig | ConfigError {
  const reader = new ConfigReader(data);
  const config = read(reader);
  if (reader.error !== undefined) return { error: `failed to parse data: ${reader.error}` };
  checkTimes(config, reader);
  checkTargets(config, reader);
  checkScales(config, reader);
  return resultOf(reader, config);
}

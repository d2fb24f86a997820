// The file that `eider explain scale --record` writes: a recording, and what its settings were made from.
import { parseDurationMs } from "#core";
import { autoscaling, checkAutoscalingAnnotations, parseAutoscalerConfig } from "#kinds";
import { RECORDING_FORMAT, type Recording } from "./recording.ts";
import { durationOf, resolveSettings, scaleBoundsOf, type Annotations } from "./resolve.ts";
import type { RevisionSettings } from "./settings.ts";

/** What a PodAutoscaler and the configuration say; `config` is the data of config-autoscaler. */
export interface ScaleSource {
  readonly annotations: Annotations;
  readonly containerConcurrency: number;
  readonly config: Annotations;
}

export interface ScaleFile extends Recording {
  readonly source: ScaleSource;
}

/** Settings as a simulation uses them. */
export interface SimulatedSettings {
  readonly revision: RevisionSettings;
  readonly containerConcurrency: number;
  readonly bounds: { readonly min: number; readonly max: number };
  /** From the decision to the first request that a pod takes; undefined: as in the recording. */
  readonly podStartMs: number | undefined;
  readonly podRetentionMs: number;
}

/** Keys that are no annotations. */
const CONTAINER_CONCURRENCY = "container-concurrency";
const POD_START = "pod-start";
const INPUTS = new Set(["told", "load", "wake", "gone", "tick"]);
const RINGS = 4;

/** Annotations of a revision that a simulation can change, without their prefix. */
export const SIMULATED_ANNOTATIONS: readonly string[] = [
  autoscaling.metric,
  autoscaling.target,
  autoscaling.targetUtilizationPercentage,
  autoscaling.minScale,
  autoscaling.maxScale,
  autoscaling.activationScale,
  autoscaling.targetBurstCapacity,
  autoscaling.window,
  autoscaling.panicWindowPercentage,
  autoscaling.panicThresholdPercentage,
  autoscaling.scaleDownDelay,
  autoscaling.scaleToZeroPodRetentionPeriod,
  autoscaling.metricAggregationAlgorithm,
].map((key) => key.slice(autoscaling.prefix.length));

/** Keys of config-autoscaler that have no annotation. */
const SIMULATED_CONFIG: readonly string[] = ["max-scale-up-rate", "max-scale-down-rate"];
export const SIMULATED_KEYS: readonly string[] = [...SIMULATED_ANNOTATIONS, ...SIMULATED_CONFIG, CONTAINER_CONCURRENCY, POD_START];

type Override = readonly [key: string, value: string];

/** The file's settings with some of them changed, or what is wrong with them. */
export function simulatedSettings(source: ScaleSource, overrides: readonly Override[]): SimulatedSettings | { readonly error: string } {
  const annotations: Record<string, string> = { ...source.annotations };
  const data: Record<string, string> = { ...source.config };
  let { containerConcurrency } = source;
  let podStartMs: number | undefined;
  for (const [key, value] of overrides) {
    if (SIMULATED_ANNOTATIONS.includes(key)) annotations[`${autoscaling.prefix}${key}`] = value;
    else if (SIMULATED_CONFIG.includes(key)) data[key] = value;
    else if (key === CONTAINER_CONCURRENCY && /^\d{1,4}$/.test(value)) containerConcurrency = Number(value);
    else if (key === POD_START && (parseDurationMs(value) ?? -1) >= 0) podStartMs = parseDurationMs(value);
    else if (key === "class")
      return { error: "a recording holds requests, not CPU and memory: other classes than kpa.autoscaling.knative.dev cannot be simulated" };
    else if (SIMULATED_KEYS.includes(key)) return { error: `invalid value: ${value}: ${key}` };
    else return { error: `unknown setting "${key}"; there are ${SIMULATED_KEYS.join(", ")}` };
  }
  const config = parseAutoscalerConfig(data);
  if ("error" in config) return { error: config.error };
  const errors = checkAutoscalingAnnotations(annotations, config);
  if (!errors.isEmpty) return { error: errors.render() };
  const resolvable = { annotations, containerConcurrency, reachability: "", config };
  return {
    revision: resolveSettings(resolvable),
    containerConcurrency,
    bounds: scaleBoundsOf(resolvable),
    podStartMs,
    podRetentionMs: durationOf(annotations, autoscaling.scaleToZeroPodRetentionPeriod) ?? config.scaleToZeroPodRetentionPeriodMs,
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): boolean => isRecord(value) && Object.values(value).every((text) => typeof text === "string");

function isTake(take: unknown): boolean {
  if (!isRecord(take) || typeof take["sinceMs"] !== "number" || !isRecord(take["from"]) || !Array.isArray(take["events"])) return false;
  const { settings, windows, decider, owes } = take["from"];
  const rings = isRecord(windows) ? windows["rings"] : undefined;
  const whole = isRecord(settings) && isRecord(settings["decider"]) && isRecord(settings["metric"]) && isRecord(decider) && Array.isArray(owes);
  if (!whole || !Array.isArray(rings) || rings.length !== RINGS || !rings.every((ring) => isRecord(ring) && Array.isArray(ring["sums"]))) return false;
  return take["events"].every(
    (event) => isRecord(event) && typeof event["atMs"] === "number" && isRecord(event["input"]) && INPUTS.has(String(event["input"]["type"])),
  );
}

/** A file as it was written, or why it is none. */
export function parseScaleFile(text: string): ScaleFile | { readonly error: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return { error: `no recording: ${(cause as Error).message}` };
  }
  if (!isRecord(value) || !Array.isArray(value["takes"])) return { error: "no recording: it has no takes" };
  if (value["format"] !== RECORDING_FORMAT) return { error: `a recording of format ${String(value["format"])}; this program reads format ${RECORDING_FORMAT}` };
  const source = value["source"];
  if (!isRecord(source) || !isTexts(source["annotations"]) || !isTexts(source["config"]) || typeof source["containerConcurrency"] !== "number") {
    return { error: "no recording: it does not say what its settings were made from" };
  }
  const bad = value["takes"].findIndex((take) => !isTake(take));
  if (bad >= 0) return { error: `no recording: take ${bad + 1} is not whole` };
  return value["takes"].length === 0 ? { error: "nothing is recorded" } : (value as unknown as ScaleFile);
}

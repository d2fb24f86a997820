// Adapter of the recorded resolve.json: annotations and configuration to settings.
import { resolveSettings, type RevisionSettings } from "#autoscaler";
import { parseAutoscalerConfig, type AutoscalerConfig } from "#kinds";
import { compared, type Checked } from "./autoscaler-compare.ts";

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

/** The settings that the recorded config map stands for. */
export function configOf(data: Readonly<Record<string, string>>): AutoscalerConfig {
  const config = parseAutoscalerConfig(data);
  if ("error" in config) throw new Error(config.error);
  return config;
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

// What the autoscaler remembers of a HorizontalPodAutoscaler between two looks. It can be thrown away: then it decides as if it saw it for the first time.
import type { HorizontalPodAutoscalerSpec } from "#kinds";
import type { LabelRequirements } from "#schema";

export interface Recommendation {
  readonly replicas: number;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

export interface ScaleEvent {
  /** By how many replicas, whichever way. */
  readonly by: number;
  readonly atMs: number;
}

export interface Memory {
  readonly uid: string;
  /** The one that was decided about last. */
  readonly spec: HorizontalPodAutoscalerSpec;
  readonly decidedAtMs: number;
  /** Oldest first, before they were stabilized. */
  readonly recommendations: readonly Recommendation[];
  readonly ups: readonly ScaleEvent[];
  readonly downs: readonly ScaleEvent[];
  /** Of the pods that it scales, once it has seen them. */
  readonly selector?: LabelRequirements;
}

/** The longest window that can be asked for is an hour: older ones count for nobody. */
const KEPT_MS = 3_600_000;
const ENTRIES_MAX = 1_000;

/** With a new entry, without what is too old or too much. */
export function remembering<E extends { readonly atMs: number }>(entries: readonly E[], entry: E): readonly E[] {
  return [...entries.filter(({ atMs }) => atMs >= entry.atMs - KEPT_MS), entry].slice(-ENTRIES_MAX);
}

// From the number that the metrics ask for to the one that is set: windows, rates and bounds, as Kubernetes has them. Pure.
import type { HorizontalPodAutoscalerSpec, HPAScalingRules } from "#kinds";
import type { Memory, Recommendation, ScaleEvent } from "./memory.ts";

export interface Wish {
  readonly spec: HorizontalPodAutoscalerSpec;
  readonly current: number;
  /** What the metrics ask for. */
  readonly recommended: number;
  readonly memory: Pick<Memory, "recommendations" | "ups" | "downs">;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
}

export interface Why {
  readonly reason: string;
  readonly message: string;
}

export interface Limited {
  readonly replicas: number;
  /** Of the condition AbleToScale. */
  readonly able: Why;
  /** Of the condition ScalingLimited, which is true when `isLimited`. */
  readonly limit: Why;
  readonly isLimited: boolean;
}

/** Without rules of its own an autoscaler waits five minutes before it takes pods away. */
const DOWN_WINDOW_S = 300;
/** Without rules of its own it doubles at most, or makes four. */
const UP_LIMIT = { factor: 2, least: 4 } as const;

const READY: Why = { reason: "ReadyForNewScale", message: "recommended size matches current size" };
const UP_STABILIZED: Why = {
  reason: "ScaleUpStabilized",
  message: "recent recommendations were lower than current one, applying the lowest recent recommendation",
};
const DOWN_STABILIZED: Why = {
  reason: "ScaleDownStabilized",
  message: "recent recommendations were higher than current one, applying the highest recent recommendation",
};
const WITHIN: Why = { reason: "DesiredWithinRange", message: "the desired count is within the acceptable range" };
const TOO_MANY: Why = { reason: "TooManyReplicas", message: "the desired replica count is more than the maximum replica count" };
const TOO_FEW: Why = { reason: "TooFewReplicas", message: "the desired replica count is less than the minimum replica count" };
const TOO_FAST_UP: Why = { reason: "ScaleUpLimit", message: "the desired replica count is increasing faster than the maximum scale rate" };
const TOO_FAST_DOWN: Why = { reason: "ScaleDownLimit", message: "the desired replica count is decreasing faster than the maximum scale rate" };

/** Of the recommendations since then. */
function since(recommendations: readonly Recommendation[], counts: (atMs: number) => boolean): readonly number[] {
  return recommendations.filter(({ atMs }) => counts(atMs)).map(({ replicas }) => replicas);
}

/** Up by no more than the lowest, down by no more than the highest of the recommendations within each direction's window. */
function stabilized({ spec, current, recommended, memory, nowMs }: Wish): number {
  const { behavior } = spec;
  const { recommendations } = memory;
  const startOf = (seconds = DOWN_WINDOW_S): number => nowMs - seconds * 1000;
  if (behavior === undefined) return Math.max(recommended, ...since(recommendations, (atMs) => atMs >= startOf()));
  const [up, down] = [startOf(behavior.scaleUp?.stabilizationWindowSeconds ?? 0), startOf(behavior.scaleDown?.stabilizationWindowSeconds)];
  const lowest = Math.min(recommended, ...since(recommendations, (atMs) => atMs > up));
  const highest = Math.max(recommended, ...since(recommendations, (atMs) => atMs > down));
  return Math.min(Math.max(current, lowest), highest);
}

function changeWithin(events: readonly ScaleEvent[], seconds: number, nowMs: number): number {
  return events.filter(({ atMs }) => atMs > nowMs - seconds * 1000).reduce((sum, { by }) => sum + by, 0);
}

/** How far the policies let it go from where each policy's period began. */
function policyLimit({ current, memory, nowMs }: Wish, rules: HPAScalingRules | undefined, direction: 1 | -1): number {
  const { selectPolicy = "Max", policies = [] } = rules ?? {};
  if (selectPolicy === "Disabled") return current;
  const limits = policies.map(({ type, value, periodSeconds }) => {
    const began = current - changeWithin(memory.ups, periodSeconds, nowMs) + changeWithin(memory.downs, periodSeconds, nowMs);
    if (type === "Pods") return began + direction * value;
    const share = began * (1 + (direction * value) / 100);
    // Up: a share of a few would otherwise never be one more.
    return direction === 1 ? Math.ceil(share) : Math.trunc(share);
  });
  const highest = (selectPolicy === "Min") === (direction === -1);
  return highest ? Math.max(...limits) : Math.min(...limits);
}

const within = (replicas: number): Pick<Limited, "replicas" | "limit"> => ({ replicas, limit: WITHIN });

function bounded(wish: Wish, wanted: number): Pick<Limited, "replicas" | "limit"> {
  const { spec, current } = wish;
  const { behavior, maxReplicas, minReplicas = 1 } = spec;
  if (behavior === undefined) {
    if (wanted < minReplicas) return { replicas: minReplicas, limit: TOO_FEW };
    const fastest = Math.max(UP_LIMIT.factor * current, UP_LIMIT.least);
    const most = Math.min(maxReplicas, fastest);
    return wanted > most ? { replicas: most, limit: maxReplicas > fastest ? TOO_FAST_UP : TOO_MANY } : within(wanted);
  }
  if (wanted > current) {
    const fastest = Math.max(current, policyLimit(wish, behavior.scaleUp, 1));
    const most = Math.min(maxReplicas, fastest);
    return wanted > most ? { replicas: most, limit: maxReplicas > fastest ? TOO_FAST_UP : TOO_MANY } : within(wanted);
  }
  if (wanted < current) {
    const fastest = Math.min(current, policyLimit(wish, behavior.scaleDown, -1));
    const least = Math.max(minReplicas, fastest);
    return wanted < least ? { replicas: least, limit: minReplicas < fastest ? TOO_FAST_DOWN : TOO_FEW } : within(wanted);
  }
  return within(wanted);
}

export function limited(wish: Wish): Limited {
  const wanted = stabilized(wish);
  const { replicas, limit } = bounded(wish, wanted);
  const held = wish.spec.behavior !== undefined && wish.recommended >= wish.current ? UP_STABILIZED : DOWN_STABILIZED;
  return { replicas, limit, isLimited: replicas !== wanted, able: wanted === wish.recommended ? READY : held };
}

// HorizontalPodAutoscaler → the scale of its target, and its status. Pure; reasons and texts are Kubernetes'.
import { rfc3339 } from "#core";
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerStatus } from "#kinds";
import type { Patch, Plan, PlanEvent } from "#reconcile";
import { limited, type Why } from "./limits.ts";
import { remembering, type Memory } from "./memory.ts";
import { metricsFor, type MetricsAnswer } from "./metrics.ts";
import { PERIOD_MS, type ObservedHorizontal, type Target } from "./observe.ts";

export interface Remember {
  readonly do: "remember";
  readonly key: string;
  readonly memory: Memory;
}

type Mark = Why & { readonly type: "AbleToScale" | "ScalingActive" | "ScalingLimited"; readonly status: "True" | "False" };

/** What one look comes to. */
interface Decision {
  readonly replicas: number;
  readonly marks: readonly Mark[];
  readonly events: readonly PlanEvent[];
  readonly statuses: MetricsAnswer["statuses"] | null;
  /** Why the number changes; told when it does. */
  readonly reason: string;
  /** Kept to steady later decisions. */
  readonly recommended?: number;
  /** The metrics gave no number: what was wanted before is told on. */
  readonly failed?: true;
}

/** In the order in which they came up; times change with the status alone. */
function conditionsWith(autoscaler: HorizontalPodAutoscaler, marks: readonly Mark[], wallMs: number): HorizontalPodAutoscalerCondition[] {
  const conditions = [...(autoscaler.status?.conditions ?? [])];
  for (const { type, status, reason, message } of marks) {
    const at = conditions.findIndex((condition) => condition.type === type);
    const before = conditions[at];
    const kept = before?.status === status ? before.lastTransitionTime : undefined;
    conditions[at < 0 ? conditions.length : at] = { type, status, lastTransitionTime: kept ?? rfc3339(wallMs), reason, message };
  }
  return conditions;
}

const GOT_SCALE: Mark = {
  type: "AbleToScale",
  status: "True",
  reason: "SucceededGetScale",
  message: "the HPA controller was able to get the target's current scale",
};
const warning = (reason: string, message: string): PlanEvent => ({ type: "Warning", reason, message });

/** The metrics cannot be asked for the pods of this selector. */
function unselectable(target: Target, rivals: readonly string[], autoscaler: HorizontalPodAutoscaler): { mark: Mark; event: PlanEvent } | undefined {
  const mark = (reason: string, message: string): Mark => ({ type: "ScalingActive", status: "False", reason, message });
  if (target.selector === "")
    return { mark: mark("InvalidSelector", "the HPA target's scale is missing a selector"), event: warning("SelectorRequired", "selector is required") };
  if (rivals.length === 0) return undefined;
  const { name, namespace = "" } = autoscaler.metadata;
  const all = [`${namespace}/${name}`, ...rivals].map((key) => `{${key.split("/").toReversed().join(" ")}}`);
  const text = `pods by selector ${target.selector} are controlled by multiple HPAs: [${all.join(" ")}]`;
  return { mark: mark("AmbiguousSelector", text), event: warning("AmbiguousSelector", text) };
}

function decideByMetrics(observed: ObservedHorizontal, target: Target, memory: Memory): Decision {
  const { autoscaler, nowMs, rivals } = observed;
  const { replicas: current, pods, measured } = target;
  const wrong = unselectable(target, rivals, autoscaler);
  if (wrong !== undefined) {
    const events = [wrong.event, warning("FailedComputeMetricsReplicas", wrong.event.message)];
    return { replicas: current, marks: [GOT_SCALE, wrong.mark], events, statuses: null, reason: "", failed: true };
  }
  const { statuses, active, events, recommended } = metricsFor({ autoscaler, current, pods, measured, wallMs: nowMs.wall });
  const scaling: Mark = { type: "ScalingActive", ...active };
  if (recommended === undefined) return { replicas: current, marks: [GOT_SCALE, scaling], events, statuses, reason: "", failed: true };
  const { replicas, able, limit, isLimited } = limited({ spec: autoscaler.spec, current, recommended: recommended.replicas, memory, nowMs: nowMs.monotonic });
  const marks: readonly Mark[] = [
    { type: "AbleToScale", status: "True", ...able },
    scaling,
    { type: "ScalingLimited", status: isLimited ? "True" : "False", ...limit },
  ];
  const reason = recommended.replicas > current ? `${recommended.metric} above target` : recommended.replicas < current ? "All metrics below target" : "";
  return { replicas, marks, events, statuses, reason, recommended: recommended.replicas };
}

/** The bounds come before the metrics, and a target at zero is left alone. */
function decide(observed: ObservedHorizontal, target: Target, memory: Memory): Decision {
  const { maxReplicas, minReplicas = 1 } = observed.autoscaler.spec;
  const { replicas: current } = target;
  const rest = { marks: [GOT_SCALE], events: [], statuses: null };
  if (current === 0 && minReplicas !== 0) {
    const message = "scaling is disabled since the replica count of the target is zero";
    return { ...rest, replicas: 0, marks: [GOT_SCALE, { type: "ScalingActive", status: "False", reason: "ScalingDisabled", message }], reason: "" };
  }
  if (current > maxReplicas) return { ...rest, replicas: maxReplicas, reason: "Current number of replicas above Spec.MaxReplicas" };
  if (current < minReplicas) return { ...rest, replicas: minReplicas, reason: "Current number of replicas below Spec.MinReplicas" };
  return decideByMetrics(observed, target, memory);
}

function memoryAfter(memory: Memory, { target, decision, nowMs }: { target: Target; decision: Decision; nowMs: number }): Memory {
  const { recommended, replicas } = decision;
  const by = replicas - target.replicas;
  const { recommendations, ups, downs } = memory;
  return {
    ...memory,
    ...(target.selector === "" ? {} : { selector: target.requirements }),
    recommendations: recommended === undefined ? recommendations : remembering(recommendations, { replicas: recommended, atMs: nowMs }),
    ups: by > 0 ? remembering(ups, { by, atMs: nowMs }) : ups,
    downs: by < 0 ? remembering(downs, { by: -by, atMs: nowMs }) : downs,
  };
}

function scalePatch({ autoscaler }: ObservedHorizontal, { kind }: Target, replicas: number): Patch {
  const { namespace = "" } = autoscaler.metadata;
  const { name } = autoscaler.spec.scaleTargetRef;
  return { kind, namespace, name, subresource: "scale", type: "application/merge-patch+json", body: { spec: { replicas } } };
}

function statusOf({ autoscaler, nowMs }: ObservedHorizontal, target: Target, decision: Decision): HorizontalPodAutoscalerStatus {
  const { status } = autoscaler;
  const scales = decision.replicas !== target.replicas;
  const lastScaleTime = scales ? rfc3339(nowMs.wall) : status?.lastScaleTime;
  return {
    ...(lastScaleTime === undefined ? {} : { lastScaleTime }),
    currentReplicas: target.replicas,
    desiredReplicas: decision.failed === true ? (status?.desiredReplicas ?? 0) : decision.replicas,
    currentMetrics: decision.statuses as NonNullable<HorizontalPodAutoscalerStatus["currentMetrics"]>,
    conditions: conditionsWith(autoscaler, decision.marks, nowMs.wall),
  };
}

/** With no other spec nothing is decided for fifteen seconds: what it writes itself would ask for the next decision. */
export function planHorizontal(observed: ObservedHorizontal): Plan<Remember> {
  const { autoscaler, nowMs, target } = observed;
  const { name, namespace = "", uid } = autoscaler.metadata;
  if (target === undefined) return { desired: undefined, wakeAtMs: (observed.memory?.decidedAtMs ?? nowMs.monotonic) + PERIOD_MS };
  const key = `${namespace}/${name}`;
  const fresh = { uid, spec: autoscaler.spec, decidedAtMs: nowMs.monotonic };
  const memory: Memory = { recommendations: [], ups: [], downs: [], ...observed.memory, ...fresh };
  const wakeAtMs = nowMs.monotonic + PERIOD_MS;
  if (typeof target === "string") {
    const message = `the HPA controller was unable to get the target's current scale: ${target}`;
    const marks: readonly Mark[] = [{ type: "AbleToScale", status: "False", reason: "FailedGetScale", message }];
    const status = { ...autoscaler.status, conditions: conditionsWith(autoscaler, marks, nowMs.wall) };
    return { desired: undefined, status, events: [warning("FailedGetScale", target)], effects: [{ do: "remember", key, memory }], wakeAtMs };
  }
  // The first number that was there counts like one that was asked for.
  const { recommendations } = memory;
  const begun = recommendations.length > 0 ? memory : { ...memory, recommendations: [{ replicas: target.replicas, atMs: nowMs.monotonic }] };
  const decision = decide(observed, target, begun);
  const { replicas, marks, events, reason } = decision;
  const scales = replicas !== target.replicas;
  const able: Mark = {
    type: "AbleToScale",
    status: "True",
    reason: "SucceededRescale",
    message: `the HPA controller was able to update the target scale to ${replicas}`,
  };
  const told: PlanEvent = { type: "Normal", reason: "SuccessfulRescale", message: `New size: ${replicas}; reason: ${reason}` };
  return {
    desired: undefined,
    patches: scales ? [scalePatch(observed, target, replicas)] : [],
    status: statusOf(observed, target, { ...decision, marks: scales ? [...marks, able] : marks }),
    events: scales ? [...events, told] : events,
    effects: [{ do: "remember", key, memory: memoryAfter(begun, { target, decision, nowMs: nowMs.monotonic }) }],
    wakeAtMs,
  };
}

// PodAutoscaler → scale of its Deployment, ServerlessService and Metric (serving.md 3.6).
//
// Order: ServerlessService there? → decider (observed) → Metric → scale → mode and activators → conditions and status.
import { Deployment, podAutoscalerConditions as set, ServerlessService } from "#kinds";
import type { Child, Patch, Plan, Refusal } from "#reconcile";
import { conditionOf, type Condition } from "#schema";
import { notOwnedMessage } from "../ownership.ts";
import { beginConditions } from "../status.ts";
import { markScale, modeFor, numActivatorsFor } from "./active.ts";
import { metricFor, serverlessServiceFor } from "./children.ts";
import type { ObservedPodAutoscaler } from "./observed.ts";
import type { Scaled } from "./scale.ts";
import { boundsOf, scaleOf } from "./scale-step.ts";

/** Activators of a revision that nobody has decided about. */
const ACTIVATORS_AT_FIRST = 2;

interface Counts {
  readonly actualScale?: number;
  readonly desiredScale?: number;
  readonly serviceName?: string;
  readonly metricsServiceName?: string;
}

function statusOf({ autoscaler }: ObservedPodAutoscaler, marks: readonly Condition[], counts: Counts): object {
  const { conditions: _conditions, observedGeneration: _generation, ...other } = autoscaler.status ?? {};
  return {
    metricsServiceName: "",
    serviceName: "",
    ...other,
    ...counts,
    observedGeneration: autoscaler.metadata.generation,
    conditions: set.sorted(marks),
  };
}

/** -1 never replaces a known count. */
function desiredScaleOf({ autoscaler }: ObservedPodAutoscaler, want: number): number {
  const known = autoscaler.status?.desiredScale ?? -1;
  return want < 0 && known >= 0 ? known : want;
}

function scalePatch({ autoscaler }: ObservedPodAutoscaler, replicas: number): Patch {
  return {
    kind: Deployment,
    namespace: autoscaler.metadata.namespace ?? "",
    name: autoscaler.spec.scaleTargetRef.name ?? "",
    subresource: "scale",
    type: "application/json-patch+json",
    body: [{ op: "add", path: "/spec/replicas", value: replicas }],
  };
}

function markServerlessService(marks: Condition[], { serverlessService }: ObservedPodAutoscaler): Condition[] {
  const ready = conditionOf(serverlessService?.status?.conditions, "Ready");
  if (ready?.status === "True") return set.markTrue(marks, "SKSReady");
  return set.markUnknown(marks, "SKSReady", { reason: "NotReady", message: ready?.message ?? "" });
}

/** Says which child the server refused to create. */
function afterRefusal(observed: ObservedPodAutoscaler, begun: Condition[]): NonNullable<Plan["afterRefusal"]> {
  return ([refusal]: readonly Refusal[]) => {
    const { kind, object } = refusal?.child ?? {};
    const message = `Failed to create ${kind?.kind ?? ""} "${object?.metadata.name ?? ""}".`;
    return {
      status: statusOf(observed, set.markFalse(begun, "Active", { reason: "FailedCreate", message }), {}),
      events: [{ type: "Warning", reason: "InternalError", message: refusal?.error.message ?? "" }],
    };
  };
}

/** A child of the name belongs to somebody else. */
function planForeign(observed: ObservedPodAutoscaler, begun: Condition[], kind: "ServerlessService" | "Metric"): Pick<Plan, "status" | "failure"> {
  const { name } = observed.autoscaler.metadata;
  const what = kind === "Metric" ? kind : "SKS";
  const marks = set.markFalse(begun, "Active", { reason: "NotOwned", message: notOwnedMessage(kind, name) });
  return { status: statusOf(observed, marks, {}), failure: `error reconciling ${what}: PA: ${name} does not own ${what}: ${name}` };
}

/** No private Service yet: nothing can be measured; everything goes through the activator. */
function planWithoutBackends(observed: ObservedPodAutoscaler, begun: Condition[]): Plan {
  if (observed.foreign.serverlessService) return { desired: [], ...planForeign(observed, begun, "ServerlessService") };
  const marks = set.markUnknown(begun, "SKSReady", { reason: "NotReady", message: "No Private Service Name" });
  const scaled = markScale(marks, { want: -1, ready: 0, ...boundsOf(observed), serviceName: observed.autoscaler.status?.serviceName ?? "" });
  return {
    desired: observed.leftover ? undefined : [serverlessServiceFor(observed.autoscaler, "Proxy", ACTIVATORS_AT_FIRST)],
    status: statusOf(observed, scaled, { actualScale: 0, desiredScale: desiredScaleOf(observed, -1) }),
    afterRefusal: afterRefusal(observed, begun),
  };
}

/** When the key is due again after a scale step. */
function wakeAt({ nowMs }: ObservedPodAutoscaler, { requeueMs, retry }: Scaled): { readonly wakeAtMs?: number } {
  const delayMs = retry?.periodMs ?? requeueMs;
  return delayMs === undefined ? {} : { wakeAtMs: nowMs.monotonic + delayMs };
}

/** The Deployment is gone: children stay as they are, and the pass fails. */
function planWithoutDeployment(observed: ObservedPodAutoscaler, begun: Condition[], metric: Child): Plan {
  const { namespace = "" } = observed.autoscaler.metadata;
  const { apiVersion, kind, name } = observed.autoscaler.spec.scaleTargetRef;
  const untouched =
    observed.serverlessService === undefined
      ? []
      : [{ kind: ServerlessService, object: observed.serverlessService, merge: () => undefined } as unknown as Child];
  const why = `error fetching Pod Scalable ${namespace}/${name}: deployments.apps "${name}" not found`;
  return {
    desired: [...untouched, metric],
    status: statusOf(observed, begun, {}),
    failure: `error scaling target: failed to get scale target {${kind}  ${name}  ${apiVersion}  }: ${why}`,
  };
}

export function planPodAutoscaler(observed: ObservedPodAutoscaler): Plan {
  const { autoscaler, resolved, serverlessService, decider, pods } = observed;
  if (autoscaler.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun = beginConditions(set, autoscaler);
  const privateName = serverlessService?.status?.privateServiceName ?? "";
  if (decider === undefined || privateName === "") return planWithoutBackends(observed, begun);
  const metric = metricFor(autoscaler, resolved.metric, privateName);
  if (observed.foreign.metric) return { desired: undefined, ...planForeign(observed, begun, "Metric") };

  const scaled = scaleOf(observed);
  if (scaled.deploymentMissing) return planWithoutDeployment(observed, begun, metric);
  const scaling = { ...(scaled.patch === undefined ? {} : { patches: [scalePatch(observed, scaled.patch)] }), ...wakeAt(observed, scaled) };
  if (observed.foreign.serverlessService) return { desired: [metric], ...scaling, ...planForeign(observed, begun, "ServerlessService") };

  const inactive = conditionOf(begun, "Active")?.status === "False";
  const mode = modeFor(scaled.want, decider.excessBurstCapacity, inactive);
  const serviceName = serverlessService?.status?.serviceName ?? "";
  const marks = markScale(markServerlessService(begun, observed), { want: scaled.want, ready: pods.ready, ...boundsOf(observed), serviceName });
  return {
    desired: [serverlessServiceFor(autoscaler, mode, numActivatorsFor(pods.ready, resolved.decider)), metric],
    ...scaling,
    status: statusOf(observed, marks, {
      actualScale: pods.ready,
      desiredScale: desiredScaleOf(observed, scaled.want),
      serviceName,
      metricsServiceName: privateName,
    }),
    afterRefusal: afterRefusal(observed, begun),
  };
}

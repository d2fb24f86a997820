// HPA-class PodAutoscaler → HorizontalPodAutoscaler, ServerlessService in Serve mode, status. Always active, never at zero.
import { initialScaleOf, scaleBoundsOf } from "#autoscaler";
import { podAutoscalerConditions as set } from "#kinds";
import type { Plan, Refusal } from "#reconcile";
import { conditionOf, type Condition } from "#schema";
import { isControlledBy, notOwnedMessage } from "../../ownership.ts";
import { beginConditions } from "../../status.ts";
import { minReadyOf } from "../active.ts";
import { serverlessServiceFor } from "../children.ts";
import { horizontalFor } from "./horizontal.ts";
import type { ObservedHpaClass } from "./observe.ts";

/** As many as there are. */
const ALL_ACTIVATORS = 0;

function statusOf({ autoscaler }: ObservedHpaClass, marks: readonly Condition[], told: object): object {
  const { conditions: _conditions, observedGeneration: _generation, ...other } = autoscaler.status ?? {};
  return {
    metricsServiceName: "",
    serviceName: "",
    ...other,
    ...told,
    observedGeneration: autoscaler.metadata.generation,
    conditions: set.sorted(marks),
  };
}

function inactive(observed: ObservedHpaClass, begun: Condition[], why: { readonly reason: string; readonly message: string }): object {
  return statusOf(observed, set.markFalse(begun, "Active", why), {});
}

/** How many replicas are enough for the first time. */
function enoughOf({ autoscaler, config }: ObservedHpaClass): number {
  const { annotations = {} } = autoscaler.metadata;
  const { min } = scaleBoundsOf({ annotations, config, reachability: autoscaler.spec.reachability ?? "" });
  return minReadyOf(false, { min, initialScale: initialScaleOf(annotations, config) });
}

function marksOf(observed: ObservedHpaClass, begun: Condition[]): Condition[] {
  const { serverlessService, horizontal } = observed;
  const active = set.markTrue(begun, "Active");
  if (conditionOf(serverlessService?.status?.conditions, "Ready")?.status !== "True") {
    return set.markUnknown(active, "SKSReady", { reason: "NotReady", message: "SKS Services are not ready yet" });
  }
  const ready = set.markTrue(active, "SKSReady");
  const initialized = conditionOf(begun, "ScaleTargetInitialized")?.status === "True";
  const enough = (horizontal?.status?.currentReplicas ?? 0) >= enoughOf(observed);
  return enough && !initialized ? set.markTrue(ready, "ScaleTargetInitialized") : ready;
}

export function planHpaClass(observed: ObservedHpaClass): Plan {
  const { autoscaler, config, horizontal, leftover, serverlessService } = observed;
  const { name, deletionTimestamp } = autoscaler.metadata;
  if (deletionTimestamp !== undefined || leftover) return { desired: undefined };
  const begun = beginConditions(set, autoscaler);
  if (horizontal !== undefined && !isControlledBy(horizontal, autoscaler)) {
    const why = { reason: "NotOwned", message: notOwnedMessage("HorizontalPodAutoscaler", name) };
    return { desired: undefined, status: inactive(observed, begun, why), failure: `PodAutoscaler: "${name}" does not own HPA: "${name}"` };
  }
  const wanted = horizontalFor(autoscaler, config);
  if (serverlessService !== undefined && !isControlledBy(serverlessService, autoscaler)) {
    const why = { reason: "NotOwned", message: notOwnedMessage("ServerlessService", name) };
    return { desired: [wanted], status: inactive(observed, begun, why), failure: `error reconciling SKS: PA: ${name} does not own SKS: ${name}` };
  }
  return {
    desired: [wanted, serverlessServiceFor(autoscaler, "Serve", ALL_ACTIVATORS)],
    status: statusOf(observed, marksOf(observed, begun), {
      metricsServiceName: serverlessService?.status?.privateServiceName ?? "",
      serviceName: serverlessService?.status?.serviceName ?? "",
      desiredScale: horizontal?.status?.desiredReplicas ?? 0,
      actualScale: horizontal?.status?.currentReplicas ?? 0,
    }),
    afterRefusal: ([refusal]: readonly Refusal[]) => {
      const { kind, object } = refusal?.child ?? {};
      const message = `Failed to create ${kind?.kind ?? ""} "${object?.metadata.name ?? ""}".`;
      return {
        status: inactive(observed, begun, { reason: "FailedCreate", message }),
        events: [{ type: "Warning", reason: "InternalError", message: refusal?.error.message ?? "" }],
      };
    },
  };
}

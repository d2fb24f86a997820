// PodAutoscaler (autoscaling.internal.knative.dev/v1alpha1): what shall be scaled, and how far it is.
import { conditionSet, defineKind, s, type ObjectOf } from "#schema";
import { READY, SCALE } from "../serving/columns.ts";
import { duckStatus } from "../duck/status.ts";
import { autoscalingGroup } from "../serving/group.ts";

const reference = s.object({ apiVersion: s.optional(s.string()), kind: s.optional(s.string()), name: s.optional(s.string()) });

/** `reachability` is "", `Reachable` or `Unreachable`; admission does not check it. */
export const PodAutoscaler = defineKind({
  ...autoscalingGroup,
  kind: "PodAutoscaler",
  plural: "podautoscalers",
  shortNames: ["kpa", "pa"],
  columns: [...SCALE, ...READY],
  spec: s.object({
    containerConcurrency: s.optional(s.int64()),
    protocolType: s.string(),
    reachability: s.optional(s.string()),
    scaleTargetRef: s.filled(s.node<{ apiVersion?: string; kind?: string; name?: string }>({ ...reference, "x-kubernetes-map-type": "atomic" })),
  }),
  status: s.object({
    ...duckStatus,
    actualScale: s.optional(s.int32()),
    desiredScale: s.optional(s.int32()),
    metricsServiceName: s.optional(s.string()),
    serviceName: s.optional(s.string()),
  }),
});
export type PodAutoscaler = ObjectOf<typeof PodAutoscaler>;

export const podAutoscalerConditions = conditionSet({ happy: "Ready", dependents: ["Active", "ScaleTargetInitialized", "SKSReady"] });

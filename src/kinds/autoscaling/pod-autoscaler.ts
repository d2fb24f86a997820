// PodAutoscaler (autoscaling.internal.knative.dev/v1alpha1): what shall be scaled, and how far it is.
import type { KubeObject } from "#schema";
import type { DuckStatus } from "../serving/duck.ts";
import { READY, SCALE } from "../serving/columns.ts";
import { autoscalingKind } from "../serving/knative-kind.ts";

export interface PodAutoscaler extends KubeObject {
  spec: {
    containerConcurrency?: number;
    scaleTargetRef: { apiVersion?: string; kind?: string; name?: string };
    reachability?: "" | "Reachable" | "Unreachable";
    protocolType: "http1" | "h2c";
  };
  status?: DuckStatus & { serviceName?: string; metricsServiceName?: string; desiredScale?: number; actualScale?: number };
}

export const PodAutoscaler = autoscalingKind<PodAutoscaler>({
  kind: "PodAutoscaler",
  plural: "podautoscalers",
  shortNames: ["kpa", "pa"],
  columns: [...SCALE, ...READY],
  schema: { type: "object" },
});

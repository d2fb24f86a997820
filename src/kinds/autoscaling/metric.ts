// Metric (autoscaling.internal.knative.dev/v1alpha1): what the collector gathers for a PodAutoscaler.
import type { KubeObject } from "#schema";
import type { DuckStatus } from "../serving/duck.ts";
import { READY } from "../serving/columns.ts";
import { autoscalingKind } from "../serving/knative-kind.ts";

export interface Metric extends KubeObject {
  /** Windows are integer nanoseconds; `scrapeTarget` "" switches scraping off. */
  spec: { stableWindow: number; panicWindow: number; scrapeTarget: string };
  status?: DuckStatus;
}

export const Metric = autoscalingKind<Metric>({
  kind: "Metric",
  plural: "metrics",
  columns: READY,
  schema: { type: "object" },
});

// Metric (autoscaling.internal.knative.dev/v1alpha1): what the collector gathers for a PodAutoscaler.
import { conditionSet, defineKind, s, type ObjectOf } from "#schema";
import { READY } from "../serving/columns.ts";
import { duckStatus } from "../duck/status.ts";
import { autoscalingGroup } from "../serving/group.ts";

/** Windows are integer nanoseconds; `scrapeTarget` "" switches scraping off. */
export const Metric = defineKind({
  ...autoscalingGroup,
  kind: "Metric",
  plural: "metrics",
  columns: READY,
  spec: s.object({ panicWindow: s.filled(s.int64()), scrapeTarget: s.string(), stableWindow: s.filled(s.int64()) }),
  status: s.object(duckStatus),
});
export type Metric = ObjectOf<typeof Metric>;

export const metricConditions = conditionSet({ happy: "Ready", dependents: [] });

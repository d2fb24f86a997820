// The controller of Metrics: the autoscaler gathers what a Metric asks for, so it is ready as soon as it is seen.
import { Metric, metricConditions as set } from "#kinds";
import type { Controller, Plan } from "#reconcile";
import { beginConditions } from "../status.ts";

export interface ObservedMetric {
  readonly metric: Metric;
}

/** Loads come from the gateways and need no scraping: there is no way to fail. */
export function planMetric({ metric }: ObservedMetric): Plan {
  if (metric.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const conditions = set.sorted(set.markTrue(beginConditions(set, metric), "Ready"));
  return { desired: undefined, status: { ...metric.status, observedGeneration: metric.metadata.generation, conditions } };
}

/** Says that metrics are collected. */
export function metricController(): Controller<Metric, ObservedMetric> {
  return {
    name: "metric-controller",
    primary: Metric,
    owns: [],
    observe: async (key, world) => {
      const metric = await world.client.find(Metric, key.namespace, key.name);
      return metric === undefined ? undefined : { metric };
    },
    plan: planMetric,
    primaryOf: ({ metric }) => metric,
  };
}

// What a PodAutoscaler owns: its ServerlessService and its Metric.
import type { MetricSettings } from "#autoscaler";
import { autoscaling, Metric, ServerlessService, type PodAutoscaler } from "#kinds";
import type { Child } from "#reconcile";
import { apiVersionOf, type Draft, type DraftMeta } from "#schema";

const NS_PER_MS = 1_000_000;

function metadataFor(autoscaler: PodAutoscaler, drop?: string): DraftMeta {
  const { name, namespace = "", labels, annotations = {} } = autoscaler.metadata;
  const kept = Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== drop));
  return { name, namespace, ...(labels === undefined ? {} : { labels }), annotations: kept };
}

/** An existing ServerlessService keeps its metadata; only what the controller decides is written. */
export function serverlessServiceFor(autoscaler: PodAutoscaler, mode: "Serve" | "Proxy", numActivators: number): Child {
  const { scaleTargetRef, protocolType } = autoscaler.spec;
  const object: Draft<ServerlessService> = {
    apiVersion: apiVersionOf(ServerlessService),
    kind: ServerlessService.kind,
    metadata: metadataFor(autoscaler, autoscaling.metric),
    spec: { mode, objectRef: scaleTargetRef, protocolType, numActivators },
  };
  const child: Child<ServerlessService> = { kind: ServerlessService, object, merge: (current, wanted) => ({ ...current, spec: wanted.spec }) };
  return child as unknown as Child;
}

/** `scrapeTarget` "" where nothing is scraped (target burst capacity -1). */
export function metricFor(autoscaler: PodAutoscaler, settings: MetricSettings, privateServiceName: string): Child {
  const object: Draft<Metric> = {
    apiVersion: apiVersionOf(Metric),
    kind: Metric.kind,
    metadata: metadataFor(autoscaler),
    spec: {
      stableWindow: settings.stableWindowMs * NS_PER_MS,
      panicWindow: settings.panicWindowMs * NS_PER_MS,
      scrapeTarget: settings.scraped ? privateServiceName : "",
    },
  };
  const child: Child<Metric> = { kind: Metric, object, merge: (current, wanted) => ({ ...current, spec: wanted.spec }) };
  return child as unknown as Child;
}

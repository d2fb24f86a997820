// The HorizontalPodAutoscaler of a revision, from the annotations of its PodAutoscaler (serving.md 3.10).
import { durationOf, numberOf, scaleBoundsOf } from "#autoscaler";
import { annotationOf, autoscaling, HorizontalPodAutoscaler, type AutoscalerConfig, type MetricSpec, type PodAutoscaler } from "#kinds";
import type { Child } from "#reconcile";
import { apiVersionOf, formatQuantity, type Draft } from "#schema";

/** Where a revision has no upper bound. */
const MAX_REPLICAS = 0x7fff_ffff;
const NANO = 1_000_000_000n;
const MIB = 1n << 20n;

/** Without a target there are no metrics, and Kubernetes' default holds. */
function metricFor(name: string, target: number): MetricSpec {
  if (name === "cpu") return { type: "Resource", resource: { name, target: { type: "Utilization", averageUtilization: Math.ceil(target) } } };
  const whole = BigInt(Math.trunc(target));
  if (name === "memory") {
    const averageValue = formatQuantity({ nano: whole * MIB * NANO, format: "BinarySI" });
    return { type: "Resource", resource: { name, target: { type: "AverageValue", averageValue } } };
  }
  const averageValue = formatQuantity({ nano: whole * NANO, format: "DecimalSI" });
  return { type: "Pods", pods: { metric: { name }, target: { type: "AverageValue", averageValue } } };
}

export function horizontalFor(autoscaler: PodAutoscaler, config: AutoscalerConfig): Child {
  const { name, namespace = "", labels, annotations = {} } = autoscaler.metadata;
  const { apiVersion, kind = "", name: target = "" } = autoscaler.spec.scaleTargetRef;
  const { min, max } = scaleBoundsOf({ annotations, config, reachability: autoscaler.spec.reachability ?? "" });
  const value = numberOf(annotations, autoscaling.target);
  const windowMs = durationOf(annotations, autoscaling.window);
  const rules = windowMs === undefined ? undefined : { stabilizationWindowSeconds: Math.trunc(windowMs / 1_000) };
  const object: Draft<HorizontalPodAutoscaler> = {
    apiVersion: apiVersionOf(HorizontalPodAutoscaler),
    kind: HorizontalPodAutoscaler.kind,
    metadata: { name, namespace, ...(labels === undefined ? {} : { labels }), annotations },
    spec: {
      scaleTargetRef: { kind, name: target, ...(apiVersion === undefined ? {} : { apiVersion }) },
      ...(min > 0 ? { minReplicas: min } : {}),
      maxReplicas: max === 0 ? MAX_REPLICAS : max,
      ...(value === undefined ? {} : { metrics: [metricFor(annotationOf(annotations, autoscaling.metric) ?? "cpu", value)] }),
      ...(rules === undefined ? {} : { behavior: { scaleDown: rules, scaleUp: rules } }),
    },
  };
  const child: Child<HorizontalPodAutoscaler> = { kind: HorizontalPodAutoscaler, object };
  return child as unknown as Child;
}

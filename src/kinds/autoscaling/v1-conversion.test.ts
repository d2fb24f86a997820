// The two versions of HorizontalPodAutoscalers: what v1 shows, what it writes, and that nothing is lost on the way.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { HorizontalPodAutoscalerV1, autoscalerV1Stored } from "./horizontal-pod-autoscaler-v1.ts";
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec, MetricStatus } from "./v2.types.ts";
import type { HorizontalPodAutoscaler as V1Object } from "./v1.types.ts";
import { autoscalerFromV1, autoscalerToV1 } from "./v1-conversion.ts";

const metadata = { name: "web", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z", annotations: { mine: "yes" } };
const scaleTargetRef = { kind: "Deployment", name: "web", apiVersion: "apps/v1" };
const cpu: MetricSpec = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } };
const others: readonly MetricSpec[] = [
  { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "60Mi" } } },
  { type: "Resource", resource: { name: "cpu", target: { type: "AverageValue", averageValue: "200m" } } },
  { type: "ContainerResource", containerResource: { name: "cpu", container: "main", target: { type: "Utilization", averageUtilization: 50 } } },
  { type: "Pods", pods: { metric: { name: "queue", selector: { matchLabels: { a: "b" } } }, target: { type: "AverageValue", averageValue: "7" } } },
  { type: "External", external: { metric: { name: "rows" }, target: { type: "Value", value: "30" } } },
  { type: "External", external: { metric: { name: "rows" }, target: { type: "AverageValue", averageValue: "30" } } },
  { type: "Object", object: { describedObject: { kind: "Service", name: "s" }, metric: { name: "hits" }, target: { type: "Value", value: "9" } } },
];
const currents: readonly MetricStatus[] = [
  { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 90, averageValue: "90m" } } },
  { type: "Pods", pods: { metric: { name: "queue" }, current: { averageValue: "3" } } },
  { type: "" },
];
const rules = { stabilizationWindowSeconds: 0, selectPolicy: "Max", policies: [{ type: "Pods", value: 4, periodSeconds: 15 }] };
const conditions = [
  {
    type: "AbleToScale",
    status: "True",
    lastTransitionTime: "2026-01-01T00:00:00Z",
    reason: "ReadyForNewScale",
    message: "recommended size matches current size",
  },
];

function v2(spec: Partial<HorizontalPodAutoscalerSpec> = {}, status: object = {}): HorizontalPodAutoscaler {
  return {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v2",
    metadata,
    spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 5, metrics: [cpu], ...spec },
    status: { currentReplicas: 0, desiredReplicas: 0, currentMetrics: null, ...status },
  } as unknown as HorizontalPodAutoscaler;
}

test("in v1 a share of CPU is a field, and all else stands in annotations", () => {
  const shown = autoscalerToV1(
    v2(
      { metrics: [cpu, others[0] as MetricSpec], behavior: { scaleUp: rules } },
      { currentMetrics: currents.slice(0, 1), conditions, currentReplicas: 2, desiredReplicas: 3 },
    ),
  );
  deepEqual(shown.spec, { scaleTargetRef, minReplicas: 1, maxReplicas: 5, targetCPUUtilizationPercentage: 70 });
  deepEqual(shown.status, { currentReplicas: 2, desiredReplicas: 3, currentCPUUtilizationPercentage: 90 });
  deepEqual(shown.metadata.annotations, {
    mine: "yes",
    "autoscaling.alpha.kubernetes.io/metrics": '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"60Mi"}}]',
    "autoscaling.alpha.kubernetes.io/current-metrics":
      '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":90,"currentAverageValue":"90m"}}]',
    "autoscaling.alpha.kubernetes.io/behavior":
      '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}]}}',
    "autoscaling.alpha.kubernetes.io/conditions": JSON.stringify(conditions),
  });
});

const whole: readonly { readonly name: string; readonly given: HorizontalPodAutoscaler }[] = [
  { name: "a share of CPU", given: v2() },
  { name: "every type of metric", given: v2({ metrics: [...others, cpu] }) },
  { name: "no share of CPU", given: v2({ metrics: [...others] }) },
  { name: "rules", given: v2({ behavior: { scaleUp: rules, scaleDown: { selectPolicy: "Disabled" } } }) },
  { name: "what was measured, and conditions", given: v2({}, { currentMetrics: currents, conditions, lastScaleTime: "2026-01-01T00:00:00Z" }) },
];
for (const { name, given } of whole) test(`to v1 and back nothing is lost: ${name}`, () => deepEqual(autoscalerFromV1(autoscalerToV1(given)), given));

test("what kubectl autoscale writes is stored with v2's defaults, annotations that nobody can read are passed over", () => {
  const sent = {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v1",
    metadata: { ...metadata, annotations: { "autoscaling.alpha.kubernetes.io/metrics": "{" } },
    spec: { scaleTargetRef, maxReplicas: 3 },
  };
  const stored = JSON.parse(autoscalerV1Stored.write(JSON.stringify(sent))) as HorizontalPodAutoscaler;
  deepEqual(stored.spec.metrics, [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } }]);
  deepEqual([stored.apiVersion, stored.spec.minReplicas, stored.metadata.annotations], ["autoscaling/v2", 1, undefined]);
});

test("errors and tables are those of v2", () => {
  const wrong = { ...autoscalerToV1(v2()), spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 0, targetCPUUtilizationPercentage: -1 } } as V1Object;
  deepEqual(
    HorizontalPodAutoscalerV1.validate?.(wrong, undefined, "")?.map(({ field }) => field),
    ["spec.maxReplicas", "spec.maxReplicas", "spec.metrics[0].resource.target.averageUtilization"],
  );
  const shown = autoscalerToV1(v2({}, { currentMetrics: currents.slice(0, 1), currentReplicas: 2 }));
  equal(
    HorizontalPodAutoscalerV1.columns
      .map(({ cell }) => cell?.(shown as never, 0))
      .slice(0, 5)
      .join(" | "),
    "Deployment/web | cpu: 90%/70% | 1 | 5 | 2",
  );
});

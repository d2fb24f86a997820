// HorizontalPodAutoscalers: defaults, what is refused in which words, and what their table shows.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { HorizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";
import type { HorizontalPodAutoscalerSpec, MetricSpec } from "./v2.types.ts";

const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const cpu: MetricSpec = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } };

function autoscaler(spec: Partial<HorizontalPodAutoscalerSpec>): HorizontalPodAutoscaler {
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "web" },
    spec: { scaleTargetRef, maxReplicas: 3, ...spec },
  } as HorizontalPodAutoscaler;
}

const errorsOf = (spec: Partial<HorizontalPodAutoscalerSpec>): string[] =>
  (HorizontalPodAutoscaler.validate?.(autoscaler(spec), undefined) ?? []).map(({ field, message }) => `${field}: ${message}`);

const rows: readonly { readonly name: string; readonly given: Partial<HorizontalPodAutoscalerSpec>; readonly want: readonly string[] }[] = [
  { name: "bounds and a metric", given: { minReplicas: 1, metrics: [cpu] }, want: [] },
  {
    name: "bounds that leave nothing",
    given: { minReplicas: 2, maxReplicas: 0 },
    want: ["spec.maxReplicas: Invalid value: 0: must be greater than 0", "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`"],
  },
  {
    name: "zero without a metric that is there at zero",
    given: { minReplicas: 0, metrics: [cpu] },
    want: [
      "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
      "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas",
    ],
  },
  {
    name: "a target of the core group",
    given: { scaleTargetRef: { apiVersion: "v1", kind: "Pod", name: "a/b" } },
    want: [
      "spec.scaleTargetRef.name: Invalid value: \"a/b\": may not contain '/'",
      'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group',
    ],
  },
  {
    name: "a resource without a target, and a source that is not the type's",
    given: { metrics: [{ type: "Pods", resource: { name: "cpu", target: { type: "Utilization" } } }] },
    want: [
      "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization",
      "spec.metrics[0].pods: Required value: must populate information for the given metric source",
    ],
  },
  {
    name: "rules out of their range",
    given: { behavior: { scaleUp: { stabilizationWindowSeconds: 3_601, selectPolicy: "Most", policies: [{ type: "Pods", value: 0, periodSeconds: 1_801 }] } } },
    want: [
      "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
      'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Most": supported values: "Disabled", "Max", "Min"',
      "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
      "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800",
    ],
  },
];
for (const { name, given, want } of rows) test(`HorizontalPodAutoscaler: ${name}`, () => deepEqual(errorsOf(given), want));

test("defaults: one pod at least, 80 % of the CPU; rules only where behaviour is told", () => {
  const plain = HorizontalPodAutoscaler.defaultObject?.(autoscaler({})).spec;
  equal(plain?.minReplicas, 1);
  deepEqual(plain?.metrics, [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } }]);
  equal(plain?.behavior, undefined);
  const told = HorizontalPodAutoscaler.defaultObject?.(autoscaler({ behavior: { scaleDown: { stabilizationWindowSeconds: 6 } } })).spec.behavior;
  deepEqual(told?.scaleDown, { stabilizationWindowSeconds: 6, selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] });
  equal(told?.scaleUp?.policies?.length, 2);
});

test("the table shows what is measured and what it should be", () => {
  const targets = (status: object): unknown =>
    HorizontalPodAutoscaler.columns.find(({ name }) => name === "Targets")?.cell?.({ ...autoscaler({ metrics: [cpu] }), status } as never, 0);
  equal(targets({}), "cpu: <unknown>/50%");
  equal(targets({ currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: 12 } } }] }), "cpu: 12%/50%");
});

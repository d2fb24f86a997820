// How a HorizontalPodAutoscaler is explained.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import type { HorizontalPodAutoscaler } from "#kinds";
import { horizontalText } from "./horizontal-text.ts";

const NOW = Date.UTC(2026, 0, 1, 0, 1);
const revision = { name: "hello-00001", namespace: "default" };

function autoscaler(metrics: object[], status: object | undefined, bounds: object = { minReplicas: 1, maxReplicas: 5 }): HorizontalPodAutoscaler {
  const spec = { scaleTargetRef: { kind: "Deployment", name: "hello-00001-deployment" }, ...bounds, metrics };
  return { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata: { name: "hello-00001" }, spec, status } as HorizontalPodAutoscaler;
}

const cpu = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } };
const memory = { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "60Mi" } } };
const HEAD = "Revision:   hello-00001\nNamespace:  default\n\n";
const WHOSE = "HorizontalPodAutoscaler hello-00001 scales it by what its pods use, never to zero, and looks every 15s.\n";

const table: readonly { readonly name: string; readonly given: HorizontalPodAutoscaler | undefined; readonly want: string }[] = [
  { name: "not made yet", given: undefined, want: "A HorizontalPodAutoscaler is to scale it, and has not been made yet.\n" },
  {
    name: "has not looked yet",
    given: autoscaler([cpu], undefined, { maxReplicas: 2_147_483_647 }),
    want: `${WHOSE}It has decided nothing yet; the bounds are between 1 and any number.\n\nMetrics:\n  cpu:        not known; wanted 80 % of what the pods request\n`,
  },
  {
    name: "scales",
    given: autoscaler([cpu, memory], {
      currentReplicas: 1,
      desiredReplicas: 2,
      lastScaleTime: "2026-01-01T00:00:30Z",
      currentMetrics: [
        { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 150, averageValue: "75m" } } },
        { type: "Resource", resource: { name: "memory", current: { averageValue: "24Mi" } } },
      ],
      conditions: [
        { type: "ScalingLimited", status: "True", reason: "TooManyReplicas", message: "the desired replica count is more than the maximum replica count" },
      ],
    }),
    want: `${WHOSE}It saw 1 pod and wants 2 pods, between 1 and 5; the number was changed 30s ago.

Metrics:
  cpu:        150 % of what the pods request (75m a pod); wanted 80 % of what the pods request
  memory:     24Mi a pod; wanted 60Mi a pod

Conditions:
  ScalingLimited: True  TooManyReplicas: the desired replica count is more than the maximum replica count
`,
  },
];
for (const { name, given, want } of table)
  test(`a HorizontalPodAutoscaler that ${name} is explained`, () => equal(horizontalText(revision, given, NOW), HEAD + want));

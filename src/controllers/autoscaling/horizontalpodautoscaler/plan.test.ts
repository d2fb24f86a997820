// What a HorizontalPodAutoscaler does and tells: the scale, the status, the events, and when it looks again.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { Deployment, type HorizontalPodAutoscaler, type MetricSpec, type Pod, type PodMetrics } from "#kinds";
import type { Kind } from "#schema";
import { CPU_80, horizontal, pod, usage, WALL } from "./fixture.test-suite.ts";
import type { Memory } from "./memory.ts";
import type { ObservedHorizontal, Target } from "./observe.ts";
import { planHorizontal } from "./plan.ts";

const NOW = { monotonic: 100_000, wall: WALL };
const requirements: Target["requirements"] = [{ key: "app", operator: "In", values: ["web"] }];

interface Given {
  readonly spec?: Parameters<typeof horizontal>[0];
  readonly status?: object;
  readonly target?: string | Partial<Target>;
  readonly memory?: Partial<Memory>;
  readonly rivals?: readonly string[];
}

function observed({ spec, status, target = {}, memory, rivals = [] }: Given): ObservedHorizontal {
  const autoscaler = horizontal(spec, status);
  const whole: Target = { kind: Deployment as unknown as Kind, replicas: 2, selector: "app=web", requirements, pods: [], measured: [], ...(target as object) };
  const past: Memory | undefined = memory && { uid: "hpa", spec: autoscaler.spec, decidedAtMs: 0, recommendations: [], ups: [], downs: [], ...memory };
  return { autoscaler, nowMs: NOW, memory: past, target: typeof target === "string" ? target : whole, rivals };
}

/** Two pods that use so many cores each, and have one. */
const using = (...cpu: readonly string[]): { readonly pods: readonly Pod[]; readonly measured: readonly PodMetrics[] } => ({
  pods: cpu.map((_, index) => pod(`p${index}`)),
  measured: cpu.map((amount, index) => usage(`p${index}`, amount)),
});

type Status = NonNullable<HorizontalPodAutoscaler["status"]>;

function shown(given: Given) {
  const plan = planHorizontal(observed(given));
  const { conditions, ...rest } = plan.status as Status;
  return {
    scaled: plan.patches?.map(({ kind, name, subresource, body }) => [kind.kind, name, subresource, body]),
    status: rest,
    conditions: conditions?.map(({ type, status, reason = "", message = "" }) => `${type}=${status} ${reason}: ${message}`),
    events: plan.events?.map(({ type, reason, message }) => `${type} ${reason} ${message}`),
    again: (plan.wakeAtMs ?? NaN) - NOW.monotonic,
  };
}

const GOT = "AbleToScale=True SucceededGetScale: the HPA controller was able to get the target's current scale";
const READY = "AbleToScale=True ReadyForNewScale: recommended size matches current size";
const VALID =
  "ScalingActive=True ValidMetricFound: the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)";
const WITHIN = "ScalingLimited=False DesiredWithinRange: the desired count is within the acceptable range";
const rescaled = (to: number): string => `AbleToScale=True SucceededRescale: the HPA controller was able to update the target scale to ${to}`;
const scaledTo = (replicas: number): unknown => [["Deployment", "web", "scale", { spec: { replicas } }]];
const UNABLE = "ScalingActive=False FailedGetResourceMetric: the HPA was unable to compute the replica count: failed to get cpu utilization: ";
const cpu = (utilization: number, averageValue: string): object => ({
  type: "Resource",
  resource: { name: "cpu", current: { averageUtilization: utilization, averageValue } },
});

test("metrics above the target: the scale is set, and all of it is told in Kubernetes' words", () => {
  deepEqual(shown({ target: using("1200m", "1200m") }), {
    scaled: scaledTo(3),
    status: { lastScaleTime: "2026-01-01T01:00:00Z", currentReplicas: 2, desiredReplicas: 3, currentMetrics: [cpu(120, "1200m")] },
    conditions: [rescaled(3), VALID, WITHIN],
    events: ["Normal SuccessfulRescale New size: 3; reason: cpu resource utilization (percentage of request) above target"],
    again: 15_000,
  });
});

test("metrics at the target: nothing is set", () => {
  deepEqual(shown({ target: using("800m", "800m"), status: { desiredReplicas: 9, lastScaleTime: "2026-01-01T00:00:00Z" } }), {
    scaled: [],
    status: { lastScaleTime: "2026-01-01T00:00:00Z", currentReplicas: 2, desiredReplicas: 2, currentMetrics: [cpu(80, "800m")] },
    conditions: [READY, VALID, WITHIN],
    events: [],
    again: 15_000,
  });
});

test("metrics below the target: the number that was there when it first looked holds for five minutes", () => {
  const stays = shown({ target: using("100m", "100m") });
  deepEqual(
    [stays.scaled, stays.conditions?.[0]],
    [[], "AbleToScale=True ScaleDownStabilized: recent recommendations were higher than current one, applying the highest recent recommendation"],
  );
  const falls = shown({ target: using("100m", "100m"), memory: { recommendations: [{ replicas: 2, atMs: NOW.monotonic - 300_001 }] } });
  deepEqual([falls.scaled, falls.events], [scaledTo(1), ["Normal SuccessfulRescale New size: 1; reason: All metrics below target"]]);
});

const bounds: readonly {
  readonly name: string;
  readonly given: Given;
  readonly scaled: unknown;
  readonly conditions: readonly string[];
  readonly events: readonly string[];
}[] = [
  {
    name: "more than the upper bound",
    given: { spec: { maxReplicas: 3 }, target: { replicas: 5 } },
    scaled: scaledTo(3),
    conditions: [rescaled(3)],
    events: ["Normal SuccessfulRescale New size: 3; reason: Current number of replicas above Spec.MaxReplicas"],
  },
  {
    name: "fewer than the lower bound",
    given: { spec: { minReplicas: 3 } },
    scaled: scaledTo(3),
    conditions: [rescaled(3)],
    events: ["Normal SuccessfulRescale New size: 3; reason: Current number of replicas below Spec.MinReplicas"],
  },
  {
    name: "a target at zero is left alone",
    given: { target: { replicas: 0 } },
    scaled: [],
    conditions: [GOT, "ScalingActive=False ScalingDisabled: scaling is disabled since the replica count of the target is zero"],
    events: [],
  },
  {
    name: "metrics beyond the bound",
    given: { spec: { maxReplicas: 3 }, target: using("4", "4") },
    scaled: scaledTo(3),
    conditions: [rescaled(3), VALID, "ScalingLimited=True TooManyReplicas: the desired replica count is more than the maximum replica count"],
    events: ["Normal SuccessfulRescale New size: 3; reason: cpu resource utilization (percentage of request) above target"],
  },
];
for (const { name, given, scaled, conditions, events } of bounds)
  test(`bounds: ${name}`, () => {
    const plan = shown(given);
    deepEqual([plan.scaled, plan.conditions, plan.events], [scaled, conditions, events]);
  });

const failures: readonly {
  readonly name: string;
  readonly given: Given;
  readonly conditions: readonly string[];
  readonly events: readonly string[];
  readonly metrics: unknown;
}[] = [
  {
    name: "nothing was measured yet",
    given: { target: { pods: [pod("p0")] } },
    conditions: [GOT, `${UNABLE}unable to get metrics for resource cpu: no metrics returned from resource metrics API`],
    events: [
      "Warning FailedGetResourceMetric failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API",
      "Warning FailedComputeMetricsReplicas invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API",
    ],
    metrics: [{ type: "" }],
  },
  {
    name: "a container that requests nothing",
    given: { target: { pods: [pod("p0", { requests: undefined })], measured: [usage("p0", "1")] } },
    conditions: [GOT, `${UNABLE}missing request for cpu in container main of Pod p0`],
    events: [
      "Warning FailedGetResourceMetric failed to get cpu utilization: missing request for cpu in container main of Pod p0",
      "Warning FailedComputeMetricsReplicas invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: missing request for cpu in container main of Pod p0",
    ],
    metrics: [{ type: "" }],
  },
  {
    name: "a scale without a selector",
    given: { target: { selector: "", requirements: [] } },
    conditions: [GOT, "ScalingActive=False InvalidSelector: the HPA target's scale is missing a selector"],
    events: ["Warning SelectorRequired selector is required", "Warning FailedComputeMetricsReplicas selector is required"],
    metrics: null,
  },
  {
    name: "pods that another one scales, too",
    given: { target: using("1"), rivals: ["default/other"] },
    conditions: [GOT, "ScalingActive=False AmbiguousSelector: pods by selector app=web are controlled by multiple HPAs: [{web default} {other default}]"],
    events: [
      "Warning AmbiguousSelector pods by selector app=web are controlled by multiple HPAs: [{web default} {other default}]",
      "Warning FailedComputeMetricsReplicas pods by selector app=web are controlled by multiple HPAs: [{web default} {other default}]",
    ],
    metrics: null,
  },
];
for (const { name, given, conditions, events, metrics } of failures)
  test(`no number: ${name}`, () => {
    const plan = shown({ ...given, status: { desiredReplicas: 2 } });
    deepEqual([plan.scaled, plan.conditions, plan.events, plan.again], [[], conditions, events, 15_000]);
    deepEqual(plan.status, { currentReplicas: 2, desiredReplicas: 2, currentMetrics: metrics });
  });

test("a target that is not there: told, the rest of the status stays, and it is looked for again", () => {
  const before = {
    desiredReplicas: 2,
    currentReplicas: 2,
    currentMetrics: null,
    conditions: [{ type: "ScalingActive", status: "True", reason: "R", message: "m" }],
  };
  deepEqual(shown({ target: 'deployments.apps "web" not found', status: before }), {
    scaled: undefined,
    status: { desiredReplicas: 2, currentReplicas: 2, currentMetrics: null },
    conditions: [
      "ScalingActive=True R: m",
      `AbleToScale=False FailedGetScale: the HPA controller was unable to get the target's current scale: deployments.apps "web" not found`,
    ],
    events: ['Warning FailedGetScale deployments.apps "web" not found'],
    again: 15_000,
  });
});

const PODS: MetricSpec = { type: "Pods", pods: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "7" } } };
const MEMORY: MetricSpec = { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "5Mi" } } };
const OF_CONTAINER: MetricSpec = {
  type: "ContainerResource",
  containerResource: { name: "cpu", container: "main", target: { type: "Utilization", averageUtilization: 50 } },
};

test("of several metrics the one that wants most wins; its name is the reason", () => {
  const plan = shown({ spec: { metrics: [...(CPU_80 ?? []), MEMORY, OF_CONTAINER] }, target: using("800m", "800m") });
  deepEqual(plan.events, ["Normal SuccessfulRescale New size: 4; reason: memory resource above target"]);
  deepEqual(plan.status.currentMetrics, [
    cpu(80, "800m"),
    { type: "Resource", resource: { name: "memory", current: { averageValue: "10Mi" } } },
    { type: "ContainerResource", containerResource: { name: "cpu", container: "main", current: { averageUtilization: 80, averageValue: "800m" } } },
  ]);
});

test("a metric that cannot be read holds nobody back from more pods, but from fewer", () => {
  const metrics = [PODS, ...(CPU_80 ?? [])];
  const up = shown({ spec: { metrics }, target: using("2", "2") });
  const failed =
    "Warning FailedGetPodsMetric unable to get metric queue: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";
  deepEqual([up.scaled, up.events?.[0], up.status.currentMetrics?.[0]], [scaledTo(4), failed, { type: "" }]);
  const down = shown({ spec: { metrics }, target: using("100m", "100m"), memory: { recommendations: [{ replicas: 1, atMs: 0 }] } });
  deepEqual([down.scaled, down.conditions?.[1]?.split(":")[0]], [[], "ScalingActive=False FailedGetPodsMetric"]);
});

test("a condition keeps its place, and its time as long as its status stays", () => {
  const old = "2026-01-01T00:00:00Z";
  const conditions = [
    { type: "ScalingLimited", status: "True", reason: "A", message: "a", lastTransitionTime: old },
    { type: "AbleToScale", status: "True", reason: "B", message: "b", lastTransitionTime: old },
  ];
  const plan = planHorizontal(observed({ target: using("800m", "800m"), status: { desiredReplicas: 2, conditions } }));
  const told = (plan.status as Status).conditions?.map(({ type, reason, lastTransitionTime }) => [type, reason, lastTransitionTime]);
  deepEqual(told, [
    ["ScalingLimited", "DesiredWithinRange", "2026-01-01T01:00:00Z"],
    ["AbleToScale", "ReadyForNewScale", old],
    ["ScalingActive", "ValidMetricFound", "2026-01-01T01:00:00Z"],
  ]);
});

test("what was decided a moment ago is not decided again: its own writes wake it", () => {
  const plan = planHorizontal({ ...observed({ memory: { decidedAtMs: NOW.monotonic - 4_000 } }), target: undefined });
  deepEqual(plan, { desired: undefined, wakeAtMs: NOW.monotonic + 11_000 });
});

test("it remembers what was recommended before it was steadied, and by how much it scaled", () => {
  const after = (given: Given): Memory | undefined => planHorizontal(observed(given)).effects?.[0]?.memory;
  const up = after({ target: using("1200m", "1200m") });
  deepEqual(
    [up?.recommendations.map(({ replicas }) => replicas), up?.ups, up?.downs, up?.decidedAtMs],
    [[2, 3], [{ by: 1, atMs: NOW.monotonic }], [], NOW.monotonic],
  );
  const held = after({ target: using("100m", "100m"), memory: { recommendations: [{ replicas: 2, atMs: NOW.monotonic - 1 }] } });
  deepEqual([held?.recommendations.map(({ replicas }) => replicas), held?.ups, held?.downs], [[2, 1], [], []]);
  equal(after({ target: "gone", memory: { ups: [{ by: 1, atMs: 1 }] } })?.ups.length, 1);
});

// HPA-class PodAutoscalers: which HorizontalPodAutoscaler they make, and what they tell of it.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { defaultServingConfig, type HorizontalPodAutoscaler, type PodAutoscaler, type ServerlessService } from "#kinds";
import { conditionOf } from "#schema";
import type { ObservedHpaClass } from "./observe.ts";
import { planHpaClass } from "./plan.ts";

const CLASS = { "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev" };
const config = defaultServingConfig().autoscaler;
const KNATIVE = "autoscaling.knative.dev/";

function autoscaler(annotations: Readonly<Record<string, string>> = {}, reachability = "Reachable"): PodAutoscaler {
  return {
    apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
    kind: "PodAutoscaler",
    metadata: {
      name: "hello-00001",
      uid: "pa",
      namespace: "default",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { a: "b" },
      annotations: { ...CLASS, ...annotations },
    },
    spec: { protocolType: "http1", reachability, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" } },
    status: { observedGeneration: 1 },
  };
}

function child<O>(kind: string, status: object, owner = "pa"): O {
  const ownerReferences = [{ apiVersion: "v1", kind: "PodAutoscaler", name: "hello-00001", uid: owner, controller: true }];
  return { kind, metadata: { name: "hello-00001", namespace: "default", uid: kind, ownerReferences }, spec: {}, status } as O;
}

const READY = child<ServerlessService>("ServerlessService", {
  conditions: [{ type: "Ready", status: "True" }],
  serviceName: "hello-00001",
  privateServiceName: "hello-00001-private",
});

function observed(over: Partial<ObservedHpaClass> = {}): ObservedHpaClass {
  return { autoscaler: autoscaler(), config, serverlessService: undefined, horizontal: undefined, leftover: false, ...over };
}

const specOf = (given: ObservedHpaClass): unknown => (planHpaClass(given).desired?.[0]?.object as unknown as HorizontalPodAutoscaler | undefined)?.spec;
const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" };

const specs: readonly { readonly name: string; readonly given: Readonly<Record<string, string>>; readonly reachability?: string; readonly want: object }[] = [
  { name: "without annotations there is no bound and no metric", given: {}, want: { maxReplicas: 2_147_483_647 } },
  {
    name: "bounds and a target of CPU, rounded up",
    given: { "min-scale": "2", "max-scale": "5", target: "49.5" },
    want: {
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } }],
    },
  },
  {
    name: "memory is told in MiB a pod",
    given: { metric: "memory", target: "200.9", "max-scale": "3" },
    want: { maxReplicas: 3, metrics: [{ type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "200Mi" } } }] },
  },
  {
    name: "any other metric is one of the pods",
    given: { metric: "queue", target: "7", "max-scale": "3" },
    want: { maxReplicas: 3, metrics: [{ type: "Pods", pods: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "7" } } }] },
  },
  {
    name: "a window is waited in both directions",
    given: { window: "20s", "max-scale": "3" },
    want: { maxReplicas: 3, behavior: { scaleUp: { stabilizationWindowSeconds: 20 }, scaleDown: { stabilizationWindowSeconds: 20 } } },
  },
  {
    name: "a revision that nobody reaches has no lower bound",
    given: { "min-scale": "2", "max-scale": "3" },
    reachability: "Unreachable",
    want: { maxReplicas: 3 },
  },
];
for (const { name, given, reachability, want } of specs) {
  test(`HorizontalPodAutoscaler of a revision: ${name}`, () => {
    const annotations = Object.fromEntries(Object.entries(given).map(([key, value]) => [KNATIVE + key, value]));
    deepEqual(specOf(observed({ autoscaler: autoscaler(annotations, reachability) })), { scaleTargetRef, ...want });
  });
}

test("labels and annotations are the PodAutoscaler's, and its ServerlessService serves", () => {
  const [horizontal, service] = planHpaClass(observed()).desired ?? [];
  deepEqual(horizontal?.object.metadata, { name: "hello-00001", namespace: "default", labels: { a: "b" }, annotations: CLASS });
  const spec = (service?.object as unknown as ServerlessService | undefined)?.spec;
  deepEqual([spec?.mode, spec?.numActivators], ["Serve", 0]);
});

interface Told {
  readonly conditions: Parameters<typeof conditionOf>[0];
  readonly [member: string]: unknown;
}

const told = (given: Partial<ObservedHpaClass>): string => {
  const { status } = planHpaClass(observed(given));
  const { conditions, ...rest } = status as Told;
  const marks = ["Active", "Ready", "SKSReady", "ScaleTargetInitialized"].map((type) => conditionOf(conditions, type)?.status ?? "-");
  return [...marks, rest["actualScale"], rest["desiredScale"], rest["serviceName"], rest["metricsServiceName"]].join(" ");
};
const counted = (current: number, desired: number): HorizontalPodAutoscaler =>
  child("HorizontalPodAutoscaler", { currentReplicas: current, desiredReplicas: desired });
const statuses: readonly { readonly name: string; readonly given: Partial<ObservedHpaClass>; readonly want: string }[] = [
  { name: "active from the first moment", given: {}, want: "True Unknown Unknown Unknown 0 0  " },
  {
    name: "initialised by the replicas that the autoscaler counts",
    given: { serverlessService: READY, horizontal: counted(1, 3) },
    want: "True True True True 1 3 hello-00001 hello-00001-private",
  },
  {
    name: "not before there are as many as its lower bound",
    given: { autoscaler: autoscaler({ [`${KNATIVE}min-scale`]: "2" }), serverlessService: READY, horizontal: counted(1, 2) },
    want: "True Unknown True Unknown 1 2 hello-00001 hello-00001-private",
  },
];
for (const { name, given, want } of statuses) test(`status of an HPA-class PodAutoscaler: ${name}`, () => equal(told(given), want));

test("children of somebody else are told and not touched; those of a predecessor are waited for", () => {
  const foreign = planHpaClass(observed({ horizontal: child("HorizontalPodAutoscaler", {}, "other") }));
  equal(foreign.failure, 'PodAutoscaler: "hello-00001" does not own HPA: "hello-00001"');
  equal(foreign.desired, undefined);
  equal(conditionOf((foreign.status as Told).conditions, "Active")?.reason, "NotOwned");
  const service = planHpaClass(observed({ serverlessService: child("ServerlessService", {}, "other") }));
  equal(service.failure, "error reconciling SKS: PA: hello-00001 does not own SKS: hello-00001");
  deepEqual(
    service.desired?.map(({ kind }) => kind.kind),
    ["HorizontalPodAutoscaler"],
  );
  equal(planHpaClass(observed({ leftover: true })).desired, undefined);
});

// The PodAutoscaler's controller over a world in memory: what it reads, in which order it writes, and that it settles.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { PodCounts } from "#autoscaler";
import type { Client } from "#client";
import { defaultServingConfig, Deployment, Metric, PodAutoscaler, type Pod, type ServerlessService } from "#kinds";
import type { Plan, ShellWorld } from "#reconcile";
import { conditionOf, type Condition, type Kind, type KubeObject } from "#schema";
import { podAutoscalerController } from "./index.ts";
import type { ObservedPodAutoscaler } from "./observed.ts";

const NOW = { monotonic: 5_000, wall: Date.UTC(2026, 0, 1) };
const KEY = { namespace: "default", name: "hello-00001" };
const NAMES: Readonly<Record<string, string>> = { "serving.knative.dev/revision": KEY.name };

function meta(name: string, uid: string): KubeObject["metadata"] {
  return { name, uid, namespace: "default", resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z", labels: NAMES };
}

function autoscaler(active: Condition["status"], ageMs: number): PodAutoscaler {
  const at = (type: string, status: Condition["status"]): Condition => ({ type, status, lastTransitionTime: new Date(NOW.wall - ageMs).toISOString() });
  return {
    apiVersion: "autoscaling.internal.knative.dev/v1alpha1",
    kind: "PodAutoscaler",
    metadata: { ...meta(KEY.name, "pa"), annotations: { "autoscaling.knative.dev/class": "kpa.autoscaling.knative.dev" } },
    spec: { protocolType: "http1", scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" } },
    status: {
      observedGeneration: 1,
      conditions: [at("Active", active), at("Ready", active), at("SKSReady", "True"), at("ScaleTargetInitialized", "True")],
      desiredScale: active === "False" ? 0 : 1,
      actualScale: 0,
      serviceName: KEY.name,
      metricsServiceName: "hello-00001-private",
    },
  };
}

function serverlessService(owner: string, ownerName = KEY.name): ServerlessService {
  return {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "ServerlessService",
    metadata: { ...meta(KEY.name, "sks"), ownerReferences: [{ apiVersion: "v1", kind: "PodAutoscaler", name: ownerName, uid: owner, controller: true }] },
    spec: { mode: "Proxy", numActivators: 3, objectRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" }, protocolType: "http1" },
    status: {
      observedGeneration: 1,
      conditions: [{ type: "Ready", status: "True" }],
      serviceName: KEY.name,
      privateServiceName: "hello-00001-private",
    },
  };
}

function deployment(replicas: number): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: meta("hello-00001-deployment", "deployment"),
    spec: { replicas, selector: { matchLabels: NAMES }, template: {} },
  } as Deployment;
}

function pod(name: string, ready: boolean, phase = "Running"): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: meta(name, name),
    status: { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  } as Pod;
}

/** Finds what it was given; everything else is out of its reach. */
function worldOf(objects: readonly KubeObject[]): ShellWorld {
  const of = (kind: Kind<never>): readonly KubeObject[] => objects.filter((object) => object.kind === kind.kind);
  const client = {
    find: async (kind: Kind<never>, namespace: string, name: string) =>
      of(kind).find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
  } as unknown as Client;
  const watched = async (kind: Kind<never>): Promise<readonly KubeObject[]> => of(kind);
  return { client, nowMs: NOW, owned: async () => [], orphans: async () => [], watched } as unknown as ShellWorld;
}

interface Setup {
  readonly desired: number;
  readonly objects: readonly KubeObject[];
  readonly probeActivator?: (target: string) => Promise<boolean>;
}

/** One pass with a decider that has this opinion. */
async function pass({
  desired,
  objects,
  probeActivator = async () => true,
}: Setup): Promise<{ readonly plan: Plan; readonly observed: ObservedPodAutoscaler; readonly told: readonly PodCounts[] }> {
  const told: PodCounts[] = [];
  const deciders = {
    ensure: (_key: string, _settings: unknown, pods: PodCounts) => (told.push(pods), { desired, excessBurstCapacity: -111 }),
    remove: () => {},
  };
  const { autoscaler: config } = defaultServingConfig();
  const settings = () => ({ autoscaler: config, progressDeadlineMs: 600_000, clusterDomain: "cluster.local" });
  const controller = podAutoscalerController({ settings, deciders, probeActivator });
  const observed = await controller.observe(KEY, worldOf(objects));
  if (observed === undefined) throw new Error("nothing observed");
  return { plan: controller.plan(observed), observed, told };
}

function activeIn(plan: Plan): string {
  const found = conditionOf((plan.status as { readonly conditions: Condition[] }).conditions, "Active");
  return `${found?.status} ${found?.reason ?? ""}`.trim();
}

test("waking from zero is one scale patch and one status; the children stay as they are", async () => {
  const objects = [autoscaler("False", 90_000), serverlessService("pa"), deployment(0)];
  const { plan } = await pass({ desired: 1, objects });
  deepEqual(plan.patches, [
    {
      kind: Deployment,
      namespace: "default",
      name: "hello-00001-deployment",
      subresource: "scale",
      type: "application/json-patch+json",
      body: [{ op: "add", path: "/spec/replicas", value: 1 }],
    },
  ]);
  equal(activeIn(plan), "Unknown Queued");
  const child = plan.desired?.[0];
  deepEqual(child?.merge?.(objects[1] as never, child.object), objects[1]);
});

test("pods are counted by state, and a restored count is told only when the revision had been up", async () => {
  const pods = [pod("a", true), pod("b", false), pod("c", false, "Pending"), pod("d", false, "Succeeded")];
  const up = await pass({ desired: 2, objects: [autoscaler("True", 1_000), serverlessService("pa"), deployment(4), ...pods] });
  deepEqual(up.observed.pods, { ready: 1, notReady: 2, pending: 1, terminating: 0 });
  deepEqual(up.told, [{ uid: "pa", ready: 1, restored: 4 }]);
  const goingDown = await pass({ desired: 0, objects: [autoscaler("False", 1_000), serverlessService("pa"), deployment(1), pod("a", true)] });
  deepEqual(goingDown.told, [{ uid: "pa", ready: 1, restored: 0 }]);
});

test("the activator is asked only before the last pod goes, and again a second later while it does not answer", async () => {
  const asked: string[] = [];
  const probeActivator = async (target: string): Promise<boolean> => (asked.push(target), false);
  await pass({ desired: 1, probeActivator, objects: [autoscaler("False", 90_000), serverlessService("pa"), deployment(0)] });
  deepEqual(asked, []);
  const { plan } = await pass({ desired: 0, probeActivator, objects: [autoscaler("False", 90_000), serverlessService("pa"), deployment(1), pod("a", true)] });
  deepEqual(asked, ["http://hello-00001.default.svc.cluster.local:80//healthz"]);
  equal(plan.patches, undefined);
  equal(plan.wakeAtMs, NOW.monotonic + 1_000);
});

test("another autoscaler's class is none of our business", async () => {
  const foreign = autoscaler("True", 0);
  const hpa = { ...foreign, metadata: { ...foreign.metadata, annotations: { "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev" } } };
  const { autoscaler: config } = defaultServingConfig();
  const deciders = { ensure: () => ({ desired: 1, excessBurstCapacity: 0 }), remove: () => {} };
  const settings = () => ({ autoscaler: config, progressDeadlineMs: 600_000, clusterDomain: "cluster.local" });
  const controller = podAutoscalerController({ settings, deciders, probeActivator: async () => true });
  equal(await controller.observe(KEY, worldOf([hpa])), undefined);
  equal(await controller.observe(KEY, worldOf([])), undefined);
});

test("a ServerlessService or a Metric of somebody else makes the revision inactive and is not touched", async () => {
  const sks = await pass({ desired: 1, objects: [autoscaler("True", 1_000), serverlessService("other", "other"), deployment(1), pod("a", true)] });
  equal(activeIn(sks.plan), "False NotOwned");
  deepEqual(
    sks.plan.desired?.map(({ kind }) => kind.kind),
    ["Metric"],
  );
  const metric = { apiVersion: Metric.version, kind: "Metric", metadata: meta(KEY.name, "metric") };
  const taken = await pass({ desired: 1, objects: [autoscaler("True", 1_000), serverlessService("pa"), metric, deployment(1), pod("a", true)] });
  equal(taken.plan.failure, "error reconciling Metric: PA: hello-00001 does not own Metric: hello-00001");
  equal(taken.plan.desired, undefined);
});

test("children of a predecessor of the same name are waited for, not taken for somebody else's", async () => {
  const fresh = { ...autoscaler("Unknown", 0), status: {} } as PodAutoscaler;
  const { plan, told } = await pass({ desired: 1, objects: [fresh, serverlessService("predecessor"), deployment(1), pod("a", true)] });
  equal(activeIn(plan), "Unknown Queued");
  equal(plan.desired, undefined);
  deepEqual(told, [], "there is nothing to measure yet");
});

test("a settled revision plans what is there: the second pass changes nothing", async () => {
  const objects = [autoscaler("True", 30_000), serverlessService("pa"), deployment(1), pod("a", true)];
  const first = await pass({ desired: 1, objects });
  const stored = { ...autoscaler("True", 30_000), status: first.plan.status } as PodAutoscaler;
  const child = first.plan.desired?.[0];
  const updated = { ...child?.merge?.(objects[1] as never, child.object) } as ServerlessService;
  const second = await pass({ desired: 1, objects: [stored, updated, deployment(1), pod("a", true)] });
  equal(second.plan.patches, undefined);
  deepEqual(second.plan.status, stored.status);
  const again = second.plan.desired?.[0];
  deepEqual(again?.merge?.(updated as never, again.object), updated);
});

test("kinds watched and owned lead back to the revision's key", () => {
  const settings = () => ({ autoscaler: defaultServingConfig().autoscaler, progressDeadlineMs: 1, clusterDomain: "x" });
  const removed: string[] = [];
  const deciders = { ensure: () => ({ desired: 1, excessBurstCapacity: 0 }), remove: (key: string) => void removed.push(key) };
  const controller = podAutoscalerController({ settings, deciders, probeActivator: async () => true });
  deepEqual(
    controller.watches?.map(({ kind, keys }) => [kind.kind, keys(pod("a", true))]),
    [
      ["Deployment", [KEY]],
      ["Pod", [KEY]],
    ],
  );
  deepEqual(
    controller.owns.map(({ kind }) => kind),
    ["ServerlessService", "Metric"],
  );
  equal(controller.primary.kind, PodAutoscaler.kind);
  controller.forget?.(KEY);
  deepEqual(removed, ["default/hello-00001"]);
});

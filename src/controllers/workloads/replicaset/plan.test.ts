// Which pods a ReplicaSet makes, deletes, adopts and lets go, and its status.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, ReplicaSet } from "#kinds";
import { planReplicaSet } from "./plan.ts";

const NOW = Date.UTC(2026, 0, 1, 0, 1, 0);

function pod(
  name: string,
  over: {
    readonly ready?: string;
    readonly phase?: string;
    readonly labels?: Record<string, string>;
    readonly deleting?: true;
    readonly created?: string;
    readonly cost?: string;
  } = {},
): Pod {
  const { ready, phase = "Running", labels = { app: "web" }, created = "2026-01-01T00:00:00Z" } = over;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      resourceVersion: "1",
      creationTimestamp: created,
      labels,
      ...(over.deleting ? { deletionTimestamp: created } : {}),
      ...(over.cost === undefined ? {} : { annotations: { "controller.kubernetes.io/pod-deletion-cost": over.cost } }),
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "rs", controller: true }],
    },
    spec: { containers: [], nodeName: "node" },
    status: { phase, ...(ready === undefined ? {} : { conditions: [{ type: "Ready", status: "True", lastTransitionTime: ready }] }) },
  };
}

function plan(replicas: number, pods: readonly Pod[], over: { readonly minReadySeconds?: number; readonly orphans?: readonly Pod[] } = {}) {
  const replicaSet: ReplicaSet = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "web", namespace: "default", uid: "rs", resourceVersion: "1", generation: 3, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [] } },
      ...(over.minReadySeconds === undefined ? {} : { minReadySeconds: over.minReadySeconds }),
    },
  };
  return planReplicaSet({ replicaSet, pods, orphans: over.orphans ?? [], nowMs: { monotonic: 1000, wall: NOW } });
}

const READY = "2026-01-01T00:00:10Z";
const LATER = "2026-01-01T00:00:40Z";
const table = [
  {
    name: "makes what is missing",
    given: plan(2, [pod("a", { ready: READY })]),
    staying: ["a", "+"],
    status: { replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 1, availableReplicas: 1 },
  },
  {
    name: "does not count ended and leaving pods, and deletes neither",
    given: plan(1, [pod("done", { phase: "Succeeded" }), pod("going", { deleting: true })]),
    staying: ["done", "going", "+"],
    status: { replicas: 1, fullyLabeledReplicas: 1 },
  },
  {
    name: "takes an unready pod first",
    given: plan(1, [pod("a", { ready: READY }), pod("b")]),
    staying: ["a"],
    status: { replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
  },
  {
    name: "takes a pending pod before an unready one",
    given: plan(1, [pod("a"), pod("b", { phase: "Pending" })]),
    staying: ["a"],
    status: { replicas: 1, fullyLabeledReplicas: 1 },
  },
  {
    name: "takes the cheaper one of two ready pods",
    given: plan(1, [pod("a", { ready: READY }), pod("b", { ready: LATER, cost: "5" })]),
    staying: ["b"],
    status: { replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
  },
  {
    name: "takes the one that is ready for a shorter time",
    given: plan(1, [pod("a", { ready: READY }), pod("b", { ready: LATER })]),
    staying: ["a"],
    status: { replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
  },
  {
    name: "takes the newest of equals",
    given: plan(1, [pod("a", { created: "2026-01-01T00:00:05Z" }), pod("b")]),
    staying: ["b"],
    status: { replicas: 1, fullyLabeledReplicas: 1 },
  },
  {
    name: "adopts an orphan instead of making a pod",
    given: plan(1, [], { orphans: [pod("o", { ready: READY })] }),
    staying: ["o"],
    status: { replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1, availableReplicas: 1 },
  },
  {
    name: "lets a pod go whose labels changed and replaces it",
    given: plan(1, [pod("stray", { labels: { app: "debug" } })]),
    staying: ["stray", "+"],
    status: { replicas: 1, fullyLabeledReplicas: 1 },
    released: ["stray"],
  },
  { name: "scaled to zero keeps nothing", given: plan(0, [pod("a", { ready: READY })]), staying: [], status: { replicas: 0 } },
  {
    name: "a pod is available after minReadySeconds",
    given: plan(1, [pod("a", { ready: LATER })], { minReadySeconds: 30 }),
    staying: ["a"],
    status: { replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1 },
    wakeAtMs: 11_000,
  },
];

for (const { name, given, staying, status, released = [], wakeAtMs } of table) {
  test(`planReplicaSet: ${name}`, () => {
    assert.deepEqual(
      given.desired?.map((child) => child.object.metadata.name ?? "+"),
      staying,
    );
    assert.deepEqual(given.status, { ...status, observedGeneration: 3 });
    assert.deepEqual(
      given.patches?.map((patch) => patch.name),
      released,
    );
    assert.equal(given.wakeAtMs, wakeAtMs);
  });
}

test("planReplicaSet: tells of deleted pods by name", () => {
  assert.deepEqual(plan(0, [pod("a")]).events, [{ type: "Normal", reason: "SuccessfulDelete", message: "Deleted pod: a" }]);
});

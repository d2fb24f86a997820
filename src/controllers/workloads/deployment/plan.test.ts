// Steps of a Deployment: rounding, proportions, revisions, clean-up, strategies.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment, ReplicaSet } from "#kinds";
import { planDeployment } from "./plan.ts";
import { fenceposts } from "./rolling.ts";

const meta = (name: string) => ({
  name,
  namespace: "default",
  uid: `uid-${name}`,
  resourceVersion: "1",
  generation: 1,
  creationTimestamp: "2026-01-01T00:00:00Z",
});
const template = (image: string) => ({ metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } });

function deployment(spec: Partial<Deployment["spec"]> = {}, status?: Deployment["status"]): Deployment {
  const whole = { replicas: 4, progressDeadlineSeconds: 600, selector: { matchLabels: { app: "web" } }, template: template("v2"), ...spec };
  const annotations = { "deployment.kubernetes.io/revision": "2", note: "kept" };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { ...meta("web"), annotations }, spec: whole, ...(status === undefined ? {} : { status }) };
}

function set(
  name: string,
  image: string,
  over: { readonly size: number; readonly available?: number; readonly desired?: number; readonly revision?: number },
): ReplicaSet {
  const { size, available = size, desired = 4, revision = 1 } = over;
  const annotations = {
    "deployment.kubernetes.io/revision": String(revision),
    "deployment.kubernetes.io/desired-replicas": String(desired),
    "deployment.kubernetes.io/max-replicas": String(desired + 1),
  };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { ...meta(name), annotations },
    spec: {
      replicas: size,
      selector: { matchLabels: { app: "web" } },
      template: { ...template(image), metadata: { labels: { app: "web", "pod-template-hash": name } } },
    },
    status: { replicas: size, readyReplicas: available, availableReplicas: available, observedGeneration: 1 },
  };
}

const plan = (of: Deployment, replicaSets: readonly ReplicaSet[]) =>
  planDeployment({ deployment: of, replicaSets, nowMs: { monotonic: 0, wall: Date.UTC(2026, 0, 1) } });

/** Sizes by name after the plan, as the children's merge makes them. */
function sizes(of: Deployment, replicaSets: readonly ReplicaSet[]): Record<string, number> {
  const { desired = [] } = plan(of, replicaSets);
  return Object.fromEntries(
    desired.map((child) => [
      replicaSets.some(({ metadata }) => metadata.name === child.object.metadata.name) ? (child.object.metadata.name ?? "") : "+",
      (child.object as unknown as ReplicaSet).spec.replicas ?? 1,
    ]),
  );
}

const table = [
  { name: "a new template starts within the surge", of: deployment(), sets: [set("old", "v1", { size: 4 })], want: { old: 4, "+": 1 } },
  {
    name: "old pods go as new ones are available",
    of: deployment(),
    sets: [set("old", "v1", { size: 4 }), set("new", "v2", { size: 1, revision: 2 })],
    want: { new: 1, old: 2 },
  },
  {
    name: "unhealthy old pods go first",
    of: deployment(),
    sets: [set("old", "v1", { size: 4, available: 2 }), set("new", "v2", { size: 1, available: 0, revision: 2 })],
    want: { new: 1, old: 3 },
  },
  {
    name: "an unready new pod keeps the available old ones",
    of: deployment({ strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }),
    sets: [set("old", "v1", { size: 4 }), set("new", "v2", { size: 1, available: 0, revision: 2 })],
    want: { new: 1, old: 4 },
  },
  {
    name: "a change of scale goes to the only active set at once",
    of: deployment({ replicas: 9 }),
    sets: [set("old", "v1", { size: 0 }), set("new", "v2", { size: 4, revision: 2 })],
    want: { new: 9, old: 0 },
  },
  {
    name: "a change of scale in a rollout is spread in proportion",
    of: deployment({ replicas: 8 }),
    sets: [set("old", "v1", { size: 3 }), set("new", "v2", { size: 2, revision: 2 })],
    want: { new: 4, old: 6 },
  },
  {
    name: "scaled to zero in a rollout both go",
    of: deployment({ replicas: 0 }),
    sets: [set("old", "v1", { size: 3 }), set("new", "v2", { size: 2, revision: 2 })],
    want: { new: 0, old: 0 },
  },
  { name: "paused only scales", of: deployment({ paused: true }), sets: [set("old", "v1", { size: 3 })], want: { old: 4 } },
  {
    name: "Recreate empties the old set before it makes a new one",
    of: deployment({ strategy: { type: "Recreate" } }),
    sets: [set("old", "v1", { size: 4 })],
    want: { old: 0 },
  },
  {
    name: "Recreate makes the new set once the old one is empty",
    of: deployment({ strategy: { type: "Recreate" } }),
    sets: [set("old", "v1", { size: 0 })],
    want: { old: 0, "+": 4 },
  },
  {
    name: "complete: old sets beyond the history limit go",
    of: deployment({ revisionHistoryLimit: 1 }),
    sets: [set("a", "v0", { size: 0, revision: 1 }), set("b", "v1", { size: 0, revision: 2 }), set("new", "v2", { size: 4, revision: 3 })],
    want: { new: 4, b: 0 },
  },
];

for (const { name, of, sets, want } of table) test(`planDeployment: ${name}`, () => assert.deepEqual(sizes(of, sets), want));

test("planDeployment: a rollback takes the old set again with a new revision and remembers the former", () => {
  const old = set("old", "v2", { size: 0, revision: 1 });
  const { desired = [], patches } = plan(deployment(), [old, set("new", "v3", { size: 4, revision: 2 })]);
  const again = desired.find((child) => child.object.metadata.name === "old")?.object.metadata.annotations;
  assert.deepEqual([again?.["deployment.kubernetes.io/revision"], again?.["deployment.kubernetes.io/revision-history"], again?.note], ["3", "1", "kept"]);
  assert.deepEqual(patches?.[0]?.body, { metadata: { annotations: { "deployment.kubernetes.io/revision": "3" } } });
});

test("planDeployment: a settled Deployment changes no ReplicaSet", () => {
  const settled = set("new", "v2", { size: 4, revision: 2 });
  const copied: ReplicaSet = {
    ...settled,
    metadata: { ...settled.metadata, annotations: { ...settled.metadata.annotations, note: "kept", "deployment.kubernetes.io/revision": "2" } },
  };
  const [child] = plan(deployment(), [copied]).desired ?? [];
  assert.equal(child?.merge?.(copied as never, child.object), undefined);
});

const ROUNDING = [
  { replicas: 1, maxSurge: "25%", maxUnavailable: "25%", want: { maxSurge: 1, maxUnavailable: 0 } },
  { replicas: 10, maxSurge: "25%", maxUnavailable: "25%", want: { maxSurge: 3, maxUnavailable: 2 } },
  { replicas: 3, maxSurge: 0, maxUnavailable: 0, want: { maxSurge: 0, maxUnavailable: 1 } },
  { replicas: 2, maxSurge: 0, maxUnavailable: 5, want: { maxSurge: 0, maxUnavailable: 2 } },
];
for (const { replicas, maxSurge, maxUnavailable, want } of ROUNDING) {
  test(`fenceposts: ${replicas} replicas with surge ${maxSurge} and unavailable ${maxUnavailable}`, () => {
    assert.deepEqual(fenceposts(deployment({ replicas, strategy: { rollingUpdate: { maxSurge, maxUnavailable } } })), want);
  });
}

// All controllers together come to rest: odd objects side by side, and after a while nobody writes any more.
// Each plan is tested alone to be stable; two that undo each other are found only here.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Harness } from "../golden/scenarios/harness.ts";
import { bootHarness } from "../golden/scenarios/platform.ts";

const NAMESPACE = "rest";
/** Past the stable window and the grace: what idles is at zero. */
const SETTLING_MS = 150_000;
const WATCHED_MS = 60_000;

const container = (image: string): object => ({ containers: [{ image }] });
const service = (name: string, image: string, over: object = {}): object => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name },
  spec: { template: { spec: container(image) }, ...over },
});
const route = (name: string, target: object): object => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Route",
  metadata: { name },
  spec: { traffic: [target] },
});
const workload = (kind: string, name: string, over: object = {}): object => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { a: name } },
    template: { metadata: { labels: { a: name } }, spec: { containers: [{ name: "c", image: "dev.local/hello" }] } },
    ...over,
  },
});

const ODD: readonly (readonly [path: string, object: object])[] = [
  ["serving.knative.dev/v1/services", service("plain", "dev.local/hello")],
  ["serving.knative.dev/v1/services", service("missing-revision", "dev.local/hello", { traffic: [{ revisionName: "missing-revision-09999", percent: 100 }] })],
  [
    "serving.knative.dev/v1/services",
    service("missing-tag", "dev.local/hello", {
      traffic: [
        { latestRevision: true, percent: 100 },
        { revisionName: "nope", tag: "old", percent: 0 },
      ],
    }),
  ],
  ["serving.knative.dev/v1/services", service("unknown-image", "registry.local:5000/unknown")],
  ["serving.knative.dev/v1/services", service("crash", "dev.local/crash-1")],
  ["serving.knative.dev/v1/services", service("unready", "dev.local/unready")],
  [
    "serving.knative.dev/v1/services",
    service("no-account", "dev.local/hello", { template: { spec: { ...container("dev.local/hello"), serviceAccountName: "nobody" } } }),
  ],
  [
    "serving.knative.dev/v1/configurations",
    { apiVersion: "serving.knative.dev/v1", kind: "Configuration", metadata: { name: "alone" }, spec: { template: { spec: container("dev.local/hello") } } },
  ],
  ["serving.knative.dev/v1/routes", route("to-nothing", { configurationName: "nothing", percent: 100 })],
  ["serving.knative.dev/v1/routes", route("first", { configurationName: "alone", percent: 100 })],
  ["serving.knative.dev/v1/routes", route("second", { configurationName: "alone", percent: 100 })],
  ["apps/v1/deployments", workload("Deployment", "plain-deployment")],
  ["apps/v1/deployments", workload("Deployment", "paused", { paused: true })],
  ["apps/v1/replicasets", workload("ReplicaSet", "lone-set")],
];

async function create(harness: Harness, [path, object]: (typeof ODD)[number]): Promise<void> {
  const [group, version, plural] = path.split("/");
  const response = await harness.server.handle({
    method: "POST",
    target: `/apis/${group}/${version}/namespaces/${NAMESPACE}/${plural}`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(object),
  });
  assert.equal(response.status, 201, typeof response.body === "string" ? response.body : path);
}

async function changesAtRest(harness: Harness): Promise<number> {
  await harness.advance(SETTLING_MS);
  const before = harness.ledger.changes;
  await harness.advance(WATCHED_MS);
  return harness.ledger.changes - before;
}

test("odd objects side by side: after a while nobody writes any more", async () => {
  const harness = await bootHarness(NAMESPACE);
  try {
    for (const each of ODD) await create(harness, each);
    assert.equal(await changesAtRest(harness), 0);
    assert.ok(harness.ledger.changes > 100, `only ${harness.ledger.changes} changes were seen at all`);
  } finally {
    await harness.close();
  }
});

test("a writer that never rests is noticed", async () => {
  const harness = await bootHarness(NAMESPACE);
  try {
    let generation = 0;
    const nag = setInterval(() => {
      void harness.server.handle({
        method: "PATCH",
        target: `/api/v1/namespaces/${NAMESPACE}/configmaps/kube-root-ca.crt`,
        headers: { "content-type": "application/merge-patch+json" },
        body: JSON.stringify({ data: { nag: String(generation++) } }),
      });
    }, 5);
    try {
      assert.notEqual(await changesAtRest(harness), 0);
    } finally {
      clearInterval(nag);
    }
  } finally {
    await harness.close();
  }
});

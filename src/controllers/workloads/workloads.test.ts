// Deployment, ReplicaSet, Endpoints, slices and garbage collection together on one API, with a kubelet made of three lines.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRng, silentLogger, SimClock, rfc3339, StatusError } from "#core";
import { createClient, createInformerSet, FakeApi } from "#client";
import { CoreService, Deployment, Endpoints, EndpointSlice, Event, Namespace, Pod, ReplicaSet, ServiceAccount } from "#kinds";
import { createEventRecorder, runController, type Controller } from "#reconcile";
import type { Kind, KubeObject } from "#schema";
import { deploymentController } from "./deployment/index.ts";
import { endpointsController } from "./endpoints/index.ts";
import { endpointSliceController, endpointSliceMirroringController } from "./endpointslice/index.ts";
import { createGarbageCollector } from "./garbage-collector/index.ts";
import { namespaceController } from "./namespace/index.ts";
import { replicaSetController } from "./replicaset/index.ts";
import { serviceAccountController } from "./serviceaccount/index.ts";

const KINDS = [Deployment, ReplicaSet, Pod, CoreService, Endpoints, EndpointSlice, ServiceAccount] as unknown as readonly Kind[];

function setUp() {
  const clock = new SimClock();
  const api = new FakeApi(clock);
  const client = createClient(api);
  const rng = new SeededRng(7);
  const logger = silentLogger;
  const stop = new AbortController();
  const { signal } = stop;
  const informers = createInformerSet({ client, clock, rng, logger });
  const events = createEventRecorder({ client, kind: Event, clock, rng, logger });
  const running = [informers.run(signal), events.run(signal), createGarbageCollector({ informers, client, kinds: KINDS, clock, rng, logger }).run(signal)];
  const start = <P extends KubeObject, O, E>(controller: Controller<P, O, E>): void => {
    running.push(runController({ controller, informers, client, events, clock, rng, logger, signal }).done);
  };
  start(deploymentController());
  start(replicaSetController());
  start(endpointsController({ informers }));
  start(endpointSliceController({ informers }));
  start(endpointSliceMirroringController());
  start(serviceAccountController({}));
  start(namespaceController({ transport: api, kinds: KINDS }));
  const deployment = (spec: Partial<Deployment["spec"]> = {}, image = "v1") =>
    client.create(Deployment, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: "default" },
      spec: {
        replicas: 1,
        progressDeadlineSeconds: 600,
        revisionHistoryLimit: 0,
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image, ports: [{ containerPort: 8080, name: "http" }] }] } },
        ...spec,
      },
    });
  const pods = async (): Promise<readonly Pod[]> => (await client.list(Pod)).items;
  /** Makes all pods ready, each at its own port. */
  const kubelet = async (): Promise<void> => {
    for (const [at, pod] of (await pods()).entries()) {
      if (pod.status?.podIP !== undefined) continue;
      const annotated = await client.patch(
        Pod,
        { namespace: "default", name: pod.metadata.name },
        { type: "application/merge-patch+json", body: { metadata: { annotations: { "eider.dev/addresses": `{"8080":"127.0.0.1:${41_000 + at}"}` } } } },
      );
      const ready = { type: "Ready", status: "True", lastTransitionTime: rfc3339(clock.wallMs()) };
      await client.updateStatus(Pod, { ...annotated, status: { phase: "Running", podIP: "127.0.0.1", conditions: [ready] } });
    }
    await clock.advance(0);
  };
  const scale = (replicas: number) =>
    client.patch(Deployment, { namespace: "default", name: "web" }, { type: "application/merge-patch+json", body: { spec: { replicas } } });
  const end = async (): Promise<void> => {
    stop.abort();
    await clock.advance(0);
    await Promise.all(running);
    assert.equal(clock.waiting, 0, "something still sleeps");
  };
  return { api, client, clock, deployment, end, kubelet, pods, scale };
}

test("workloads: a Deployment becomes ready, with Kubernetes' conditions and events", async () => {
  const { client, clock, deployment, end, kubelet, pods } = setUp();
  await deployment();
  await clock.advance(0);
  const [set] = (await client.list(ReplicaSet)).items;
  const name = set?.metadata.name ?? "";
  assert.match(name, /^web-[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  assert.deepEqual(set?.metadata.annotations, {
    "deployment.kubernetes.io/desired-replicas": "1",
    "deployment.kubernetes.io/max-replicas": "2",
    "deployment.kubernetes.io/revision": "1",
  });
  const [pod] = await pods();
  assert.equal(pod?.metadata.generateName, `${name}-`);
  assert.equal(pod?.metadata.labels?.["pod-template-hash"], name.slice("web-".length));
  await kubelet();
  const { metadata, status } = await client.get(Deployment, "default", "web");
  assert.equal(metadata.annotations?.["deployment.kubernetes.io/revision"], "1");
  assert.deepEqual(
    [status?.replicas, status?.updatedReplicas, status?.readyReplicas, status?.availableReplicas, status?.unavailableReplicas],
    [1, 1, 1, 1, undefined],
  );
  assert.deepEqual(status?.conditions?.map(({ type, status: is, reason, message }) => [type, is, reason, message]).sort(), [
    ["Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."],
    ["Progressing", "True", "NewReplicaSetAvailable", `ReplicaSet "${name}" has successfully progressed.`],
  ]);
  await clock.advance(100);
  const events = (await client.list(Event)).items.map(({ reason, message, source }) => [source?.component, reason, message]);
  assert.deepEqual(events, [
    ["deployment-controller", "ScalingReplicaSet", `Scaled up replica set ${name} from 0 to 1`],
    ["replicaset-controller", "SuccessfulCreate", `Created pod: ${pod?.metadata.name ?? ""}`],
  ]);
  await end();
});

test("workloads: waking from zero takes three object writes from scale to pod, and no time", async () => {
  const { api, clock, deployment, end, kubelet, pods, scale } = setUp();
  await deployment();
  await clock.advance(0);
  await kubelet();
  await scale(0);
  await clock.advance(0);
  assert.equal((await pods()).length, 0);
  api.writes.length = 0;
  const atMs = clock.monotonicMs();
  await scale(1);
  await clock.advance(0);
  assert.equal(clock.monotonicMs(), atMs);
  const toPod = api.writes.slice(0, api.writes.findIndex(({ verb, plural }) => verb === "create" && plural === "pods") + 1);
  assert.deepEqual(
    toPod.map(({ verb, plural, subresource = "" }) => `${verb} ${plural}${subresource}`),
    ["patch deployments", "update replicasets", "create pods"],
  );
  await end();
});

test("workloads: a new template rolls out without falling below what must be available, and old sets go", async () => {
  const { client, clock, deployment, end, kubelet, pods } = setUp();
  await deployment({ replicas: 4, strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } } });
  await clock.advance(0);
  await kubelet();
  const template = { spec: { template: { spec: { containers: [{ name: "c", image: "v2", ports: [{ containerPort: 8080, name: "http" }] }] } } } };
  await client.patch(Deployment, { namespace: "default", name: "web" }, { type: "application/merge-patch+json", body: template });
  for (let round = 0; round < 12; round++) {
    await clock.advance(0);
    const all = await pods();
    assert.ok(all.length <= 5, "more than the surge allows");
    assert.ok(all.filter((pod) => pod.status?.podIP !== undefined).length >= 4, "too few are available");
    await kubelet();
  }
  assert.deepEqual(
    (await pods()).map((pod) => pod.spec?.containers[0]?.image),
    ["v2", "v2", "v2", "v2"],
  );
  const sets = (await client.list(ReplicaSet)).items;
  assert.deepEqual(
    sets.map(({ metadata }) => metadata.annotations?.["deployment.kubernetes.io/revision"]),
    ["2"],
  );
  await end();
});

test("workloads: the progress deadline passes, and a pod that gets ready heals it", async () => {
  const { client, clock, deployment, end, kubelet } = setUp();
  await deployment({ progressDeadlineSeconds: 30 });
  await clock.advance(29_000);
  const progressing = async () => (await client.get(Deployment, "default", "web")).status?.conditions?.find(({ type }) => type === "Progressing");
  assert.equal((await progressing())?.status, "True");
  await clock.advance(3000);
  assert.deepEqual([(await progressing())?.status, (await progressing())?.reason], ["False", "ProgressDeadlineExceeded"]);
  await kubelet();
  assert.equal((await progressing())?.reason, "NewReplicaSetAvailable");
  await end();
});

test("workloads: refused pods show on ReplicaSet and Deployment, and the pod comes when it may", async () => {
  const { api, client, clock, deployment, end, pods } = setUp();
  for (let times = 0; times < 12; times++)
    api.failNext(({ verb, kind }) => verb === "create" && kind.plural === "pods", new StatusError("Forbidden", 'pods "x-" is forbidden: full'));
  await deployment();
  await clock.advance(0);
  const failure = async () => (await client.get(Deployment, "default", "web")).status?.conditions?.find(({ type }) => type === "ReplicaFailure");
  assert.deepEqual([(await failure())?.reason, (await failure())?.message], ["FailedCreate", 'pods "x-" is forbidden: full']);
  await clock.advance(100);
  const event = (await client.list(Event)).items.find(({ reason }) => reason === "FailedCreate");
  assert.equal(event?.message, 'Error creating: pods "x-" is forbidden: full');
  await clock.advance(60_000);
  assert.equal((await pods()).length, 1);
  assert.equal(await failure(), undefined);
  await end();
});

test("workloads: a Service gets Endpoints and one slice for each distinct port, and loses them", async () => {
  const { client, clock, deployment, end, kubelet } = setUp();
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "default" },
    spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] },
  };
  await client.create(CoreService, service);
  await deployment({ replicas: 2 });
  await clock.advance(0);
  const slices = async () => (await client.list(EndpointSlice)).items;
  assert.deepEqual(
    (await slices()).map((slice) => [slice.endpoints, slice.ports]),
    [[null, null]],
  );
  await kubelet();
  const { subsets } = await client.get(Endpoints, "default", "web");
  assert.deepEqual(
    subsets?.map((subset) => [subset.addresses?.map(({ ip }) => ip), subset.ports]),
    [
      [["127.0.0.1"], [{ name: "http", port: 41_000, protocol: "TCP" }]],
      [["127.0.0.1"], [{ name: "http", port: 41_001, protocol: "TCP" }]],
    ],
  );
  assert.deepEqual(
    (await slices()).map((slice) => slice.ports?.[0]?.port ?? 0).sort((a, b) => a - b),
    [41_000, 41_001],
  );
  assert.deepEqual((await slices())[0]?.endpoints?.[0]?.conditions, { ready: true, serving: true, terminating: false });
  await client.delete(CoreService, { namespace: "default", name: "web" });
  await clock.advance(0);
  assert.equal(await client.find(Endpoints, "default", "web"), undefined);
  assert.deepEqual(await slices(), []);
  await end();
});

test("workloads: deleting a Deployment takes everything along; with Orphan the ReplicaSet stays", async () => {
  for (const [propagationPolicy, sets, left] of [
    ["Background", 0, 0],
    ["Foreground", 0, 0],
    ["Orphan", 1, 1],
  ] as const) {
    const { client, clock, deployment, end, pods } = setUp();
    await deployment();
    await clock.advance(0);
    await client.delete(Deployment, { namespace: "default", name: "web" }, { propagationPolicy });
    await clock.advance(1000);
    assert.equal(await client.find(Deployment, "default", "web"), undefined, propagationPolicy);
    assert.deepEqual([(await client.list(ReplicaSet)).items.length, (await pods()).length], [sets, left], propagationPolicy);
    await end();
  }
});

test("workloads: a namespace is born with its account and is empty before it goes", async () => {
  const { client, clock, deployment, end, pods } = setUp();
  const draft = { apiVersion: "v1", kind: "Namespace", metadata: { name: "default", finalizers: ["test/hold"] }, spec: { finalizers: ["kubernetes"] } };
  await client.create(Namespace, draft);
  await deployment();
  await clock.advance(0);
  assert.equal((await client.get(Namespace, "", "default")).status?.phase, "Active");
  assert.notEqual(await client.find(ServiceAccount, "default", "default"), undefined);
  await client.delete(Namespace, { namespace: "", name: "default" });
  await clock.advance(2000);
  assert.deepEqual([(await pods()).length, (await client.list(Deployment)).items.length, (await client.list(ServiceAccount)).items.length], [0, 0, 0]);
  const { spec, status } = await client.get(Namespace, "", "default");
  assert.deepEqual([spec?.finalizers, status?.phase], [[], "Terminating"]);
  await client.patch(Namespace, { namespace: "", name: "default" }, { type: "application/merge-patch+json", body: { metadata: { finalizers: null } } });
  await clock.advance(0);
  await end();
});

// Route deltas from objects: what is sent, when an Ingress is in force, when a pod is drained.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ingress, Pod, Revision } from "#kinds";
import type { RouteDelta, SavedRoutes } from "#protocol";
import { RouteTable } from "./route-table.ts";

const CLASS = "eider.ingress.networking.knative.dev";
const OPTIONS = { ingressClass: CLASS, gatewayNames: ["gateway.system.svc.cluster.local"], clusterDomain: "cluster.local", runsRevisions: true };

function table(slots = 4): RouteTable {
  return new RouteTable({ ...OPTIONS, slots });
}

function meta(name: string, over: object = {}): Ingress["metadata"] {
  return { name, namespace: "ns", uid: `uid-${name}`, resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z", ...over };
}

function ingress(name: string, over: { meta?: object; hosts?: string[]; splits?: object[]; spec?: object } = {}): Ingress {
  const splits = over.splits ?? [
    { serviceName: "rev", serviceNamespace: "ns", servicePort: 80, percent: 100, appendHeaders: { "Knative-Serving-Revision": "rev" } },
  ];
  const rules = [{ hosts: over.hosts ?? [`${name}.example.com`], http: { paths: [{ splits }] }, visibility: "ExternalIP" }];
  return {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "Ingress",
    metadata: meta(name, { annotations: { "networking.knative.dev/ingress.class": CLASS }, ...over.meta }),
    spec: { httpOption: "Enabled", rules, ...over.spec },
  } as Ingress;
}

function revision(name = "rev", spec: object = {}): Revision {
  return {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: meta(name),
    spec: {
      containerConcurrency: 0,
      timeoutSeconds: 300,
      containers: [{ image: "x", readinessProbe: { successThreshold: 1, tcpSocket: { port: 0 } } }],
      ...spec,
    },
  } as Revision;
}

type PodState = "pending" | "launched" | "backingOff" | "running" | "ready" | "terminating";

function pod(name: string, state: PodState, over: { uid?: string; port?: number; rev?: string } = {}): Pod {
  const addresses = { "eider.dev/addresses": JSON.stringify({ 8080: `127.0.0.1:${over.port ?? 4000}` }) };
  const annotations = state === "pending" ? {} : addresses;
  const containerStatuses =
    state === "backingOff" ? [{ name: "x", image: "x", imageID: "", ready: false, restartCount: 1, state: { waiting: { reason: "CrashLoopBackOff" } } }] : [];
  const labels = { "serving.knative.dev/revision": over.rev ?? "rev" };
  const conditions = [{ type: "Ready", status: state === "ready" || state === "terminating" ? "True" : "False" }];
  const deletion = state === "terminating" ? { deletionTimestamp: "2026-01-01T00:01:00Z" } : {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: meta(name, { annotations, labels, ...deletion, ...(over.uid === undefined ? {} : { uid: over.uid }) }),
    spec: { containers: [] },
    status: { phase: state === "pending" || state === "launched" ? "Pending" : "Running", conditions, containerStatuses },
  } as Pod;
}

test("an Ingress, its revision and a ready pod become one batch with hosts, paths and backends", () => {
  const routes = table();
  const spec = { httpOption: "Redirected", tls: [{ hosts: ["secure.example.com"] }] };
  const splits = [
    { serviceName: "rev", serviceNamespace: "ns", servicePort: 80, percent: 90, appendHeaders: { A: "1" } },
    { serviceName: "old", serviceNamespace: "ns", servicePort: 80, percent: 10 },
    { serviceName: "none", serviceNamespace: "ns", servicePort: 80, percent: 0 },
  ];
  routes.upsertIngress(ingress("app", { hosts: ["App.example.com", "secure.example.com"], splits, spec }));
  routes.upsertRevision(revision("rev", { containerConcurrency: 7, timeoutSeconds: 60, idleTimeoutSeconds: 5, responseStartTimeoutSeconds: 9 }));
  routes.upsertRevision(revision("old", { containers: [{ image: "x", ports: [{ name: "h2c", containerPort: 9 }] }] }));
  routes.upsertPod(pod("pod-1", "ready"));
  const delta = routes.flush();
  const paths = (turns: number) => [
    {
      prefix: "",
      headers: [],
      appendHeaders: [],
      splits: [
        { backend: "ns/rev", percent: 90, appendHeaders: [["A", "1"]] },
        { backend: "ns/old", percent: 10, appendHeaders: [] },
      ],
      turns,
    },
  ];
  const probeHash = delta?.hosts[0]?.probeHash;
  assert.match(probeHash ?? "", /^[0-9a-f]{64}$/);
  assert.deepEqual(delta, {
    type: "routes",
    generation: 1,
    reset: false,
    hosts: [
      { host: "app.example.com", visibility: "ExternalIP", redirectToHttps: false, probeHash, paths: paths(0) },
      { host: "secure.example.com", visibility: "ExternalIP", redirectToHttps: true, probeHash, paths: paths(1) },
    ],
    hostsRemoved: [],
    backends: [
      {
        key: "ns/rev",
        protocol: "http1",
        containerConcurrency: 7,
        timeoutMs: 60_000,
        responseStartTimeoutMs: 9000,
        serverTiming: false,
        service: "",
        configuration: "",
        idleTimeoutMs: 5000,
        pods: [{ id: "uid-pod-1", name: "pod-1", slot: 0, address: "127.0.0.1", port: 4000, state: "ready" }],
        queue: 0,
      },
      {
        key: "ns/old",
        protocol: "h2c",
        containerConcurrency: 0,
        timeoutMs: 300_000,
        responseStartTimeoutMs: 0,
        serverTiming: false,
        service: "",
        configuration: "",
        idleTimeoutMs: 0,
        pods: [],
      },
    ],
    backendsRemoved: [],
  });
  assert.equal(routes.flush(), undefined);
});

test("only what changed is sent, and a change without effect sends nothing", () => {
  const routes = table();
  for (const name of ["a", "b", "c"]) {
    routes.upsertIngress(ingress(name, { splits: [{ serviceName: `rev-${name}`, serviceNamespace: "ns", servicePort: 80 }] }));
    routes.upsertRevision(revision(`rev-${name}`));
  }
  assert.equal(routes.flush()?.hosts.length, 3);
  routes.upsertPod(pod("pod-b", "ready", { rev: "rev-b" }));
  const delta = routes.flush();
  assert.deepEqual([delta?.generation, delta?.hosts, delta?.backends.map((backend) => backend.key)], [2, [], ["ns/rev-b"]]);
  routes.upsertPod(pod("pod-b", "ready", { rev: "rev-b" }));
  routes.upsertIngress(ingress("a", { meta: { resourceVersion: "9" } }));
  routes.upsertRevision(revision("rev-a"));
  assert.equal(routes.flush(), undefined);
});

test("an Ingress waits for its revisions and keeps its former routes meanwhile", () => {
  const routes = table();
  routes.upsertIngress(ingress("app"));
  assert.equal(routes.flush(), undefined);
  routes.upsertRevision(revision());
  assert.equal(routes.flush()?.hosts.length, 1);
  routes.upsertIngress(ingress("app", { meta: { generation: 2 }, splits: [{ serviceName: "rev-2", serviceNamespace: "ns", servicePort: 80 }] }));
  assert.equal(routes.flush(), undefined);
  assert.equal(routes.threadStarted(0).hosts[0]?.paths[0]?.splits[0]?.backend, "ns/rev");
  routes.upsertRevision(revision("rev-2"));
  assert.equal(routes.flush()?.hosts[0]?.paths[0]?.splits[0]?.backend, "ns/rev-2");
});

test("an Ingress is in force once every live thread has acknowledged the generation that carries it", () => {
  const routes = table();
  routes.threadStarted(0);
  routes.threadStarted(1);
  routes.acknowledged(0, 0);
  routes.acknowledged(1, 0);
  routes.upsertRevision(revision());
  routes.upsertIngress(ingress("app"));
  assert.equal(routes.state("ns/app").isInForce, false);
  const generation = routes.flush()?.generation ?? 0;
  assert.deepEqual(routes.acknowledged(0, generation).ingresses, []);
  assert.equal(routes.state("ns/app").isInForce, false);
  assert.deepEqual(routes.acknowledged(1, generation).ingresses, ["ns/app"]);
  assert.equal(routes.state("ns/app").isInForce, true);
  routes.upsertIngress(ingress("app", { meta: { generation: 2 } }));
  assert.equal(routes.state("ns/app").isInForce, false, "a newer spec is not in force yet");
  routes.flush();
  assert.deepEqual(routes.acknowledged(0, 2).ingresses, []);
  assert.deepEqual(routes.threadStopped(1).ingresses, ["ns/app"], "a dead thread holds nothing up");
});

test("Ingresses of another class, and removed ones, are not routed", () => {
  const routes = table();
  routes.upsertRevision(revision());
  routes.upsertIngress(ingress("app"));
  routes.flush();
  routes.upsertIngress(ingress("app", { meta: { generation: 2, annotations: { "networking.knative.dev/ingress.class": "other" } } }));
  assert.deepEqual(routes.flush()?.hostsRemoved, ["app.example.com"]);
  assert.equal(routes.state("ns/app").isInForce, false);
});

test("of two Ingresses that claim a host the older one has it, and the other gets it when that goes", () => {
  const routes = table();
  routes.threadStarted(0);
  routes.acknowledged(0, 0);
  routes.upsertRevision(revision());
  routes.upsertIngress(ingress("young", { hosts: ["x.example.com"], meta: { creationTimestamp: "2026-02-01T00:00:00Z" } }));
  routes.upsertIngress(ingress("old", { hosts: ["x.example.com"] }));
  assert.equal(routes.flush()?.hosts.length, 1);
  assert.deepEqual(routes.acknowledged(0, 1).ingresses, ["ns/old"]);
  assert.deepEqual(routes.state("ns/young").conflict, { host: "x.example.com", owner: "ns/old" });
  assert.equal(routes.state("ns/young").isInForce, false);
  routes.removeIngress("ns/old");
  const delta = routes.flush();
  assert.deepEqual([delta?.hosts.length, delta?.hostsRemoved], [1, []]);
  assert.equal(routes.state("ns/young").isInForce, false);
  assert.deepEqual(routes.acknowledged(0, 2).ingresses, ["ns/young"]);
  assert.equal(routes.state("ns/young").conflict, undefined);
});

const states: readonly { name: string; spec?: object; before?: PodState; now: PodState; want: string | undefined }[] = [
  { name: "a ready pod gets requests", now: "ready", want: "ready" },
  { name: "a running pod is tried by connecting", now: "running", want: "starting" },
  { name: "a pod without a process is left alone", now: "pending", want: undefined },
  { name: "a pod that is just being started is tried by connecting", now: "launched", want: "starting" },
  { name: "a pod whose program ended is left alone", now: "backingOff", want: undefined },
  { name: "an ending pod gets nothing", now: "terminating", want: undefined },
  { name: "a pod that was ready and is not any more is left alone", before: "ready", now: "running", want: undefined },
  {
    name: "an HTTP probe must succeed first",
    spec: { containers: [{ image: "x", readinessProbe: { httpGet: { path: "/" } } }] },
    now: "running",
    want: undefined,
  },
  { name: "without any probe connecting is enough", spec: { containers: [{ image: "x" }] }, now: "running", want: "starting" },
];
for (const { name, spec, before, now, want } of states) {
  test(`pods: ${name}`, () => {
    const routes = table();
    routes.upsertRevision(revision("rev", spec));
    if (before !== undefined) {
      routes.upsertPod(pod("p", before));
      routes.flush();
    }
    routes.upsertPod(pod("p", now));
    routes.flush();
    assert.equal(routes.threadStarted(0).backends[0]?.pods[0]?.state, want);
  });
}

test("a pod is drained once every thread that knew it has said so", () => {
  const routes = table();
  routes.threadStarted(0);
  routes.threadStarted(1);
  routes.upsertRevision(revision());
  routes.upsertPod(pod("p", "ready"));
  routes.flush();
  assert.equal(routes.isDrained("uid-p"), false);
  routes.upsertPod(pod("p", "terminating"));
  assert.equal(routes.isDrained("uid-p"), false, "not flushed yet");
  const generation = routes.flush()?.generation ?? 0;
  assert.deepEqual(routes.drained(0, "uid-p", generation - 1).pods, []);
  assert.deepEqual(routes.drained(0, "uid-p", generation).pods, []);
  assert.equal(routes.isDrained("uid-p"), false);
  assert.deepEqual(routes.threadStopped(1).pods, ["uid-p"], "a dead thread runs nothing");
  assert.equal(routes.isDrained("uid-p"), true);
  assert.equal(routes.isDrained("never-routed"), true);
});

test("a slot is given to another pod only after its last user has drained", () => {
  const routes = table(1);
  routes.threadStarted(0);
  routes.upsertRevision(revision());
  routes.upsertPod(pod("a", "ready"));
  routes.flush();
  routes.upsertPod(pod("b", "ready", { port: 4001 }));
  assert.equal(routes.flush(), undefined);
  assert.equal(routes.podsWithoutSlot, 1);
  routes.removePod("ns/a");
  const delta = routes.flush();
  assert.deepEqual(delta?.backends[0]?.pods, []);
  assert.deepEqual(routes.drained(0, "uid-a", delta?.generation ?? 0).pods, ["uid-a"]);
  const pods = routes.flush()?.backends[0]?.pods;
  assert.deepEqual(pods, [{ id: "uid-b", name: "b", slot: 0, address: "127.0.0.1", port: 4001, state: "ready" }]);
  assert.equal(routes.podsWithoutSlot, 0);
});

test("a pod of the same name with another uid is another pod", () => {
  const routes = table();
  routes.threadStarted(0);
  routes.upsertRevision(revision());
  routes.upsertPod(pod("p", "ready", { uid: "first" }));
  routes.flush();
  routes.upsertPod(pod("p", "running", { uid: "second" }));
  assert.deepEqual(
    routes.flush()?.backends[0]?.pods.map(({ id, state }) => [id, state]),
    [["second", "starting"]],
  );
  assert.equal(routes.isDrained("first"), false);
});

test("a deleted revision is taken out with its pods", () => {
  const routes = table();
  routes.threadStarted(0);
  routes.upsertRevision(revision());
  routes.upsertPod(pod("p", "ready"));
  routes.flush();
  routes.removeRevision("ns/rev");
  const delta = routes.flush();
  assert.deepEqual(delta?.backendsRemoved, ["ns/rev"]);
  assert.deepEqual(routes.drained(0, "uid-p", delta?.generation ?? 0).pods, ["uid-p"]);
});

test("a path with several shares has a row of turns: kept while shares change, given to another once all threads know that it is gone", () => {
  const routes = table(1);
  for (const name of ["a", "b"]) routes.upsertRevision(revision(name));
  routes.threadStarted(0);
  routes.acknowledged(0, 0);
  const splits = (percent: number) =>
    ["a", "b"].map((serviceName, index) => ({ serviceName, serviceNamespace: "ns", servicePort: 80, percent: index === 0 ? percent : 100 - percent }));
  const rowOf = (name: string, percent: number, generation: number) => {
    routes.upsertIngress(ingress(name, { meta: { generation }, splits: splits(percent) }));
    return routes.flush()?.hosts[0]?.paths[0]?.turns;
  };
  assert.equal(rowOf("app", 90, 1), 0);
  assert.equal(rowOf("app", 50, 2), 0);
  assert.equal(rowOf("other", 50, 1), undefined, "no row is left: each thread splits for itself");
  assert.equal(routes.threadStarted(1).hosts[0]?.paths[0]?.turns, 0, "a thread that starts gets the same");
  routes.acknowledged(1, 3);
  assert.equal(rowOf("app", 100, 3), undefined, "one share needs none");
  routes.acknowledged(0, 4);
  assert.equal(rowOf("other", 40, 2), undefined, "a thread may still count in it");
  routes.acknowledged(1, 4);
  assert.equal(rowOf("other", 30, 3), 0);
});

/** The table of a platform that died, and one that begins with what it left. */
function afterRestart(before: RouteTable, slots = 4): { readonly routes: RouteTable; readonly told: RouteDelta } {
  const told = before.everything();
  const { hosts, backends } = told;
  const settings = {} as SavedRoutes["settings"];
  const routes = new RouteTable({ ...OPTIONS, slots, restored: { settings, hosts, backends } });
  assert.deepEqual(routes.threadStarted(0), { ...told, generation: 1 });
  routes.acknowledged(0, 1);
  return { routes, told };
}

function served(): RouteTable {
  const routes = table();
  routes.upsertRevision(revision());
  routes.upsertIngress(ingress("app"));
  for (const [index, name] of ["a", "b", "c"].entries()) routes.upsertPod(pod(name, "ready", { port: 4000 + index }));
  routes.flush();
  return routes;
}

test("a restored table: threads that serve by it have acknowledged nothing, and pods keep their slots", () => {
  const { routes, told } = afterRestart(served());
  routes.upsertIngress(ingress("app"));
  assert.equal(routes.state("ns/app").isInForce, false, "not planned yet");
  routes.upsertRevision(revision());
  for (const [index, name] of ["c", "b", "a"].entries()) routes.upsertPod(pod(name, "ready", { port: 4002 - index }));
  const delta = routes.flush();
  assert.deepEqual(delta?.hosts, told.hosts);
  assert.equal(routes.state("ns/app").isInForce, false, "planned and not acknowledged");
  assert.deepEqual(routes.acknowledged(0, delta?.generation ?? 0).ingresses, ["ns/app"]);
  const slotsOf = (batch: RouteDelta): object => Object.fromEntries(batch.backends.flatMap(({ pods }) => pods.map(({ id, slot }) => [id, slot])));
  assert.deepEqual(slotsOf(routes.everything()), slotsOf(told));
});

test("a restored table: what has gone meanwhile is taken out, and its slot is not given away before the threads have let go of it", () => {
  const { routes, told } = afterRestart(served(), 3);
  routes.upsertRevision(revision());
  routes.upsertPod(pod("a", "ready"));
  routes.upsertPod(pod("new", "ready", { port: 4009 }));
  const delta = routes.flush();
  assert.deepEqual(delta?.hostsRemoved, ["app.example.com"]);
  assert.deepEqual(
    delta?.backends[0]?.pods.map(({ id }) => id),
    ["uid-a"],
  );
  const slotOfB = told.backends[0]?.pods.find(({ id }) => id === "uid-b")?.slot;
  assert.equal(routes.isDrained("uid-b"), false);
  assert.deepEqual(routes.drained(0, "uid-b", delta?.generation ?? 0).pods, ["uid-b"]);
  const next = routes.flush()?.backends[0]?.pods.find(({ id }) => id === "uid-new");
  assert.equal(next?.slot, slotOfB);
});

test("a restored table: a revision that is gone goes with its pods", () => {
  const { routes } = afterRestart(served());
  assert.deepEqual(routes.flush()?.backendsRemoved, ["ns/rev"]);
  assert.equal(routes.isDrained("uid-a"), false);
});

test("a limited revision with pods has a row of waiters; back soon it gets the same, gone for good it frees it", () => {
  const routes = table();
  routes.threadStarted(0);
  routes.acknowledged(0, 0);
  routes.upsertRevision(revision("rev", { containerConcurrency: 1 }));
  routes.upsertRevision(revision("other", { containerConcurrency: 1 }));
  const queueOf = (name: string) => routes.flush()?.backends.find(({ key }) => key === `ns/${name}`)?.queue;
  assert.equal(queueOf("rev"), undefined, "nobody frees a place");
  routes.upsertPod(pod("p", "ready"));
  assert.equal(queueOf("rev"), 0);
  routes.removePod("ns/p");
  assert.equal(queueOf("rev"), undefined);
  routes.upsertPod(pod("p2", "ready"));
  routes.upsertPod(pod("q", "ready", { rev: "other", port: 4001 }));
  const delta = routes.flush();
  assert.deepEqual(
    new Map(delta?.backends.map(({ key, queue }) => [key, queue])),
    new Map([
      ["ns/rev", 0],
      ["ns/other", 1],
    ]),
  );
  routes.removePod("ns/p2");
  const gone = routes.flush()?.generation ?? 0;
  routes.acknowledged(0, gone);
  routes.upsertRevision(revision("third", { containerConcurrency: 1 }));
  routes.upsertPod(pod("r", "ready", { rev: "third", port: 4002 }));
  assert.equal(queueOf("third"), 0);
});

test("a revision may ask for another way to choose pods; what is unknown is the default", () => {
  const routes = table();
  for (const [name, asked] of [
    ["rev", "round-robin"],
    ["other", "by-chance"],
  ] as const) {
    const plain = revision(name);
    routes.upsertRevision({ ...plain, metadata: { ...plain.metadata, annotations: { "eider.dev/load-balancing": asked } } });
  }
  assert.deepEqual(
    routes.flush()?.backends.map(({ loadBalancing }) => loadBalancing),
    ["round-robin", undefined],
  );
});

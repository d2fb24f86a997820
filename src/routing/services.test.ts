// What stands behind the Services that Ingresses name, and when an Ingress that names them comes into force.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CoreService, EndpointSlice, Ingress, Revision } from "#kinds";
import type { Reference } from "./ingress-routes.ts";
import { RouteTable } from "./route-table.ts";
import { serviceFacts, sliceFacts } from "./service-facts.ts";
import { Services } from "./services.ts";

const CLASS = "eider.ingress.networking.knative.dev";
const GATEWAY = "gateway.system.svc.cluster.local";

function meta(name: string, labels: Record<string, string> = {}) {
  return { name, namespace: "ns", uid: `uid-${name}`, resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z", labels };
}

function service(name: string, spec: object = {}, labels: Record<string, string> = {}): CoreService {
  const all = { selector: { app: name }, ports: [{ name: "http", port: 80, targetPort: 8080 }], ...spec };
  return { apiVersion: "v1", kind: "Service", metadata: meta(name, labels), spec: all } as CoreService;
}

function externalName(name: string, to: string): CoreService {
  return service(name, { type: "ExternalName", externalName: to, selector: undefined, ports: [{ name: "h2", port: 80, appProtocol: "kubernetes.io/h2c" }] });
}

type Endpoints = readonly { readonly address: string; readonly uid?: string; readonly ready?: boolean }[];

function slice(name: string, of: string, endpoints: Endpoints, port = 4000, labels: Record<string, string> = {}): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: meta(name, { "kubernetes.io/service-name": of, ...labels }),
    addressType: "IPv4",
    endpoints: endpoints.map(({ address, uid, ready = true }) => ({
      addresses: [address],
      conditions: { ready },
      ...(uid === undefined ? {} : { targetRef: { kind: "Pod", name: "p", uid } }),
    })),
    ports: [{ name: "http", protocol: "TCP", port }],
  } as EndpointSlice;
}

const to = (name: string, port = "80"): Reference => ({ key: `ns/${name}:${port}`, service: `ns/${name}`, port });

const rows: readonly { name: string; services?: CoreService[]; slices?: EndpointSlice[]; reference?: Reference; want: object }[] = [
  { name: "a revision, whatever its Service says", reference: to("rev"), services: [service("rev")], want: { is: "revision", key: "ns/rev" } },
  { name: "no Service", want: { is: "missing", why: 'Service "ns/web" does not exist' } },
  { name: "a Service without endpoints", services: [service("web")], want: { is: "missing", why: 'Service "ns/web" has no ready endpoints' } },
  {
    name: "ready endpoints, also those that somebody wrote down",
    services: [service("web")],
    slices: [slice("a", "web", [{ address: "127.0.0.1", uid: "u" }, { address: "10.0.0.9" }, { address: "10.0.0.8", ready: false }])],
    want: {
      is: "service",
      isH2c: false,
      endpoints: [
        { address: "127.0.0.1", podUid: "u", port: 4000 },
        { address: "10.0.0.9", podUid: undefined, port: 4000 },
      ],
    },
  },
  {
    name: "a port by its name, and pods at different ports",
    services: [service("web")],
    reference: to("web", "http"),
    slices: [slice("a", "web", [{ address: "127.0.0.1", uid: "u" }]), slice("b", "web", [{ address: "127.0.0.1", uid: "v" }], 4001)],
    want: {
      is: "service",
      isH2c: false,
      endpoints: [
        { address: "127.0.0.1", podUid: "u", port: 4000 },
        { address: "127.0.0.1", podUid: "v", port: 4001 },
      ],
    },
  },
  {
    name: "a port that the Service does not have",
    services: [service("web")],
    reference: to("web", "81"),
    want: { is: "missing", why: 'Service "ns/web" has no port 81' },
  },
  { name: "our own gateway's name", services: [externalName("web", `${GATEWAY}.`)], want: { is: "gateway" } },
  {
    name: "the name of another Service",
    services: [externalName("web", "other.ns.svc.cluster.local"), service("other")],
    slices: [slice("a", "other", [{ address: "10.0.0.1" }])],
    want: { is: "service", isH2c: false, endpoints: [{ address: "10.0.0.1", podUid: undefined, port: 4000 }] },
  },
  {
    name: "a Service that stands for itself",
    services: [externalName("web", "web.ns.svc")],
    want: { is: "missing", why: 'Service "ns/web" stands for one that stands for itself' },
  },
  {
    name: "a name outside of the cluster",
    services: [externalName("web", "Example.com")],
    want: { is: "service", isH2c: true, endpoints: [{ address: "example.com", podUid: undefined, port: 80 }] },
  },
];

for (const { name, services = [], slices = [], reference = to("web"), want } of rows) {
  test(`a split leads to ${name}`, () => {
    const state = new Services({ gatewayNames: [GATEWAY], clusterDomain: "cluster.local", isRevision: (key) => key === "ns/rev" });
    for (const each of services) state.setService(`ns/${each.metadata.name}`, serviceFacts(each));
    for (const each of slices) state.setSlice(`ns/${each.metadata.name}`, sliceFacts(each));
    assert.deepEqual(state.resolve(reference, new Set()), want);
  });
}

function table(runsRevisions = true): RouteTable {
  const routes = new RouteTable({ ingressClass: CLASS, slots: 8, gatewayNames: [GATEWAY], clusterDomain: "cluster.local", runsRevisions });
  routes.threadStarted(0);
  routes.acknowledged(0, 0);
  return routes;
}

function ingress(
  name: string,
  serviceName: string,
  over: { readonly generation?: number; readonly rewriteHost?: string; readonly headers?: object } = {},
): Ingress {
  const split = { serviceName, serviceNamespace: "ns", servicePort: 80, ...(over.headers === undefined ? {} : { appendHeaders: over.headers }) };
  const path = { splits: [split], ...(over.rewriteHost === undefined ? {} : { rewriteHost: over.rewriteHost }) };
  return {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "Ingress",
    metadata: { ...meta(name), generation: over.generation ?? 1, annotations: { "networking.knative.dev/ingress-class": CLASS } },
    spec: { rules: [{ hosts: [`${name}.test`], http: { paths: [path] }, visibility: "ExternalIP" }] },
  } as unknown as Ingress;
}

/** Flushes, and lets the one thread take it in. */
function settle(routes: RouteTable): ReturnType<RouteTable["flush"]> {
  const delta = routes.flush();
  if (delta !== undefined) routes.acknowledged(0, delta.generation);
  return delta;
}

test("an Ingress waits for a Service, for its endpoints and for somebody to answer there, and tells what it waits for", () => {
  const routes = table();
  routes.upsertIngress(ingress("app", "web"));
  const steps: readonly (readonly [() => void, string | undefined])[] = [
    [() => undefined, 'Service "ns/web" does not exist'],
    [() => routes.upsertService(service("web")), 'Service "ns/web" has no ready endpoints'],
    [() => routes.upsertEndpointSlice(slice("a", "web", [{ address: "127.0.0.1", uid: "u" }])), 'no endpoint of Service "ns/web" answers'],
    [() => routes.proved("ns/web:80"), undefined],
  ];
  for (const [step, waitsFor] of steps) {
    step();
    settle(routes);
    assert.deepEqual(routes.takeNews(), ["ns/app"]);
    assert.deepEqual(routes.state("ns/app"), waitsFor === undefined ? { isInForce: true } : { isInForce: false, waitsFor });
  }
  const { hosts, backends } = routes.everything();
  assert.deepEqual(hosts[0]?.paths[0]?.splits, [{ backend: "ns/web:80", percent: 100, appendHeaders: [], to: "service" }]);
  assert.deepEqual(
    backends.map(({ key, kind, containerConcurrency, pods }) => [key, kind, containerConcurrency, pods.map(({ address, port }) => `${address}:${port}`)]),
    [["ns/web:80", "service", 0, ["127.0.0.1:4000"]]],
  );
});

/** A table with `app` in force on the Service `web`. */
function inForce(): RouteTable {
  const routes = table();
  routes.upsertService(service("web"));
  routes.upsertEndpointSlice(slice("a", "web", [{ address: "127.0.0.1", uid: "u" }]));
  routes.upsertIngress(ingress("app", "web"));
  settle(routes);
  routes.proved("ns/web:80");
  settle(routes);
  assert.equal(routes.state("ns/app").isInForce, true);
  return routes;
}

test("endpoints that go are taken out and drained; the Ingress stays in force", () => {
  const routes = inForce();
  routes.upsertEndpointSlice(slice("a", "web", []));
  const delta = settle(routes);
  assert.deepEqual([delta?.hosts, delta?.backends[0]?.pods], [[], []]);
  assert.equal(routes.state("ns/app").isInForce, true);
  assert.equal(routes.isDrained("u"), false);
  assert.deepEqual(routes.drained(0, "u ns/web:80", delta?.generation ?? 0).pods, ["u"]);
  assert.equal(routes.isDrained("u"), true);
});

test("a change to a Service that is not there yet leaves the former routes; then it goes over in one batch", () => {
  const routes = inForce();
  routes.upsertIngress(ingress("app", "next", { generation: 2 }));
  assert.equal(settle(routes), undefined);
  assert.deepEqual(routes.state("ns/app"), { isInForce: false, waitsFor: 'Service "ns/next" does not exist' });
  routes.upsertService(service("next"));
  routes.upsertEndpointSlice(slice("b", "next", [{ address: "127.0.0.1", uid: "v" }], 4001));
  settle(routes);
  routes.proved("ns/next:80");
  const delta = settle(routes);
  assert.equal(delta?.hosts[0]?.paths[0]?.splits[0]?.backend, "ns/next:80");
  assert.deepEqual(delta.backendsRemoved, ["ns/web:80"]);
  assert.deepEqual(
    routes.everything().backends.map(({ key }) => key),
    ["ns/next:80"],
  );
});

test("a pod behind two Services is drained when both have let go of it", () => {
  const routes = inForce();
  routes.upsertService(service("too"));
  routes.upsertEndpointSlice(slice("b", "too", [{ address: "127.0.0.1", uid: "u" }]));
  routes.upsertIngress(ingress("second", "too"));
  settle(routes);
  routes.proved("ns/too:80");
  settle(routes);
  routes.upsertEndpointSlice(slice("a", "web", []));
  const first = settle(routes);
  assert.deepEqual(routes.drained(0, "u ns/web:80", first?.generation ?? 0).pods, []);
  routes.removeIngress("ns/second");
  const second = settle(routes);
  assert.deepEqual(second?.backendsRemoved, ["ns/too:80"]);
  assert.deepEqual(routes.drained(0, "u ns/too:80", second?.generation ?? 0).pods, ["u"]);
});

test("a Service that begins to stand for our gateway is followed, without a backend", () => {
  const routes = inForce();
  routes.upsertService(externalName("web", GATEWAY));
  const delta = settle(routes);
  assert.deepEqual(delta?.hosts[0]?.paths[0]?.splits[0]?.to, "gateway");
  assert.deepEqual(delta.backendsRemoved, ["ns/web:80"]);
});

const OF_REVISION = { "networking.internal.knative.dev/serverlessservice": "rev", "networking.internal.knative.dev/serviceType": "Public" };

test("a revision that we run is waited for: its Service leads to this gateway and is no way to it", () => {
  const routes = table();
  routes.upsertService(service("rev", {}, OF_REVISION));
  routes.upsertEndpointSlice(slice("a", "rev", [{ address: "127.0.0.1" }], 8012, OF_REVISION));
  routes.upsertIngress(ingress("app", "rev"));
  settle(routes);
  assert.equal(routes.state("ns/app").isInForce, false);
  routes.upsertRevision({ apiVersion: "serving.knative.dev/v1", kind: "Revision", metadata: meta("rev"), spec: { containers: [{ image: "x" }] } } as Revision);
  assert.deepEqual(settle(routes)?.hosts[0]?.paths[0]?.splits[0], { backend: "ns/rev", percent: 100, appendHeaders: [] });
  assert.equal(routes.state("ns/app").isInForce, true);
});

test("for another control plane its activators are a Service like any other, and get Knative's routing headers", () => {
  const routes = table(false);
  const headers = { "Knative-Serving-Namespace": "ns", "Knative-Serving-Revision": "rev" };
  routes.upsertService(service("rev", { selector: undefined }, OF_REVISION));
  routes.upsertEndpointSlice(slice("a", "rev", [{ address: "10.1.2.3" }], 8012, OF_REVISION));
  routes.upsertIngress(ingress("app", "rev", { headers }));
  settle(routes);
  routes.proved("ns/rev:80");
  const delta = settle(routes);
  assert.deepEqual(delta?.hosts[0]?.paths[0]?.splits[0], { backend: "ns/rev:80", percent: 100, appendHeaders: Object.entries(headers), to: "service" });
  assert.deepEqual(
    routes.everything().backends[0]?.pods.map(({ address, port }) => `${address}:${port}`),
    ["10.1.2.3:8012"],
  );
});

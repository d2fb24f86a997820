// Tests of Services, Endpoints, Secrets, ConfigMaps, Events, Nodes and Namespaces: defaults, checks, tables.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileKind, deepFreeze, matchesFields, parseFieldSelector, tableOf, type Kind, type KubeObject } from "#schema";
import { ConfigMap } from "./config-map.ts";
import { Endpoints } from "./endpoints.ts";
import { Event } from "./event.ts";
import { Namespace } from "./namespace.ts";
import { ClusterNode } from "./node.ts";
import { Secret } from "./secret.ts";
import { CoreService } from "./service.ts";

const NOW = Date.parse("2026-01-01T00:05:30Z");
const CREATED = "2026-01-01T00:00:00Z";

function stored<O extends KubeObject>(kind: Kind<O>, body: object, metadata: object = {}): O {
  const compiled = compileKind(kind);
  const json = { metadata: { name: "x", namespace: kind.scope === "Cluster" ? "" : "d", creationTimestamp: CREATED, ...metadata }, ...body };
  return deepFreeze(compiled.applyDefaults(compiled.decode(json, { fieldValidation: "Strict" }).object) as O);
}

const cells = <O extends KubeObject>(kind: Kind<O>, object: O): unknown[] => tableOf(kind).cells(object, NOW);
const errors = <O extends KubeObject>(kind: Kind<O>, object: O, old?: O): string[] =>
  compileKind(kind)
    .validate(object, old)
    .map((error) => `${error.field}: ${error.message}`);

test("a Service gets its type, its target ports and its policies", () => {
  const { spec, status } = stored(CoreService, { spec: { ports: [{ port: 80 }] } });
  assert.deepEqual(spec, {
    ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
    sessionAffinity: "None",
    type: "ClusterIP",
    internalTrafficPolicy: "Cluster",
  });
  assert.deepEqual(status, { loadBalancer: {} });
});

test("an ExternalName Service has no traffic policy", () => {
  assert.deepEqual(stored(CoreService, { spec: { type: "ExternalName", externalName: "a.b" } }).spec, {
    type: "ExternalName",
    externalName: "a.b",
    sessionAffinity: "None",
  });
});

for (const { name, spec, want } of [
  {
    name: "a ClusterIP",
    spec: { clusterIP: "10.0.0.1", ports: [{ port: 80 }], selector: { a: "b" } },
    want: ["ClusterIP", "10.0.0.1", "<none>", "80/TCP", "5m30s", "a=b"],
  },
  { name: "an ExternalName", spec: { type: "ExternalName", externalName: "a.b" }, want: ["ExternalName", "<none>", "a.b", "<none>", "5m30s", "<none>"] },
  {
    name: "a LoadBalancer without an address",
    spec: { type: "LoadBalancer", clusterIP: "10.0.0.1", ports: [{ port: 80, nodePort: 30_000 }] },
    want: ["LoadBalancer", "10.0.0.1", "<pending>", "80:30000/TCP", "5m30s", "<none>"],
  },
]) {
  test(`kubectl get shows ${name}`, () => assert.deepEqual(cells(CoreService, stored(CoreService, { spec })).slice(1), want));
}

for (const { name, spec, want } of [
  { name: "no ports", spec: {}, want: ["spec.ports: Required value"] },
  { name: "a headless Service without ports", spec: { clusterIP: "None" }, want: [] },
  {
    name: "ports without names",
    spec: { ports: [{ port: 80 }, { port: 81 }] },
    want: ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
  },
  {
    name: "the same port twice",
    spec: {
      ports: [
        { name: "a", port: 80 },
        { name: "b", port: 80 },
      ],
    },
    want: ['spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}'],
  },
  {
    name: "an unknown type",
    spec: { type: "Odd", ports: [{ port: 80 }] },
    want: ['spec.type: Unsupported value: "Odd": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
  },
]) {
  test(`the check of Services finds ${name}`, () => assert.deepEqual(errors(CoreService, stored(CoreService, { spec })), want));
}

test("a Service's name is a DNS-1035 label and its address stays", () => {
  const ports = [{ port: 80 }];
  assert.match(
    errors(CoreService, stored(CoreService, { spec: { ports } }, { name: "1a" }))[0] ?? "",
    /^metadata\.name: Invalid value: "1a": a DNS-1035 label/,
  );
  const moved = errors(
    CoreService,
    stored(CoreService, { spec: { ports, clusterIP: "10.0.0.2" } }),
    stored(CoreService, { spec: { ports, clusterIP: "10.0.0.1" } }),
  );
  assert.deepEqual(moved, ["spec.clusterIPs[0]: Invalid value: null: may not change once set"]);
});

test("Endpoints show three addresses and how many more", () => {
  const addresses = ["1", "2", "3", "4"].map((last) => ({ ip: `10.0.0.${last}` }));
  const shown = cells(Endpoints, stored(Endpoints, { subsets: [{ addresses, ports: [{ port: 80 }] }] }));
  assert.deepEqual(shown.slice(1), ["10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...", "5m30s"]);
  assert.equal(cells(Endpoints, stored(Endpoints, {}))[1], "<none>");
});

test("a Secret's plain data are encoded and its type is Opaque", () => {
  const secret = stored(Secret, { stringData: { a: "hello" }, data: { b: "eA==" } });
  assert.deepEqual([secret.data, secret.stringData, secret.type], [{ a: "aGVsbG8=", b: "eA==" }, undefined, "Opaque"]);
  assert.deepEqual(cells(Secret, secret), ["x", "Opaque", 2, "5m30s"]);
  assert.deepEqual(errors(Secret, stored(Secret, { type: "kubernetes.io/tls" })), ["data[tls.crt]: Required value", "data[tls.key]: Required value"]);
});

test("an immutable ConfigMap stays as it is, and keys have a form", () => {
  const old = stored(ConfigMap, { data: { a: "1" }, immutable: true });
  assert.deepEqual(errors(ConfigMap, stored(ConfigMap, { data: { a: "2" }, immutable: true }), old), [
    "data: Forbidden: field is immutable when `immutable` is set",
  ]);
  assert.match(
    errors(ConfigMap, stored(ConfigMap, { data: { "a b": "1" } }))[0] ?? "",
    /^data\[a b\]: Invalid value: "a b": a valid config key must consist of/,
  );
  assert.deepEqual(cells(ConfigMap, old), ["x", 1, "5m30s"]);
});

test("a new Namespace is active, held by its finalizer, and labelled with its name", () => {
  const created = (status: object): Namespace => {
    const filled = stored(Namespace, { status });
    return Namespace.prepareNew?.(filled) ?? filled;
  };
  const namespace = created({});
  assert.deepEqual([namespace.spec, namespace.status], [{ finalizers: ["kubernetes"] }, { phase: "Active" }]);
  assert.equal(namespace.metadata.labels?.["kubernetes.io/metadata.name"], "x");
  const ending = stored(Namespace, { spec: {}, status: { phase: "Terminating" } });
  assert.equal(ending.spec?.finalizers, undefined, "the finalizer is not put back");
});

test("Events show who, what and how often, and are selected by their object", () => {
  const involvedObject = { kind: "Pod", name: "p", namespace: "d", uid: "u" };
  const event = stored(Event, {
    involvedObject,
    reason: "Started",
    type: "Normal",
    message: "it began\n",
    source: { component: "kubelet", host: "n" },
    lastTimestamp: "2026-01-01T00:05:00Z",
    firstTimestamp: CREATED,
    count: 3,
  });
  assert.deepEqual(cells(Event, event), ["30s", "Normal", "Started", "pod/p", "", "kubelet, n", "it began", "5m30s", 3, "x"]);
  const kind = Event as unknown as Kind;
  assert.ok(matchesFields(parseFieldSelector("involvedObject.name=p,involvedObject.uid=u,type!=Warning"), kind, event));
  assert.deepEqual(errors(Event, stored(Event, { involvedObject: { namespace: "other" } })), [
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ]);
});

test("a Node shows its state and its roles", () => {
  const node = stored(
    ClusterNode,
    { spec: { unschedulable: true }, status: { conditions: [{ type: "Ready", status: "True" }], addresses: [{ type: "InternalIP", address: "127.0.0.1" }] } },
    { labels: { "node-role.kubernetes.io/control-plane": "" } },
  );
  assert.deepEqual(cells(ClusterNode, node).slice(1), [
    "Ready,SchedulingDisabled",
    "control-plane",
    "5m30s",
    "",
    "127.0.0.1",
    "<none>",
    "<unknown>",
    "<unknown>",
    "<unknown>",
  ]);
});

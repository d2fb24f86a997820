// Slices of selected pods and slices mirrored from Endpoints.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CoreService, Endpoints, EndpointSlice } from "#kinds";
import type { BackingPod } from "../service-pods.ts";
import { planMirror, planSlices } from "./plan.ts";

const metadata = (name: string) => ({ name, namespace: "default", uid: `uid-${name}`, resourceVersion: "1", creationTimestamp: "" });
const service = (spec: NonNullable<CoreService["spec"]>): CoreService => ({ apiVersion: "v1", kind: "Service", metadata: metadata("web"), spec });
const pod = (name: string, port: number, over: Partial<BackingPod> = {}): BackingPod => ({
  namespace: "default",
  name,
  uid: `uid-${name}`,
  labels: {},
  podIP: "127.0.0.1",
  ready: true,
  terminating: false,
  namedPorts: [],
  addresses: `{"8080":"127.0.0.1:${port}"}`,
  ...over,
});
const slice = (name: string, port: number): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: metadata(name),
  addressType: "IPv4",
  endpoints: [],
  ports: [{ protocol: "TCP", port }],
});
const spec = { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] };

const shape = (children: readonly { readonly object: object }[] | undefined) =>
  children?.map(({ object }) => {
    const { metadata: meta, endpoints, ports } = object as EndpointSlice;
    return [meta.name ?? meta.generateName, endpoints?.length ?? 0, ports?.map((port) => port.port)];
  });

const table = [
  { name: "pods at the same port share a slice", pods: [pod("a", 1), pod("b", 1)], slices: [], want: [["web-", 2, [1]]] },
  {
    name: "each distinct port has a slice, and the one that exists is kept",
    pods: [pod("a", 1), pod("b", 2)],
    slices: [slice("web-x", 2)],
    want: [
      ["web-", 1, [1]],
      ["web-x", 1, [2]],
    ],
  },
  { name: "a slice whose port is gone is used for another", pods: [pod("a", 3)], slices: [slice("web-x", 2)], want: [["web-x", 1, [3]]] },
  { name: "without pods one empty slice stays", pods: [], slices: [slice("web-x", 2), slice("web-y", 3)], want: [["web-x", 0, undefined]] },
  {
    name: "more than a hundred endpoints need two",
    pods: Array.from({ length: 101 }, (_, at) => pod(`p${at}`, 1)),
    slices: [],
    want: [
      ["web-", 100, [1]],
      ["web-", 1, [1]],
    ],
  },
];
for (const { name, pods, slices, want } of table) {
  test(`planSlices: ${name}`, () => assert.deepEqual(shape(planSlices({ service: service(spec), pods, slices }).desired), want));
}

test("planSlices: a pod on its way out still serves and is not ready", () => {
  const [child] = planSlices({ service: service(spec), pods: [pod("a", 1, { terminating: true })], slices: [] }).desired ?? [];
  assert.deepEqual((child?.object as unknown as EndpointSlice | undefined)?.endpoints?.[0]?.conditions, { ready: false, serving: true, terminating: true });
});

const endpoints: Endpoints = {
  apiVersion: "v1",
  kind: "Endpoints",
  metadata: { ...metadata("web"), labels: { app: "web" }, annotations: { note: "1" } },
  subsets: [
    { addresses: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }], notReadyAddresses: [{ ip: "10.0.0.2" }], ports: [{ name: "http", port: 8012, protocol: "TCP" }] },
  ],
};

test("planMirror: one slice an address family, with labels as Kubernetes gives them", () => {
  const { desired } = planMirror({ endpoints, service: service({}), slices: [] });
  assert.deepEqual(shape(desired), [
    ["web-", 2, [8012]],
    ["web-", 1, [8012]],
  ]);
  assert.deepEqual(desired?.[0]?.object.metadata.labels, {
    app: "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    "kubernetes.io/service-name": "web",
  });
  assert.deepEqual(desired?.[0]?.object.metadata.annotations, { note: "1" });
  assert.deepEqual(
    (desired?.[0]?.object as unknown as EndpointSlice | undefined)?.endpoints?.map(({ conditions }) => conditions),
    [{ ready: true }, { ready: false }],
  );
});

for (const [name, given] of [
  ["the Service has a selector", { endpoints, service: service(spec), slices: [] }],
  ["there is no Service", { endpoints, service: undefined, slices: [] }],
  [
    "they are marked to be skipped",
    {
      endpoints: { ...endpoints, metadata: { ...endpoints.metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } } },
      service: service({}),
      slices: [],
    },
  ],
] as const) {
  test(`planMirror: nothing is mirrored when ${name}`, () => assert.deepEqual(planMirror(given).desired, []));
}

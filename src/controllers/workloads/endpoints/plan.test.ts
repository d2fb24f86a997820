// Endpoints of a Service from its pods.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CoreService, Endpoints } from "#kinds";
import type { BackingPod } from "../service-pods.ts";
import { planEndpoints } from "./plan.ts";

const service = (spec: CoreService["spec"], uid = "svc"): CoreService => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "default", uid, resourceVersion: "1", creationTimestamp: "", labels: { app: "web" } },
  spec,
});
const pod = (name: string, over: Partial<BackingPod> = {}): BackingPod => ({
  namespace: "default",
  name,
  uid: `uid-${name}`,
  labels: {},
  podIP: `10.0.0.${name}`,
  ready: true,
  terminating: false,
  namedPorts: [{ name: "http", protocol: "TCP", port: 8080 }],
  ...over,
});
const selector = { app: "web" };
const ports = [{ name: "h", port: 80, targetPort: "http" }];
const ref = (name: string) => ({ kind: "Pod", namespace: "default", name, uid: `uid-${name}` });
const http = (port: number) => [{ name: "h", port, protocol: "TCP" }];

const table = [
  {
    name: "ready and unready pods stand apart",
    spec: { selector, ports },
    pods: [pod("1"), pod("2", { ready: false })],
    want: [{ addresses: [{ ip: "10.0.0.1", targetRef: ref("1") }], notReadyAddresses: [{ ip: "10.0.0.2", targetRef: ref("2") }], ports: http(8080) }],
  },
  {
    name: "publishNotReadyAddresses makes all of them ready",
    spec: { selector, ports, publishNotReadyAddresses: true },
    pods: [pod("2", { ready: false })],
    want: [{ addresses: [{ ip: "10.0.0.2", targetRef: ref("2") }], ports: http(8080) }],
  },
  { name: "a pod that goes is no longer listed", spec: { selector, ports }, pods: [pod("1", { terminating: true })], want: undefined },
  {
    name: "recorded addresses win over the pod's IP",
    spec: { selector, ports },
    pods: [pod("1", { addresses: '{"8080":"127.0.0.1:41234"}' })],
    want: [{ addresses: [{ ip: "127.0.0.1", targetRef: ref("1") }], ports: http(41_234) }],
  },
  { name: "a named port that the pod lacks is left out", spec: { selector, ports: [{ port: 80, targetPort: "grpc" }] }, pods: [pod("1")], want: undefined },
  {
    name: "without a targetPort the port itself is meant",
    spec: { selector, ports: [{ port: 80 }] },
    pods: [pod("1")],
    want: [{ addresses: [{ ip: "10.0.0.1", targetRef: ref("1") }], ports: [{ port: 80, protocol: "TCP" }] }],
  },
  {
    name: "a headless Service without ports lists addresses",
    spec: { selector, clusterIP: "None" },
    pods: [pod("1")],
    want: [{ addresses: [{ ip: "10.0.0.1", targetRef: ref("1") }] }],
  },
];
for (const { name, spec, pods, want } of table) {
  test(`planEndpoints: ${name}`, () => {
    const [child] = planEndpoints({ service: service(spec), pods, endpoints: undefined }).desired ?? [];
    assert.deepEqual((child?.object as Partial<Endpoints> | undefined)?.subsets, want);
    assert.equal(child?.unowned, true);
    assert.equal(child?.object.metadata.labels?.["endpoints.kubernetes.io/managed-by"], "endpoint-controller");
  });
}

test("planEndpoints: a Service without a selector keeps the Endpoints of others", () => {
  assert.deepEqual(planEndpoints({ service: service({ ports }), pods: [], endpoints: undefined }), { desired: undefined });
});

test("planEndpoints: when the Service is gone, only our own Endpoints go", () => {
  const endpoints = (labels: Record<string, string>): Endpoints => ({
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: "web", uid: "e", resourceVersion: "1", creationTimestamp: "", labels },
  });
  const gone = service({}, "");
  assert.equal(
    planEndpoints({ service: gone, pods: [], endpoints: endpoints({ "endpoints.kubernetes.io/managed-by": "endpoint-controller" }) }).effects?.length,
    1,
  );
  assert.deepEqual(planEndpoints({ service: gone, pods: [], endpoints: endpoints({}) }).effects, []);
});

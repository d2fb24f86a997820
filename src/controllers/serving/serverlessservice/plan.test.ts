// A ServerlessService's children and conditions, as recorded in golden/serving (minimal-service, autoscale-tbc-zero, service-port-h2c).
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "#core";
import type { CoreService, Endpoints, ServerlessService } from "#kinds";
import type { Child, Plan } from "#reconcile";
import { conditionOf, type Condition } from "#schema";
import type { ObservedServerlessService } from "./observe.ts";
import { planServerlessService } from "./plan.ts";

const BACKEND = { ip: "10.0.0.7", nodeName: "node-1", targetRef: { kind: "Pod", name: "hello-00001-deployment-x-y", namespace: "default", uid: "pod" } };

function service(overrides: Partial<ServerlessService["spec"]> = {}): ServerlessService {
  return {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "ServerlessService",
    metadata: {
      name: "hello-00001",
      namespace: "default",
      uid: "sks",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { app: "hello-00001" },
    },
    spec: {
      mode: "Proxy",
      numActivators: 4,
      objectRef: { apiVersion: "apps/v1", kind: "Deployment", name: "hello-00001-deployment" },
      protocolType: "http1",
      ...overrides,
    },
  };
}

function observed(overrides: Partial<ObservedServerlessService> = {}): ObservedServerlessService {
  return {
    service: service(),
    selector: { "serving.knative.dev/revisionUID": "rev" },
    backends: [BACKEND],
    activators: ["10.244.255.1"],
    gatewayPort: undefined,
    foreign: undefined,
    ...overrides,
  };
}

function child<O>(plan: Plan, kind: string, name: string): O {
  const found = plan.desired?.find((one: Child) => one.kind.kind === kind && one.object.metadata.name === name);
  return found?.object as unknown as O;
}

function subsets(plan: Plan): Endpoints["subsets"] {
  return child<Endpoints>(plan, "Endpoints", "hello-00001").subsets;
}

function conditions(plan: Plan): Record<string, string> {
  const list = (plan.status as { readonly conditions: readonly Condition[] }).conditions;
  return Object.fromEntries(list.map(({ type, status, reason }) => [type, [status, reason].filter(Boolean).join(" ")]));
}

const ACTIVATOR_SUBSET = [
  {
    addresses: [{ ip: "10.244.255.1" }],
    ports: [
      { name: "http", port: 8012, protocol: "TCP" },
      { name: "https", port: 8112, protocol: "TCP" },
    ],
  },
];
const BACKEND_SUBSET = [
  {
    addresses: [BACKEND],
    ports: [
      { name: "http", port: 8012, protocol: "TCP" },
      { name: "http-istio", port: 8012, protocol: "TCP" },
      { name: "https", port: 8112, protocol: "TCP" },
    ],
  },
];

const TABLE = [
  { name: "Proxy with backends", given: {}, subsets: ACTIVATOR_SUBSET, want: ["True", "True ActivatorEndpointsPopulated"] },
  { name: "Serve with backends", given: { service: service({ mode: "Serve" }) }, subsets: BACKEND_SUBSET, want: ["True", "False ActivatorEndpointsPopulated"] },
  {
    name: "Serve without backends",
    given: { service: service({ mode: "Serve" }), backends: [] },
    subsets: ACTIVATOR_SUBSET,
    want: ["Unknown NoHealthyBackends", "True ActivatorEndpointsPopulated"],
  },
  { name: "Proxy without activators", given: { activators: [] }, subsets: BACKEND_SUBSET, want: ["True", "True ActivatorEndpointsPopulated"] },
  {
    name: "nobody at all",
    given: { activators: [], backends: [] },
    subsets: undefined,
    want: ["Unknown NoHealthyBackends", "True ActivatorEndpointsPopulated"],
  },
] as const;

for (const { name, given, subsets: expected, want } of TABLE) {
  test(`endpoints and conditions: ${name}`, () => {
    const plan = planServerlessService(observed(given));
    deepEqual(subsets(plan), expected);
    const { EndpointsPopulated, ActivatorEndpointsPopulated, Ready } = conditions(plan);
    deepEqual([EndpointsPopulated, ActivatorEndpointsPopulated], want);
    equal(Ready, EndpointsPopulated);
  });
}

test("the private Service selects the pods, the public one has no selector", () => {
  const plan = planServerlessService(observed());
  const own = child<CoreService>(plan, "Service", "hello-00001-private");
  deepEqual(own.spec?.ports, [
    { name: "http", protocol: "TCP", port: 80, targetPort: 8012 },
    { name: "https", protocol: "TCP", port: 443, targetPort: 8112 },
    { name: "http-autometric", protocol: "TCP", port: 9090, targetPort: "http-autometric" },
    { name: "http-usermetric", protocol: "TCP", port: 9091, targetPort: "http-usermetric" },
    { name: "http-istio", protocol: "TCP", port: 8012, targetPort: 8012 },
  ]);
  deepEqual(own.spec?.selector, { "serving.knative.dev/revisionUID": "rev" });
  deepEqual(own.metadata.labels, {
    app: "hello-00001",
    "networking.internal.knative.dev/serverlessservice": "hello-00001",
    "networking.internal.knative.dev/serviceType": "Private",
  });
  deepEqual(child<CoreService>(plan, "Service", "hello-00001").spec, {
    ports: [
      { name: "http", protocol: "TCP", port: 80, targetPort: 8012 },
      { name: "https", protocol: "TCP", port: 443, targetPort: 8112 },
    ],
  });
});

test("an h2c revision has its own port names and numbers", () => {
  const plan = planServerlessService(observed({ service: service({ protocolType: "h2c" }) }));
  deepEqual(child<CoreService>(plan, "Service", "hello-00001").spec?.ports?.[0], {
    name: "http2",
    protocol: "TCP",
    appProtocol: "kubernetes.io/h2c",
    port: 81,
    targetPort: 8013,
  });
  deepEqual(subsets(plan)?.[0]?.ports, [
    { name: "http2", port: 8013, protocol: "TCP" },
    { name: "https", port: 8112, protocol: "TCP" },
  ]);
});

test("a server's own fields of a Service stay, and subsets that are no longer wanted go", () => {
  const plan = planServerlessService(observed({ activators: [], backends: [] }));
  const [own, , endpoints] = plan.desired ?? [];
  const stored = { ...own?.object, spec: { clusterIP: "10.96.0.9", ports: [] } };
  const merged = own?.merge?.(stored as never, own.object) as unknown as CoreService;
  equal(merged.spec?.clusterIP, "10.96.0.9");
  equal(merged.spec?.ports?.length, 5);
  const cleared = endpoints?.merge?.({ ...endpoints.object, subsets: BACKEND_SUBSET } as never, endpoints.object) as unknown as Endpoints;
  equal(cleared.subsets, undefined);
});

test("somebody else's Service is left alone and named", () => {
  const plan = planServerlessService(observed({ foreign: { kind: "Service", name: "hello-00001-private" } }));
  equal(plan.desired, undefined);
  equal(plan.failure, "SKS: hello-00001 does not own Service: hello-00001-private");
  const ready = conditionOf((plan.status as { readonly conditions: Condition[] }).conditions, "Ready");
  equal(ready?.message, "Resource hello-00001-private of type Service is not owned by SKS");
});

test("a refused public Service is told in the condition", () => {
  const plan = planServerlessService(observed());
  const [, refused] = plan.desired ?? [];
  const error = new StatusError("Forbidden", "exceeded quota");
  const outcome = plan.afterRefusal?.(refused === undefined ? [] : [{ child: refused, error }]);
  const ready = conditionOf((outcome?.status as { readonly conditions: Condition[] } | undefined)?.conditions, "Ready");
  deepEqual([ready?.status, ready?.reason, ready?.message], ["Unknown", "CreatingPublicService", "K8s Service is not ready"]);
});

for (const mode of ["Proxy", "Serve"]) {
  test(`where the gateway is in every path, the public Endpoints hold it (${mode})`, () => {
    const plan = planServerlessService(observed({ service: service({ mode }), activators: ["127.0.0.1"], gatewayPort: 8099 }));
    deepEqual(subsets(plan), [{ addresses: [{ ip: "127.0.0.1" }], ports: [{ name: "http", port: 8099, protocol: "TCP" }] }]);
    equal(conditions(plan)["ActivatorEndpointsPopulated"], mode === "Proxy" ? "True ActivatorEndpointsPopulated" : "False ActivatorEndpointsPopulated");
  });
}

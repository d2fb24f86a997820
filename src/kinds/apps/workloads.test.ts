// Tests of Deployments, ReplicaSets, EndpointSlices and Leases: defaults, checks, tables, patches.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyStrategicPatch, compileKind, deepFreeze, tableOf, type Kind, type KubeObject } from "#schema";
import { Lease } from "../coordination/lease.ts";
import { EndpointSlice } from "../discovery/endpoint-slice.ts";
import { Deployment } from "./deployment.ts";
import { ReplicaSet } from "./replica-set.ts";

const NOW = Date.parse("2026-01-01T00:05:30Z");

function stored<O extends KubeObject>(kind: Kind<O>, body: object): O {
  const compiled = compileKind(kind);
  const json = { metadata: { name: "x", namespace: "d", creationTimestamp: "2026-01-01T00:00:00Z" }, ...body };
  return deepFreeze(compiled.applyDefaults(compiled.decode(json, { fieldValidation: "Strict" }).object) as O);
}

const cells = <O extends KubeObject>(kind: Kind<O>, object: O): unknown[] => tableOf(kind).cells(object, NOW);
const errors = <O extends KubeObject>(kind: Kind<O>, object: O, old?: O): string[] =>
  compileKind(kind)
    .validate(object, old)
    .map((error) => `${error.field}: ${error.message}`);

const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "x:1" }] } };
const base = { selector: { matchLabels: { a: "b" } }, template };

test("a Deployment gets Kubernetes' defaults, its template those of pod specs only", () => {
  const { spec } = stored(Deployment, { spec: base });
  assert.deepEqual(
    [spec.replicas, spec.revisionHistoryLimit, spec.progressDeadlineSeconds, spec.strategy],
    [1, 10, 600, { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } }],
  );
  assert.equal(spec.template.spec?.restartPolicy, "Always");
  assert.equal(spec.template.spec?.enableServiceLinks, undefined);
});

for (const { name, spec, want } of [
  { name: "nothing", spec: base, want: [] },
  {
    name: "a selector that does not fit",
    spec: { ...base, selector: { matchLabels: { a: "c" } } },
    want: ['spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`'],
  },
  { name: "an empty selector", spec: { ...base, selector: {} }, want: ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"] },
  { name: "negative replicas", spec: { ...base, replicas: -1 }, want: ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"] },
  {
    name: "pods that end",
    spec: { ...base, template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } },
    want: ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
  },
  {
    name: "a surge that is no percentage",
    spec: { ...base, strategy: { rollingUpdate: { maxSurge: "many" } } },
    want: [
      "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"many\": a valid percent string must be a numeric string followed by an ending '%' " +
        "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
  },
  {
    name: "more pods than there are as unavailable",
    spec: { ...base, strategy: { rollingUpdate: { maxUnavailable: "101%" } } },
    want: ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
  },
  {
    name: "negative amounts of a rollout",
    spec: { ...base, strategy: { rollingUpdate: { maxUnavailable: -1, maxSurge: -2 } } },
    want: [
      "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: -1: must be greater than or equal to 0",
      "spec.strategy.rollingUpdate.maxSurge: Invalid value: -2: must be greater than or equal to 0",
    ],
  },
  {
    name: "a rollout that cannot move",
    spec: { ...base, strategy: { rollingUpdate: { maxUnavailable: "0%", maxSurge: 0 } } },
    want: ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
  },
  {
    name: "a deadline before readiness",
    spec: { ...base, progressDeadlineSeconds: 5, minReadySeconds: 5 },
    want: ["spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"],
  },
]) {
  test(`the check of Deployments finds ${name}`, () => assert.deepEqual(errors(Deployment, stored(Deployment, { spec })), want));
}

test("the selector of a Deployment does not change", () => {
  const other = { selector: { matchLabels: { a: "c" } }, template: { ...template, metadata: { labels: { a: "c" } } } };
  assert.deepEqual(errors(Deployment, stored(Deployment, { spec: other }), stored(Deployment, { spec: base })), [
    'spec.selector: Invalid value: {"matchLabels":{"a":"c"}}: field is immutable',
  ]);
});

test("tables of Deployments and ReplicaSets count pods", () => {
  const deployment = stored(Deployment, { spec: { ...base, replicas: 3 }, status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 } });
  assert.deepEqual(cells(Deployment, deployment), ["x", "1/3", 2, 1, "5m30s", "c", "x:1", "a=b"]);
  const set = stored(ReplicaSet, { spec: base, status: { replicas: 1, readyReplicas: 1 } });
  assert.deepEqual(cells(ReplicaSet, set), ["x", 1, 1, 1, "5m30s", "c", "x:1", "a=b"]);
});

test("a strategic merge patch of a Deployment finds containers by name and ports by number", () => {
  const compiled = compileKind(Deployment);
  const deployment = stored(Deployment, {
    spec: {
      ...base,
      template: {
        ...template,
        spec: {
          containers: [
            { name: "c", image: "x:1", ports: [{ containerPort: 80 }] },
            { name: "side", image: "s" },
          ],
        },
      },
    },
  });
  const patch = { spec: { template: { spec: { containers: [{ name: "c", image: "x:2", ports: [{ containerPort: 81 }] }] } } } };
  const { spec } = applyStrategicPatch(compiled, deployment, patch) as Deployment;
  assert.deepEqual(
    spec.template.spec?.containers.map(({ name, image }) => `${name} ${image ?? ""}`),
    ["c x:2", "side s"],
  );
  assert.deepEqual(
    spec.template.spec?.containers[0]?.ports?.map((port) => port.containerPort),
    [81, 80],
  );
});

test("an empty EndpointSlice is stored as Kubernetes does, and shown", () => {
  const slice = stored(EndpointSlice, { addressType: "IPv4", endpoints: [] });
  assert.deepEqual([slice.endpoints, slice.ports], [null, null]);
  assert.deepEqual(cells(EndpointSlice, slice), ["x", "IPv4", "<unset>", "<unset>", "5m30s"]);
  const full = stored(EndpointSlice, { addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }], ports: [{ port: 80 }] });
  assert.deepEqual(full.ports, [{ name: "", port: 80, protocol: "TCP" }]);
  assert.deepEqual(cells(EndpointSlice, full).slice(1, 4), ["IPv4", "80", "10.0.0.1"]);
  assert.deepEqual(errors(EndpointSlice, stored(EndpointSlice, {})), ["addressType: Required value"]);
});

test("a Lease keeps micro-seconds and shows its holder", () => {
  const lease = stored(Lease, { spec: { holderIdentity: "me", renewTime: "2026-01-01T00:00:00.123000Z" } });
  assert.equal(lease.spec?.renewTime, "2026-01-01T00:00:00.123000Z");
  assert.deepEqual(cells(Lease, lease), ["x", "me", "5m30s"]);
  assert.deepEqual(errors(Lease, stored(Lease, { spec: { leaseDurationSeconds: 0 } })), [
    "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
  ]);
});

// Kubernetes' own kinds against recordings of a real API server: what it stores, refuses, shows and discovers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { apiVersionOf, compileKind, deepFreeze, equal, tableOf, type Kind, type KubeObject } from "#schema";
import { Deployment } from "../apps/deployment.ts";
import { ReplicaSet } from "../apps/replica-set.ts";
import { Lease } from "../coordination/lease.ts";
import { EndpointSlice } from "../discovery/endpoint-slice.ts";
import { ConfigMap } from "./config-map.ts";
import { Endpoints } from "./endpoints.ts";
import { Event } from "./event.ts";
import { Namespace } from "./namespace.ts";
import { ClusterNode } from "./node.ts";
import { Pod } from "./pod.ts";
import { Secret } from "./secret.ts";
import { ServiceAccount } from "./service-account.ts";
import { CoreService } from "./service.ts";

const golden = resolve(import.meta.dirname, "../../../test/golden");
const read = <T>(path: string): T => JSON.parse(readFileSync(resolve(golden, path), "utf8")) as T;
const kinds = [
  Pod,
  CoreService,
  Namespace,
  Endpoints,
  ConfigMap,
  Secret,
  ServiceAccount,
  Event,
  ClusterNode,
  Deployment,
  ReplicaSet,
  EndpointSlice,
  Lease,
] as readonly Kind[];

/** Recorded placeholders as values of their forms. */
function readable(object: unknown): KubeObject {
  const text = JSON.stringify(object)
    .replaceAll('"<time>"', '"2026-11-21T03:32:37Z"')
    .replaceAll(/<(?:clusterIP|podIP):(?:[^<>]|<[^<>]*>)*>/g, "10.96.0.9")
    .replaceAll(/<[^<>"]*(?:<[^<>"]*>[^<>"]*)*>/g, "x1");
  return deepFreeze(JSON.parse(text) as KubeObject);
}

interface Scenario {
  steps: { objects?: KubeObject[] }[];
}

test("what Kubernetes stored decodes strictly, needs no defaults and is valid", () => {
  const objects = read<Scenario>("serving/scenarios/minimal-service.json").steps.flatMap((step) => step.objects ?? []);
  let checked = 0;
  for (const recorded of objects) {
    const kind = kinds.find((one) => apiVersionOf(one) === recorded.apiVersion && one.kind === recorded.kind);
    if (kind === undefined) continue;
    const compiled = compileKind(kind);
    const object = readable(recorded);
    const name = `${object.kind} ${object.metadata.name}`;
    const decoded = compiled.decode(object, { fieldValidation: "Strict" }).object;
    const filled = deepFreeze(compiled.applyDefaults(deepFreeze(decoded)));
    assert.deepEqual(JSON.parse(JSON.stringify(filled)), object, name);
    assert.deepEqual(compiled.validate(filled), [], name);
    checked++;
  }
  assert.ok(checked >= 8, `${checked} objects`);
});

test("a Pod with a bad name and no containers is refused as recorded", () => {
  const { details } = read<{ details: { causes: { reason: string; message: string; field: string }[] } }>("kubernetes-api/err-422-builtin.json");
  const compiled = compileKind(Pod);
  const { object } = compiled.decode({ metadata: { name: "Bad_Name", namespace: "default" }, spec: { containers: [] } }, { fieldValidation: "Strict" });
  const causes = compiled.validate(compiled.applyDefaults(object)).map(({ type, message, field }) => ({ reason: type, message, field }));
  assert.deepEqual(causes, details.causes);
});

const tables: Readonly<Record<string, Kind>> = Object.fromEntries(kinds.map((kind) => [kind.plural, kind]));
for (const plural of ["configmaps", "deployments", "events", "namespaces", "nodes", "pods", "secrets", "serviceaccounts", "services"]) {
  test(`the columns of ${plural} are the recorded ones`, () => {
    const { columnDefinitions } = read<{ columnDefinitions: { name: string; type: string; format: string; priority: number }[] }>(
      `kubernetes-api/table-${plural}.json`,
    );
    const plain = (columns: readonly { name: string; type: string; format: string; priority: number }[]): string[] =>
      columns.map(({ name, type, format, priority }) => `${name} ${type} ${format} ${priority}`);
    assert.deepEqual(plain(tableOf(tables[plural] as Kind).columns), plain(columnDefinitions));
  });
}

interface Discovered {
  resources: { name: string; singularName: string; kind: string; namespaced: boolean; shortNames?: string[]; categories?: string[] }[];
}

for (const [file, group] of [
  ["disc-api-v1", ""],
  ["disc-gv-apps-v1", "apps"],
] as const) {
  test(`the kinds of the group ${JSON.stringify(group)} have the discovered names and subresources`, () => {
    const { resources } = read<Discovered>(`kubernetes-api/${file}.json`);
    const ours = kinds.filter((kind) => kind.group === group);
    assert.ok(ours.length > 0);
    for (const kind of ours) {
      const found = resources.find((resource) => resource.name === kind.plural);
      assert.deepEqual(
        { singularName: kind.singular, kind: kind.kind, namespaced: kind.scope === "Namespaced", shortNames: kind.shortNames, categories: kind.categories },
        {
          singularName: found?.singularName,
          kind: found?.kind,
          namespaced: found?.namespaced,
          shortNames: found?.shortNames ?? [],
          categories: found?.categories ?? [],
        },
      );
      assert.equal(
        kind.subresources.status === true,
        resources.some((one) => one.name === `${kind.plural}/status`),
        `${kind.plural}/status`,
      );
      assert.equal(
        kind.subresources.scale !== undefined,
        resources.some((one) => one.name === `${kind.plural}/scale`),
        `${kind.plural}/scale`,
      );
    }
  });
}

test("decoding what was decoded, and defaulting what was defaulted, changes nothing", () => {
  const drafts: readonly (readonly [Kind, object])[] = [
    [
      Pod,
      { spec: { containers: [{ name: "c", image: "x", ports: [{ containerPort: 80 }], livenessProbe: { httpGet: { port: 80 } } }], volumes: [{ name: "v" }] } },
    ],
    [CoreService, { spec: { ports: [{ port: 80 }], sessionAffinity: "ClientIP", type: "LoadBalancer" } }],
    [Namespace, {}],
    [Secret, { stringData: { a: "b" } }],
    [
      Deployment,
      { spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "x:1" }] } } } },
    ],
    [ReplicaSet, { spec: { selector: { matchLabels: { a: "b" } } } }],
    [EndpointSlice, { addressType: "IPv4", endpoints: [], ports: [{ port: 80 }] }],
  ];
  for (const [kind, body] of drafts) {
    const compiled = compileKind(kind);
    const decode = (json: unknown): KubeObject => compiled.decode(json, { fieldValidation: "Strict" }).object;
    const once = compiled.applyDefaults(decode({ ...body, metadata: { name: "x", namespace: "d" } }));
    assert.ok(equal(decode(once), once), kind.kind);
    assert.equal(compiled.applyDefaults(once), once, kind.kind);
  }
});

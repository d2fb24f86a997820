// Kinds whose objects are stored nowhere: read like others, page by page and by selectors, and made only then.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, fixture, KINDS, Papers } from "./fixture.test-suite.ts";
import type { MadeObjects, ServedKind } from "./index.ts";

const Reading = { ...Papers, group: "readings.dev", kind: "Reading", plural: "configmaps", shortNames: [] };
const all = "/apis/readings.dev/v1/configmaps";
const inDefault = "/apis/readings.dev/v1/namespaces/default/configmaps";

const reading = (namespace: string, name: string, labels: Record<string, string> = {}) => ({
  apiVersion: "readings.dev/v1",
  kind: "Reading",
  metadata: { name, namespace, creationTimestamp: "2026-01-01T00:00:00Z", labels } as never,
  data: { at: name },
});

async function world(objects = [reading("other", "c"), reading("default", "b", { app: "web" }), reading("default", "a")]) {
  const asked: string[] = [];
  const made: MadeObjects = {
    read({ namespace, name }) {
      asked.push(`${namespace}/${name}`);
      return Promise.resolve(objects);
    },
  };
  const kinds: readonly ServedKind[] = [...KINDS, { kind: Reading, made }];
  return { ...(await fixture({ kinds })), asked };
}

const namesOf = (items: readonly { readonly metadata: { readonly name: string } }[]): string[] => items.map(({ metadata }) => metadata.name);

test("one, all, those of a namespace, and those that selectors choose", async () => {
  const { server, asked } = await world();
  const one = await ask(server, `GET ${inDefault}/b`);
  assert.deepEqual(one.json, reading("default", "b", { app: "web" }));
  assert.deepEqual(namesOf((await ask(server, `GET ${all}`)).json.items), ["a", "b", "c"]);
  assert.deepEqual(namesOf((await ask(server, `GET ${inDefault}`)).json.items), ["a", "b"]);
  assert.deepEqual(namesOf((await ask(server, `GET ${all}?labelSelector=app%3Dweb`)).json.items), ["b"]);
  assert.deepEqual(namesOf((await ask(server, `GET ${all}?fieldSelector=metadata.name%3Dc`)).json.items), ["c"]);
  assert.deepEqual(asked, ["default/b", "/", "default/", "/", "/"]);
  const missing = await ask(server, `GET ${inDefault}/c`);
  assert.deepEqual([missing.status, missing.json.message], [404, 'configmaps.readings.dev "c" not found']);
});

test("page by page", async () => {
  const { server } = await world();
  const first = (await ask(server, `GET ${all}?limit=2`)).json;
  assert.deepEqual(namesOf(first.items), ["a", "b"]);
  const token = (first.metadata as unknown as { continue: string; remainingItemCount: number }).continue;
  const second = (await ask(server, `GET ${all}?limit=2&continue=${encodeURIComponent(token)}`)).json;
  assert.deepEqual(namesOf(second.items), ["c"]);
});

test("there is nothing to write, to delete or to watch, and discovery says so", async () => {
  const { server, asked, store } = await world();
  const before = store.revision;
  for (const request of [`POST ${inDefault}`, `PUT ${inDefault}/a`, `DELETE ${inDefault}/a`, `DELETE ${inDefault}`, `GET ${all}?watch=true`]) {
    assert.equal((await ask(server, request, request.startsWith("GET") ? undefined : reading("default", "a"))).status, 405, request);
  }
  assert.deepEqual([store.revision, asked], [before, []]);
  const { resources } = (await ask(server, "GET /apis/readings.dev/v1")).json as unknown as { resources: object[] };
  assert.deepEqual(resources, [{ name: "configmaps", singularName: "configmap", namespaced: true, kind: "Reading", verbs: ["get", "list"] }]);
});

test("objects of other kinds are where they were", async () => {
  const { server } = await world();
  assert.equal((await ask(server, "POST /api/v1/namespaces/default/configmaps", { metadata: { name: "a" } })).status, 201);
  assert.equal((await ask(server, "GET /api/v1/namespaces/default/configmaps/a")).json.kind, "ConfigMap");
});

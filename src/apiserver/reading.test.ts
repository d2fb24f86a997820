// Lists, pages, tables and partial objects.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#schema";
import { ask, fixture, type Answer, type Fixture } from "./fixture.test-suite.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const GADGETS = "/apis/apps/v1/namespaces/default/gadgets";
const as = (form: string, version = "v1"): Record<string, string> => ({ accept: `application/json;as=${form};v=${version};g=meta.k8s.io,application/json` });

async function withMaps(...names: string[]): Promise<Fixture> {
  const made = await fixture();
  for (const name of names) await ask(made.server, `POST ${MAPS}`, { metadata: { name, labels: { half: name < "c" ? "first" : "second" } } });
  return made;
}

const namesOf = (answer: Answer): string[] => answer.json.items.map(({ metadata }) => metadata.name);

test("a list carries the store's revision and leaves kind and version out of built-in items", async () => {
  const { server, store } = await withMaps("a");
  const list = await ask(server, `GET ${MAPS}`);
  const { kind: _kind, apiVersion: _version, ...item } = (await ask(server, `GET ${MAPS}/a`)).json as unknown as KubeObject;
  assert.deepEqual(list.json, { kind: "ConfigMapList", apiVersion: "v1", metadata: { resourceVersion: String(store.revision) }, items: [item] });
});

test("pages go on where they ended, with the revision of the first", async () => {
  const { server, store } = await withMaps("a", "b", "c", "d", "e");
  const first = await ask(server, `GET ${MAPS}?limit=2`);
  const { revision } = store;
  await ask(server, `POST ${MAPS}`, { metadata: { name: "f" } });
  const { continue: token } = first.json.metadata as unknown as { continue: string };
  const second = await ask(server, `GET ${MAPS}?limit=2&continue=${token}`);
  const last = await ask(server, `GET ${MAPS}?limit=2&continue=${(second.json.metadata as unknown as { continue: string }).continue}`);
  assert.deepEqual(
    [namesOf(first), namesOf(second), namesOf(last)],
    [
      ["a", "b"],
      ["c", "d"],
      ["e", "f"],
    ],
  );
  assert.equal("continue" in last.json.metadata, false);
  assert.equal(last.json.metadata.resourceVersion, String(revision));
  assert.equal((await ask(server, `GET ${MAPS}?continue=rubbish`)).status, 400);
});

test("a page with a selector is full although much is passed over", async () => {
  const { server } = await withMaps("a", "b", "c", "d", "e");
  const page = await ask(server, `GET ${MAPS}?limit=2&labelSelector=half%3Dsecond`);
  assert.deepEqual(namesOf(page), ["c", "d"]);
  const { continue: token } = page.json.metadata as unknown as { continue: string };
  assert.deepEqual(namesOf(await ask(server, `GET ${MAPS}?limit=2&labelSelector=half%3Dsecond&continue=${token}`)), ["e"]);
});

test("selectors by label, by name, by namespace and by a kind's own field", async () => {
  const { server } = await withMaps("a", "c");
  await ask(server, "POST /api/v1/namespaces", { metadata: { name: "other" } });
  await ask(server, "POST /api/v1/namespaces/other/configmaps", { metadata: { name: "a" } });
  const table: [string, string[]][] = [
    ["/api/v1/configmaps", ["a", "c", "a"]],
    ["/api/v1/configmaps?fieldSelector=metadata.name%3Da", ["a", "a"]],
    ["/api/v1/configmaps?fieldSelector=metadata.namespace%3Dother", ["a"]],
    ["/api/v1/configmaps?fieldSelector=metadata.namespace!%3Dother", ["a", "c"]],
    [`${MAPS}?fieldSelector=metadata.namespace%3Dother`, []],
    [`${MAPS}?fieldSelector=metadata.name%3Da,metadata.name%3Dc`, []],
    [`${MAPS}?labelSelector=half%20in%20(second)`, ["c"]],
  ];
  for (const [path, names] of table) assert.deepEqual(namesOf(await ask(server, `GET ${path}`)), names, path);
  await ask(server, `POST ${GADGETS}`, { metadata: { name: "g" } });
  await ask(server, `PUT ${GADGETS}/g/status`, { metadata: { name: "g" }, status: { phase: "Running" } });
  assert.deepEqual(namesOf(await ask(server, `GET ${GADGETS}?fieldSelector=status.phase%3DRunning`)), ["g"]);
  assert.deepEqual(namesOf(await ask(server, `GET ${GADGETS}?fieldSelector=status.phase!%3DRunning`)), []);
});

test("tables carry metadata, nothing or the object in their rows", async () => {
  const { server } = await withMaps("a");
  const object = (await ask(server, `GET ${MAPS}/a`)).json as unknown as KubeObject;
  const rows = async (query: string, version = "v1"): Promise<unknown> =>
    (await ask(server, `GET ${MAPS}${query}`, undefined, as("Table", version))).json["rows"];
  assert.deepEqual(await rows(""), [
    { cells: ["a", "0s"], object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata } },
  ]);
  assert.deepEqual(await rows("?includeObject=None"), [{ cells: ["a", "0s"], object: null }]);
  assert.deepEqual(await rows("/a?includeObject=Object", "v1beta1"), [{ cells: ["a", "0s"], object }]);
  assert.equal((await ask(server, `GET ${MAPS}/a`, undefined, as("Table", "v1beta1"))).json["apiVersion"], "meta.k8s.io/v1beta1");
  assert.equal((await ask(server, `GET ${MAPS}?includeObject=Some`)).status, 400);
});

test("metadata alone, for one and for many", async () => {
  const { server } = await withMaps("a");
  const one = await ask(server, `GET ${MAPS}/a`, undefined, as("PartialObjectMetadata"));
  assert.deepEqual(Object.keys(one.json), ["kind", "apiVersion", "metadata"]);
  const many = await ask(server, `GET ${MAPS}`, undefined, as("PartialObjectMetadataList"));
  assert.deepEqual([many.json["kind"], many.json.items], ["PartialObjectMetadataList", [one.json]]);
});

test("a kind's own subresource is answered by its handler, below an object that exists", async () => {
  const { server } = await fixture();
  await ask(server, `POST ${GADGETS}`, { metadata: { name: "g" } });
  assert.equal((await ask(server, `GET ${GADGETS}/g/log?tailLines=3`)).text, "log of g 3\n");
  assert.equal((await ask(server, `GET ${GADGETS}/nosuch/log`)).status, 404);
  assert.equal((await ask(server, `PUT ${GADGETS}/g/log`, {})).status, 405);
});

test("the latest state is readable at the versions that clients name", async () => {
  const { server, store } = await withMaps("a");
  for (const version of ["0", String(store.revision)]) assert.deepEqual(namesOf(await ask(server, `GET ${MAPS}?resourceVersion=${version}&limit=500`)), ["a"]);
  assert.equal((await ask(server, `GET ${MAPS}?resourceVersion=x`)).status, 422);
});

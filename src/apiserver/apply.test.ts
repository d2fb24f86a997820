// Server-side apply and managedFields through the whole path of a request; the oracle's corpus has the long stories.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject, ManagedFieldsEntry } from "#schema";
import { admin, ask, fixture, Gadget, golden, KINDS, openWatch, Papers } from "./fixture.test-suite.ts";
import type { ApiServer, ServedKind } from "./index.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const GADGETS = "/apis/apps/v1/namespaces/default/gadgets";
const APPLY = { "content-type": "application/apply-patch+yaml" };
const MERGE = { "content-type": "application/merge-patch+json" };

const map = (data: object, metadata: object = {}): object => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m", ...metadata }, data });
const apply = (server: ApiServer, manager: string, body: object | string, query = ""): ReturnType<typeof ask> =>
  ask(server, `PATCH ${MAPS}/m?fieldManager=${manager}${query}`, body, APPLY);

/** `manager operation part: fields`, in order. */
function owners({ metadata }: { readonly metadata: KubeObject["metadata"] }): string[] {
  const entries = (metadata.managedFields ?? []) as ManagedFieldsEntry[];
  return entries.map(({ manager, operation, subresource = "", fieldsV1 }) => `${manager} ${operation} ${subresource}: ${JSON.stringify(fieldsV1)}`);
}

test("an apply creates, changes and takes away; a recorded conflict and a recorded takeover are equal", async () => {
  const { server } = await fixture();
  const created = await apply(server, "m1", map({ a: "1" }));
  assert.equal(created.status, 201);
  assert.deepEqual(owners(created.json), ['m1 Apply : {"f:data":{"f:a":{}}}']);
  const same = await apply(server, "m1", map({ a: "1" }));
  assert.deepEqual([same.status, same.text], [200, created.text]);
  const refused = await apply(server, "m2", map({ a: "2" }));
  assert.deepEqual(JSON.parse(refused.text), golden("err-409-ssa.json"));
  const forced = await apply(server, "m2", map({ a: "2" }), "&force=true");
  const want = golden("ok-ssa-force.json") as unknown as KubeObject & { data: object };
  assert.deepEqual([forced.json["data"], owners(forced.json)], [want.data, owners(want)]);
  assert.equal((await apply(server, "m2", map({}))).json["data"], undefined);
});

test("an apply says who it is for; options that do not belong are refused", async () => {
  const { server } = await fixture();
  const nobody = await ask(server, `PATCH ${MAPS}/m`, map({}), APPLY);
  assert.deepEqual(JSON.parse(nobody.text), golden("err-422-ssa-nofm.json"));
  const force = await ask(server, `PATCH ${MAPS}/m?force=true`, {}, MERGE);
  assert.match(force.json.message, /force: Forbidden: may not be specified for non-apply patch$/);
  const long = await ask(server, `POST ${MAPS}?fieldManager=${"x".repeat(129)}`, map({}));
  assert.match(long.json.message, /^CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes$/);
});

test("YAML and JSON are read; keys that stand twice warn, are refused when strict, and pass when ignored", async () => {
  const { server } = await fixture();
  const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  a: '1'\n  a: '2'\n";
  const warned = await apply(server, "y", yaml);
  assert.deepEqual([warned.status, warned.json["data"], warned.headers["warning"]], [201, { a: "2" }, ['299 - "line 6: key \\"a\\" already set in map"']]);
  const strict = await apply(server, "y", yaml, "&fieldValidation=Strict");
  assert.deepEqual([strict.status, strict.json["reason"]], [400, "BadRequest"]);
  const ignored = await apply(server, "y", yaml, "&fieldValidation=Ignore");
  assert.deepEqual([ignored.status, ignored.headers["warning"]], [200, undefined]);
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
    .split("")
    .map((key, index) => `${key}: &${key} [${`*${"abcdefg"[index]},`.repeat(9)}]`)
    .join("\n")}\n`;
  assert.equal((await apply(server, "y", bomb)).status, 400);
});

test("everything that writes is told of: programs by their names, parts of an object by theirs", async () => {
  const { server } = await fixture();
  await ask(server, `POST ${GADGETS}`, { metadata: { name: "g" }, spec: { replicas: 1 } }, { "user-agent": "one/1.0 (x)" });
  await ask(server, `PATCH ${GADGETS}/g/status`, { status: { phase: "Running" } }, { ...MERGE, "user-agent": "two/2" });
  await ask(server, `PATCH ${GADGETS}/g/scale?fieldManager=three`, { spec: { replicas: 4 } }, MERGE);
  const transport = server.transportFor(admin);
  await transport.send({
    verb: "patch",
    kind: Gadget,
    namespace: "default",
    name: "g",
    contentType: MERGE["content-type"],
    body: { metadata: { labels: { a: "b" } } },
    query: { fieldManager: "four" },
  });
  assert.deepEqual(owners((await ask(server, `GET ${GADGETS}/g`)).json), [
    'three Update scale: {"f:spec":{"f:replicas":{}}}',
    'four Update : {"f:metadata":{"f:labels":{".":{},"f:a":{}}}}',
    'one Update : {"f:spec":{}}',
    'two Update status: {"f:status":{".":{},"f:phase":{}}}',
  ]);
});

test("an apply of the scale, of the status, and of what is not there", async () => {
  const { server } = await fixture();
  const gadget = { apiVersion: "apps/v1", kind: "Gadget", metadata: { name: "g" } };
  const missing = await ask(server, `PATCH ${GADGETS}/g/status?fieldManager=s`, { ...gadget, status: {} }, APPLY);
  assert.equal(missing.status, 404);
  await ask(server, `PATCH ${GADGETS}/g?fieldManager=m`, { ...gadget, spec: { replicas: 2 } }, APPLY);
  const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "g" }, spec: { replicas: 3 } };
  const refused = await ask(server, `PATCH ${GADGETS}/g/scale?fieldManager=s`, scale, APPLY);
  assert.equal(refused.json.message, 'Apply failed with 1 conflict: conflict with "m": .spec.replicas');
  const scaled = await ask(server, `PATCH ${GADGETS}/g/scale?fieldManager=s&force=true`, scale, APPLY);
  assert.deepEqual(scaled.json["spec"], { replicas: 3 });
  const status = await ask(server, `PATCH ${GADGETS}/g/status?fieldManager=s`, { ...gadget, spec: { replicas: 9 }, status: { phase: "Up" } }, APPLY);
  assert.deepEqual([status.json["spec"], status.json["status"]], [{ replicas: 3 }, { phase: "Up" }]);
  assert.deepEqual(owners(status.json), ['s Apply scale: {"f:spec":{"f:replicas":{}}}', 's Apply status: {"f:status":{"f:phase":{}}}']);
});

test("times move with what changes only, and a dry run answers as the real thing and writes nothing", async () => {
  const { server, clock, store } = await fixture();
  await apply(server, "m1", map({ a: "1" }));
  await clock.advance(5000);
  const before = store.revision;
  const dry = await apply(server, "m2", map({ a: "1", b: "2" }), "&dryRun=All");
  assert.deepEqual([dry.status, owners(dry.json).length, store.revision], [200, 2, before]);
  assert.equal((await apply(server, "m1", map({ a: "1" }))).json.metadata.resourceVersion, String(before));
  const shared = await apply(server, "m2", map({ a: "1" }));
  assert.deepEqual(
    (shared.json.metadata.managedFields as ManagedFieldsEntry[]).map(({ manager, time }) => [manager, time]),
    [
      ["m2", undefined],
      ["m1", "2026-01-01T00:00:00Z"],
    ],
  );
  const changed = await apply(server, "m2", map({ a: "1", b: "2" }));
  assert.equal((changed.json.metadata.managedFields as ManagedFieldsEntry[])[1]?.time, "2026-01-01T00:00:05Z");
});

test("what admission fills in has no manager, and what the server keeps of its own neither", async () => {
  const kinds = KINDS.map((served): ServedKind =>
    served.kind.plural === Papers.plural
      ? { kind: Papers, admit: ({ object }) => ({ object: { ...object, data: { by: "admission" } } as KubeObject, warnings: [] }) }
      : served,
  );
  const { server } = await fixture({ kinds });
  const created = await ask(server, `POST ${MAPS}?fieldManager=u`, map({ a: "1" }));
  assert.deepEqual(created.json["data"], { by: "admission" });
  assert.deepEqual(owners(created.json), ['u Update : {"f:data":{".":{},"f:a":{}}}']);
});

test("an apply to a new object needs the right to create", async () => {
  const { server } = await fixture({ authorize: (_user, { verb, resource }) => (verb === "create" && resource === "configmaps" ? "no" : undefined) });
  const refused = await apply(server, "m1", map({}));
  assert.deepEqual([refused.status, refused.json["reason"]], [403, "Forbidden"]);
});

test("watches, lists and the other forms of an object carry its managers", async () => {
  const { server } = await fixture();
  const created = await apply(server, "m1", map({ a: "1" }));
  const want = owners(created.json);
  const watch = await openWatch(server, `${MAPS}?watch=true&resourceVersion=0`);
  assert.deepEqual(owners((await watch.next())?.object as never), want);
  await watch.close();
  assert.deepEqual(owners((await ask(server, `GET ${MAPS}`)).json.items[0] as KubeObject), want);
  const partial = { accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1" };
  assert.deepEqual(owners((await ask(server, `GET ${MAPS}/m`, undefined, partial)).json), want);
  const table = await ask(server, `GET ${MAPS}`, undefined, { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" });
  const [row] = table.json["rows"] as unknown as readonly { readonly object: KubeObject }[];
  assert.deepEqual(owners(row?.object as KubeObject), want);
});

test("a PUT creates where its kind allows that, and not elsewhere", async () => {
  const kinds = KINDS.map((served): ServedKind => (served.kind.plural === Gadget.plural ? { ...served, kind: { ...Gadget, createsOnUpdate: true } } : served));
  const { server } = await fixture({ kinds });
  const made = await ask(server, `PUT ${GADGETS}/g?fieldManager=u`, { metadata: { name: "g" }, spec: { replicas: 2 } });
  assert.deepEqual([made.status, owners(made.json).length], [201, 1]);
  assert.equal((await ask(server, `PUT ${GADGETS}/g?fieldManager=u`, { metadata: { name: "g" }, spec: { replicas: 3 } })).status, 200);
  assert.equal((await ask(server, `PUT ${MAPS}/m`, map({}))).status, 404);
  const uid = await ask(server, `PUT ${GADGETS}/h`, { metadata: { name: "h", uid: "u" }, spec: {} });
  assert.match(
    uid.json.message,
    /Key: \/registry\/gadgets\/default\/h, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: u, UID in object meta: $/,
  );
});

// Tests of kinds that come and go at run time: paths, discovery, watches that end, and versions that share what is stored.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineKind, s } from "#schema";
import { ask, fixture, openWatch } from "./fixture.test-suite.ts";
import { served, type ApiServer, type ServedKind, type StoredForm } from "./index.ts";

const definition = { group: "g.dev", kind: "Thing", plural: "things", spec: s.object({ size: s.optional(s.int32()) }) } as const;
const Thing = defineKind({ ...definition, version: "v1" });
const Old = defineKind({ ...definition, version: "v1alpha1" });
const things = "/apis/g.dev/v1/namespaces/default/things";

const thing = (version: string) => ({ apiVersion: `g.dev/${version}`, kind: "Thing", metadata: { name: "a" } });

async function documents(server: ApiServer): Promise<object> {
  return ((await ask(server, "GET /openapi/v3")).json as unknown as { paths: object }).paths;
}

const reworded = (from: string, to: string) => (text: string) => text.replace(`"g.dev/${from}"`, `"g.dev/${to}"`);

/** Version v1 is stored, v1alpha1 is made of it; `slow` converts on a later turn, as a webhook does. */
function versions(slow: boolean): ServedKind[] {
  const up = reworded("v1", "v1alpha1");
  const down = reworded("v1alpha1", "v1");
  const form: StoredForm = slow
    ? { read: async (texts) => texts.map(up), write: async (text) => down(text) }
    : { read: (texts) => texts.map(up), write: (text) => down(text) };
  return [served({ kind: Thing }), served({ kind: Old, stored: form })];
}

test("a kind is served from the moment it is given, and no longer when it is gone", async () => {
  const { server } = await fixture();
  assert.equal((await ask(server, `GET ${things}`)).text, "404 page not found\n");
  server.serveCustom([served({ kind: Thing })]);
  assert.equal((await ask(server, `POST ${things}`, { ...thing("v1"), spec: { size: 1 } })).status, 201);
  const discovered = (await ask(server, "GET /apis/g.dev/v1")).json as unknown as { resources: { name: string }[] };
  assert.deepEqual(
    discovered.resources.map(({ name }) => name),
    ["things"],
  );
  assert.ok("apis/g.dev/v1" in (await documents(server)));
  server.serveCustom([]);
  assert.equal((await ask(server, `GET ${things}/a`)).text, "404 page not found\n");
  assert.equal((await ask(server, "GET /apis/g.dev/v1")).status, 404);
  assert.ok(!("apis/g.dev/v1" in (await documents(server))));
});

test("watches of a kind end when it goes or is served in another way, and stay when it is given again", async () => {
  const { server } = await fixture();
  const kept = served({ kind: Thing });
  server.serveCustom([kept]);
  const watch = await openWatch(server, `${things}?watch=true`);
  server.serveCustom([kept, served({ kind: Old })]);
  await ask(server, `POST ${things}`, thing("v1"));
  assert.equal((await watch.next())?.type, "ADDED");
  server.serveCustom([served({ kind: Thing })]);
  assert.equal(await watch.next(), undefined);
});

for (const slow of [false, true]) {
  test(`two versions show the same objects, each with its own name (${slow ? "slow" : "fast"} conversion)`, async () => {
    const { server, store } = await fixture();
    server.serveCustom(versions(slow));
    const old = "/apis/g.dev/v1alpha1/namespaces/default/things";
    const watch = await openWatch(server, `${old}?watch=true`);
    const first = watch.next();
    const created = await ask(server, `POST ${old}`, { ...thing("v1alpha1"), spec: { size: 1 } });
    assert.equal(created.json["apiVersion"], "g.dev/v1alpha1");
    const stored = await store.get("/g.dev/things/default/a");
    assert.match(stored?.value ?? "", /^\{"apiVersion":"g.dev\/v1",/);
    assert.ok(stored?.value.includes(`"resourceVersion":"${stored.revision}"`));
    await ask(server, `PATCH ${things}/a`, { spec: { size: 2 } }, { "content-type": "application/merge-patch+json" });
    assert.equal((await ask(server, `GET ${things}/a`)).json["apiVersion"], "g.dev/v1");
    const listed = await ask(server, `GET ${old}`);
    assert.deepEqual(
      listed.json.items.map((item) => [item.apiVersion, (item as { spec?: object }).spec]),
      [["g.dev/v1alpha1", { size: 2 }]],
    );
    const gone = await ask(server, `DELETE ${old}/a`);
    assert.equal(gone.json["status"], "Success");
    const seen = [await first, await watch.next(), await watch.next()];
    assert.deepEqual(
      seen.map((event) => [event?.type, event?.object.apiVersion]),
      [
        ["ADDED", "g.dev/v1alpha1"],
        ["MODIFIED", "g.dev/v1alpha1"],
        ["DELETED", "g.dev/v1alpha1"],
      ],
    );
    await watch.close();
  });
}

// Subresources that act when something is posted to them, and parts of objects with verbs of their own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, fixture, Gadget, KINDS, Papers, type Fixture } from "./fixture.test-suite.ts";
import type { ServedKind } from "./index.ts";

const GADGETS = "/apis/apps/v1/namespaces/default/gadgets";
const Order = { ...Papers, group: "orders.dev", kind: "Order", plural: "orders", singular: "order" };

/** Gadgets that can be retired (deleted) and painted (labelled) by orders, and whose replicas are a part of their own. */
async function withActions(): Promise<Fixture> {
  const gadgets: ServedKind = {
    kind: Gadget,
    actions: {
      retire: {
        kind: Order,
        olderVersions: ["orders.dev/v1beta1"],
        act: (sent) => ({ deletes: (sent as { data?: object }).data === undefined ? {} : { dryRun: ["All"] } }),
      },
      paint: {
        kind: Order,
        act: () => ({ changes: (current) => ({ ...current, metadata: { ...current.metadata, labels: { colour: "red" } } }) }),
      },
      weigh: {
        kind: Order,
        mayBeNameless: true,
        act: (sent) => ({
          answers: (about) =>
            Promise.resolve({ ...sent, apiVersion: "orders.dev/v1", kind: "Order", metadata: sent.metadata, spec: { of: about.metadata.name } }),
        }),
      },
    },
    parts: { size: (current, sent) => ({ ...current, spec: (sent as { spec?: object }).spec }) as never },
    partVerbs: { size: ["get", "update", "patch"] },
  };
  const made = await fixture({ kinds: KINDS.map((served) => (served.kind === Gadget ? gadgets : served)) });
  await ask(made.server, `POST ${GADGETS}`, { metadata: { name: "g" }, spec: { replicas: 2 } });
  return made;
}

test("an object that is posted deletes, and the answer tells only that it is done", async () => {
  const { server } = await withActions();
  const post = async (body: unknown, query = ""): ReturnType<typeof ask> => ask(server, `POST ${GADGETS}/g/retire${query}`, body);
  const done = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
  assert.deepEqual((await post({ metadata: { name: "g" } }, "?dryRun=All")).json, done);
  assert.deepEqual((await post({ metadata: { name: "g" }, data: {} })).json, done);
  assert.equal((await ask(server, `GET ${GADGETS}/g`)).status, 200);
  const answer = await post({ apiVersion: "orders.dev/v1beta1", kind: "Order", metadata: { name: "g" } });
  assert.deepEqual([answer.status, answer.json], [201, done]);
  assert.equal((await ask(server, `GET ${GADGETS}/g`)).status, 404);
  assert.equal((await post({ metadata: { name: "g" } })).status, 404);
});

test("an object that is posted changes, and no other verb is offered", async () => {
  const { server } = await withActions();
  await ask(server, `POST ${GADGETS}/g/paint`, { metadata: { name: "g" } });
  assert.deepEqual((await ask(server, `GET ${GADGETS}/g`)).json.metadata.labels, { colour: "red" });
  for (const method of ["GET", "PUT", "PATCH", "DELETE"]) assert.equal((await ask(server, `${method} ${GADGETS}/g/paint`, {})).status, 405, method);
});

test("an object that is posted is answered with one of its own kind, and nothing is stored", async () => {
  const { server } = await withActions();
  const before = (await ask(server, `GET ${GADGETS}/g`)).json;
  const answer = await ask(server, `POST ${GADGETS}/g/weigh`, { data: { a: "1" } });
  assert.deepEqual([answer.status, answer.json.spec?.["of"]], [201, "g"]);
  assert.deepEqual((await ask(server, `GET ${GADGETS}/g`)).json, before);
  assert.equal((await ask(server, `POST ${GADGETS}/g/weigh`, { metadata: { name: "h" } })).status, 400);
  assert.equal((await ask(server, `POST ${GADGETS}/none/weigh`, {})).status, 404);
});

for (const { name, body, message } of [
  { name: "about another object", body: { metadata: { name: "h" } }, message: "name in URL does not match name in Order object" },
  { name: "about none", body: {}, message: "name in URL does not match name in Order object" },
  {
    name: "of another kind",
    body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "g" } },
    message: 'ConfigMap in version "v1" cannot be handled as a Order: converting (v1.ConfigMap) to (orders.Order): unknown conversion',
  },
]) {
  test(`an object ${name} is refused`, async () => {
    const { server } = await withActions();
    const answer = await ask(server, `POST ${GADGETS}/g/retire`, body);
    assert.deepEqual([answer.status, answer.json.message], [400, message]);
  });
}

test("a part can be read, replaced and patched, and keeps the rest", async () => {
  const { server } = await withActions();
  assert.equal((await ask(server, `GET ${GADGETS}/g/size`)).status, 200);
  const patch = { "content-type": "application/merge-patch+json" };
  const patched = await ask(server, `PATCH ${GADGETS}/g/size`, { metadata: { labels: { a: "b" } }, spec: { replicas: 5 } }, patch);
  assert.deepEqual([patched.json["spec"], patched.json.metadata.labels], [{ replicas: 5 }, undefined]);
  assert.equal((await ask(server, `DELETE ${GADGETS}/g/size`)).status, 405);
});

test("discovery names the kinds that subresources take", async () => {
  const { server } = await withActions();
  const { resources } = (await ask(server, "GET /apis/apps/v1")).json as unknown as { resources: { name: string }[] };
  const entry = (name: string): object | undefined => resources.find((resource) => resource.name === `gadgets/${name}`);
  assert.deepEqual(entry("retire"), {
    name: "gadgets/retire",
    singularName: "",
    namespaced: true,
    group: "orders.dev",
    version: "v1",
    kind: "Order",
    verbs: ["create"],
  });
  assert.deepEqual(entry("size"), { name: "gadgets/size", singularName: "", namespaced: true, kind: "Gadget", verbs: ["get", "patch", "update"] });
});

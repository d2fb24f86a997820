// In-process calls: objects in, objects out, StatusErrors, watches that see everything at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import { MemoryStore, type Durability } from "#store";
import type { KubeObject } from "#schema";
import type { InProcessTransport } from "./index.ts";
import { admin, ask, fixture, Gadget, Papers, Site } from "./fixture.test-suite.ts";

const MERGE = "application/merge-patch+json";
const at = { kind: Papers, namespace: "default" } as const;

async function create(transport: InProcessTransport, name: string): Promise<KubeObject> {
  return (await transport.send({ verb: "create", ...at, body: { metadata: { name } } })) as KubeObject;
}

test("every verb takes and gives objects", async () => {
  const { server } = await fixture();
  const transport = server.transportFor(admin);
  const body = Object.freeze({ metadata: Object.freeze({ name: "a", labels: undefined }), data: { k: "v", gone: undefined } });
  const created = (await transport.send({ verb: "create", ...at, body })) as KubeObject;
  assert.deepEqual([created.kind, created.apiVersion, (created as { data?: object }).data], ["ConfigMap", "v1", { k: "v" }]);
  assert.deepEqual(await transport.send({ verb: "get", ...at, name: "a" }), created);
  const updated = (await transport.send({ verb: "update", ...at, name: "a", body: { ...created, data: { k: "w" } } })) as KubeObject;
  assert.notEqual(updated.metadata.resourceVersion, created.metadata.resourceVersion);
  const patched = await transport.send({ verb: "patch", ...at, name: "a", contentType: MERGE, body: { data: { x: "y" } } });
  assert.deepEqual((patched as { data?: object }).data, { k: "w", x: "y" });
  const list = (await transport.send({ verb: "list", ...at, namespace: "", query: { labelSelector: "!x" } })) as {
    items: KubeObject[];
    metadata: { resourceVersion: string };
  };
  assert.deepEqual(list.items, [patched]);
  await transport.send({ verb: "delete", ...at, name: "a", body: { propagationPolicy: "Background" } });
  await assert.rejects(transport.send({ verb: "get", ...at, name: "a" }), (error) => isReason(error, "NotFound"));
});

test("status and scale are subresources here, too", async () => {
  const { server } = await fixture();
  const transport = server.transportFor(admin);
  const place = { kind: Gadget, namespace: "default", name: "g" };
  await transport.send({ verb: "create", ...place, body: { metadata: { name: "g" }, spec: {} } });
  const status = await transport.send({
    verb: "update",
    ...place,
    subresource: "status",
    body: { metadata: { name: "g" }, status: { phase: "Running", replicas: undefined } },
  });
  assert.deepEqual((status as { status?: object }).status, { phase: "Running" });
  const scale = await transport.send({ verb: "patch", ...place, subresource: "scale", contentType: MERGE, body: { spec: { replicas: 0 } } });
  assert.deepEqual((scale as { spec?: object }).spec, {}, "Go leaves a zero out");
});

test("a watch yields shared objects and ends with its signal", async () => {
  const { server, clock } = await fixture();
  const transport = server.transportFor(admin);
  const { metadata } = await create(transport, "a");
  const stop = new AbortController();
  const watches = [1, 2].map(() => transport.watch({ ...at, query: { resourceVersion: metadata.resourceVersion } }, stop.signal)[Symbol.asyncIterator]());
  const first = watches.map((watch) => watch.next());
  const created = await create(transport, "b");
  const events = await Promise.all(first);
  assert.deepEqual(events[0]?.value, { type: "ADDED", object: created });
  assert.equal(events[0]?.value.object, events[1]?.value.object);
  const last = watches.map((watch) => watch.next());
  stop.abort();
  assert.deepEqual(
    (await Promise.all(last)).map(({ done }) => done),
    [true, true],
  );
  assert.equal(clock.waiting, 0);
});

test("an expired watch throws, so that an informer lists again", async () => {
  const { server } = await fixture({}, { startRevision: 1000 });
  const watch = server.transportFor(admin).watch({ ...at, query: { resourceVersion: "1" } }, new AbortController().signal);
  await assert.rejects(watch[Symbol.asyncIterator]().next(), (error) => isReason(error, "Expired"));
});

test("in-process writes are rebuildable, outside writes durable", async () => {
  const seen: Durability[] = [];
  class Recording extends MemoryStore {
    override async put(write: Parameters<MemoryStore["put"]>[0]): ReturnType<MemoryStore["put"]> {
      seen.push(write.durability);
      return super.put(write);
    }
  }
  const { clock } = await fixture();
  const { server } = await fixture({ store: new Recording({ clock }) });
  await create(server.transportFor(admin), "a");
  await ask(server, "POST /api/v1/namespaces/default/configmaps", { metadata: { name: "b" } });
  assert.deepEqual(seen, ["durable", "rebuildable", "durable"]);
});

test("the identity of a transport is asked like any other", async () => {
  const { server } = await fixture({ authorize: (user) => (user.name === "nobody" ? "no role" : undefined) });
  const transport = server.transportFor({ name: "nobody", groups: [] });
  await assert.rejects(create(transport, "a"), (error) => isReason(error, "Forbidden"));
});

test("a verb that a kind does not have is refused, a kind that is not served is our mistake", async () => {
  const { server } = await fixture();
  const transport = server.transportFor(admin);
  await assert.rejects(transport.send({ verb: "get", ...at, name: "a", subresource: "status" }), (error) => isReason(error, "MethodNotAllowed"));
  await assert.rejects(transport.send({ verb: "get", kind: { ...Site, version: "v9" }, namespace: "", name: "a" }), /not served/);
});

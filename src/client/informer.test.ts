// Informers: what they keep, tell, index, and how they come back after faults.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRng, silentLogger, SimClock, StatusError } from "#core";
import type { KubeObject } from "#schema";
import { createClient } from "./client.ts";
import type { ConfigMapLike } from "./contract.test-suite.ts";
import { FakeApi } from "./fake-api.ts";
import { ConfigMaps } from "./fake-kind.test-suite.ts";
import { createInformer, createInformerSet } from "./informer.ts";
import type { ApiCall, Transport, WatchCall } from "./port.ts";

const map = (name: string, a: string, namespace = "default") => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data: { a, b: "not kept" },
});

function setUp() {
  const clock = new SimClock();
  const api = new FakeApi(clock);
  const client = createClient(api);
  const rng = new SeededRng(1);
  const stop = new AbortController();
  const seen: string[] = [];
  const keep = (object: ConfigMapLike): { name: string; a: string } => ({ name: object.metadata.name, a: object.data?.a ?? "" });
  const informer = createInformer({ client, kind: ConfigMaps, keep, clock, rng, logger: silentLogger });
  informer.onChange(({ type, key, before, after }) => seen.push(`${type} ${key} ${before?.a ?? "-"}→${after?.a ?? "-"}`));
  return { api, client, clock, informer, rng, seen, stop };
}

test("informer: keeps projections, tells changes of them, and nothing about the rest", async () => {
  const { api, client, clock, informer, seen, stop } = setUp();
  await client.create(ConfigMaps, map("one", "1"));
  const running = informer.run(stop.signal);
  await informer.synced;
  const one = await client.get(ConfigMaps, "default", "one");
  const changed = await client.update(ConfigMaps, { ...one, data: { a: "1", b: "changed" } });
  await client.update(ConfigMaps, { ...changed, data: { a: "2" } });
  await client.create(ConfigMaps, map("two", "1", "other"));
  await client.delete(ConfigMaps, { namespace: "default", name: "one" });
  await clock.advance(0);
  assert.deepEqual(seen, ["added default/one -→1", "changed default/one 1→2", "added other/two -→1", "removed default/one 2→-"]);
  assert.deepEqual(informer.list(), [{ name: "two", a: "1" }]);
  assert.deepEqual(informer.list("default"), []);
  assert.equal(api.writes.length, 5);
  stop.abort();
  await running;
  assert.equal(clock.waiting, 0);
});

test("informer: an expired watch lists again and tells what it missed, also what is gone", async () => {
  const { api, client, clock, informer, seen, stop } = setUp();
  await client.create(ConfigMaps, map("gone", "1"));
  await client.create(ConfigMaps, map("stays", "1"));
  const running = informer.run(stop.signal);
  await informer.synced;
  await clock.advance(0);
  api.late = true;
  await client.delete(ConfigMaps, { namespace: "default", name: "gone" });
  await client.create(ConfigMaps, map("new", "1"));
  api.late = false;
  seen.length = 0;
  api.expireWatches();
  await clock.advance(5000);
  assert.deepEqual(seen, ["added default/new -→1", "removed default/gone 1→-"]);
  stop.abort();
  await running;
});

test("informer set: one projection that fails on an object keeps nothing from the others, nor itself from other objects", async () => {
  const { client, clock, rng, stop } = setUp();
  await client.create(ConfigMaps, map("bad", "1"));
  const errors: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void errors.push(message) };
  const set = createInformerSet({ client, clock, rng, logger });
  const strict = set.of(ConfigMaps, "strict", (object: ConfigMapLike) => {
    if (object.metadata.name === "bad" || object.data?.a === "bad") throw new Error("unexpected");
    return object.metadata.name;
  });
  const told: string[] = [];
  strict.onChange(() => {
    throw new Error("a listener that fails");
  });
  strict.onChange(({ key }) => told.push(key));
  const lenient = set.of(ConfigMaps, "lenient", (object: ConfigMapLike) => object.metadata.name);
  const running = set.run(stop.signal);
  await Promise.all([strict.synced, lenient.synced]);
  await client.create(ConfigMaps, map("good", "1"));
  const bad = await client.get(ConfigMaps, "default", "bad");
  await client.update(ConfigMaps, { ...bad, data: { a: "2" } });
  await client.create(ConfigMaps, map("last", "1"));
  const turned = await client.create(ConfigMaps, map("turned", "1"));
  await client.update(ConfigMaps, { ...turned, data: { a: "bad" } });
  await clock.advance(0);
  assert.deepEqual(
    [strict.list(), lenient.list()],
    [
      ["good", "last"],
      ["bad", "good", "last", "turned"],
    ],
  );
  assert.deepEqual(told, ["default/good", "default/last", "default/turned", "default/turned"]);
  assert.equal(errors.length, 7, "each failure is logged");
  stop.abort();
  await running;
});

test("informer: a server that is away is asked again with backoff", async () => {
  const { api, client, clock, informer, stop } = setUp();
  await client.create(ConfigMaps, map("one", "1"));
  for (let times = 0; times < 3; times++) api.failNext(({ verb }) => verb === "watch", new StatusError("ServiceUnavailable", "away"));
  const running = informer.run(stop.signal);
  await clock.advance(100);
  assert.equal(informer.size, 0);
  await clock.advance(10_000);
  assert.equal(informer.size, 1);
  stop.abort();
  await running;
});

test("informer: indexes follow their rows", async () => {
  const { client, clock, informer, stop } = setUp();
  await client.create(ConfigMaps, map("one", "x"));
  informer.addIndex("a", ({ a }) => [a]);
  const running = informer.run(stop.signal);
  await informer.synced;
  const two = await client.create(ConfigMaps, map("two", "x"));
  await clock.advance(0);
  assert.deepEqual(
    informer.byIndex("a", "x").map(({ name }) => name),
    ["one", "two"],
  );
  await client.update(ConfigMaps, { ...two, data: { a: "y" } });
  await clock.advance(0);
  assert.deepEqual([informer.byIndex("a", "x").length, informer.byIndex("a", "y").length], [1, 1]);
  stop.abort();
  await running;
});

test("informer set: one memory a projection, one watch a kind, and who joins late is told everything", async () => {
  const { api, client, clock, rng, stop } = setUp();
  const set = createInformerSet({ client, clock, rng, logger: silentLogger });
  await client.create(ConfigMaps, map("one", "1"));
  const early = set.meta(ConfigMaps);
  assert.equal(set.meta(ConfigMaps), early);
  const running = set.run(stop.signal);
  await early.synced;
  assert.equal(early.list()[0]?.name, "one");
  const late = set.of(ConfigMaps, "data", (object) => object.data?.a);
  await late.synced;
  assert.deepEqual(late.list(), ["1"]);
  await client.create(ConfigMaps, map("two", "2"));
  await clock.advance(0);
  assert.deepEqual([early.size, late.size], [2, 2]);
  assert.equal(api.writes.length, 2);
  stop.abort();
  await running;
});

for (const { initialEvents, afterMs } of [
  { initialEvents: "refused", afterMs: 0 },
  { initialEvents: "unknown", afterMs: 20_000 },
] as const) {
  test(`informer: lists come in pages from a server to which streaming lists are ${initialEvents}`, async () => {
    const { api, client, clock, informer, stop } = setUp();
    api.initialEvents = initialEvents;
    for (const name of ["one", "two"]) await client.create(ConfigMaps, map(name, "1"));
    let synced = false;
    void informer.synced.then(() => (synced = true));
    const running = informer.run(stop.signal);
    await clock.advance(afterMs);
    assert.equal(synced, true);
    await client.delete(ConfigMaps, { namespace: "default", name: "one" });
    await clock.advance(0);
    assert.deepEqual(informer.list(), [{ name: "two", a: "1" }]);
    stop.abort();
    await running;
    assert.equal(clock.waiting, 0);
  });
}

/** A transport that counts, and can cut what it carries. */
function observed(api: FakeApi) {
  const watches: WatchCall["query"][] = [];
  const lists: ApiCall["query"][] = [];
  let cut: ((error: unknown) => void) | undefined;
  const plan: { cutAfter: number; error: StatusError; bookmark?: string } = {
    cutAfter: Number.POSITIVE_INFINITY,
    error: new StatusError("ServiceUnavailable", "cut"),
  };
  const transport: Transport = {
    send(call) {
      if (call.verb === "list") lists.push(call.query);
      return api.send(call);
    },
    async *watch(call, signal) {
      watches.push(call.query);
      const ended = new AbortController();
      const both = AbortSignal.any([signal, ended.signal]);
      let failure: unknown;
      cut = (error) => ((failure = error), ended.abort());
      let count = 0;
      if (plan.bookmark !== undefined) yield { type: "BOOKMARK", object: { metadata: { resourceVersion: plan.bookmark } } as KubeObject };
      for await (const event of api.watch(call, both)) {
        yield event;
        if (++count === plan.cutAfter) throw plan.error;
      }
      if (failure !== undefined && !signal.aborted) throw failure;
    },
  };
  return { transport, watches, lists, plan, cut: (error: unknown) => cut?.(error) };
}

function setUpObserved(cutAfter = Number.POSITIVE_INFINITY) {
  const clock = new SimClock();
  const api = new FakeApi(clock);
  const wire = observed(api);
  wire.plan.cutAfter = cutAfter;
  const client = createClient(wire.transport);
  const told: string[] = [];
  const keep = (object: ConfigMapLike): string => object.data?.a ?? "";
  const informer = createInformer({ client, kind: ConfigMaps, keep, clock, rng: new SeededRng(1), logger: silentLogger });
  informer.onChange(({ type, key }) => told.push(`${type} ${key}`));
  return { api, client, clock, informer, stop: new AbortController(), told, wire };
}

test("informer: a watch that is cut goes on from the last version, without a list", async () => {
  const { client, clock, informer, stop, told, wire } = setUpObserved();
  const running = informer.run(stop.signal);
  await informer.synced;
  const one = await client.create(ConfigMaps, map("one", "1"));
  await clock.advance(0);
  wire.cut(new StatusError("Timeout", "nothing came"));
  await client.create(ConfigMaps, map("two", "1"));
  await clock.advance(30_000);
  assert.deepEqual(told, ["added default/one", "added default/two"]);
  assert.deepEqual(
    wire.watches.map((query) => [query["sendInitialEvents"], query["resourceVersion"], query["allowWatchBookmarks"]]),
    [
      ["true", undefined, "true"],
      [undefined, one.metadata.resourceVersion, "true"],
    ],
  );
  assert.deepEqual(wire.lists, []);
  stop.abort();
  await running;
});

test("informer: bookmarks move the version from which a watch goes on", async () => {
  const { clock, informer, stop, wire } = setUpObserved();
  const running = informer.run(stop.signal);
  await informer.synced;
  wire.plan.bookmark = "900";
  wire.cut(new StatusError("Timeout", "nothing came"));
  await clock.advance(5000);
  wire.cut(new StatusError("Timeout", "nothing came"));
  await clock.advance(5000);
  assert.equal(wire.watches.at(-1)?.["resourceVersion"], "900");
  assert.equal(informer.size, 0, "a bookmark is no object");
  stop.abort();
  await running;
});

test("informer: initial events that are cut are asked for anew, and only a whole list counts", async () => {
  const { client, clock, informer, stop, told, wire } = setUpObserved(1);
  for (const name of ["one", "two"]) await client.create(ConfigMaps, map(name, "1"));
  let synced = false;
  void informer.synced.then(() => (synced = true));
  const running = informer.run(stop.signal);
  await clock.advance(100);
  assert.deepEqual([synced, told], [false, ["added default/one"]]);
  await client.delete(ConfigMaps, { namespace: "default", name: "one" });
  wire.plan.cutAfter = Number.POSITIVE_INFINITY;
  await clock.advance(5000);
  assert.deepEqual([synced, told], [true, ["added default/one", "added default/two", "removed default/one"]]);
  stop.abort();
  await running;
});

test("informer: a version of the future, from before the server was put back, makes it list again", async () => {
  const { clock, client, informer, stop, told, wire } = setUpObserved();
  const running = informer.run(stop.signal);
  await informer.synced;
  const details = { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }], retryAfterSeconds: 1 };
  wire.cut(new StatusError("Timeout", "Too large resource version: 9, current: 1", { details }));
  await client.create(ConfigMaps, map("one", "1"));
  await clock.advance(5000);
  assert.deepEqual(told, ["added default/one"]);
  assert.deepEqual(
    wire.watches.map((query) => query["sendInitialEvents"]),
    ["true", "true"],
  );
  stop.abort();
  await running;
});

test("informer: pages that expire on the way are given up for a list in one piece", async () => {
  const { api, client, clock, informer, stop, wire } = setUpObserved();
  api.initialEvents = "refused";
  for (let index = 0; index < 501; index++) await client.create(ConfigMaps, map(`map-${index}`, "1"));
  let lists = 0;
  api.failNext(({ verb }) => verb === "list" && ++lists === 2, new StatusError("Expired", "The provided continue parameter is too old"));
  const running = informer.run(stop.signal);
  await informer.synced;
  assert.equal(informer.size, 501);
  assert.deepEqual(
    wire.lists.map((query) => [query?.["limit"], query?.["continue"]]),
    [
      ["500", undefined],
      ["500", "500"],
      [undefined, undefined],
    ],
  );
  stop.abort();
  await running;
  assert.equal(clock.waiting, 0);
});

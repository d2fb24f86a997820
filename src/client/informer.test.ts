// Informers: what they keep, tell, index, and how they come back after faults.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRng, silentLogger, SimClock, StatusError } from "#core";
import { createClient } from "./client.ts";
import type { ConfigMapLike } from "./contract.test-suite.ts";
import { FakeApi } from "./fake-api.ts";
import { ConfigMaps } from "./fake-kind.test-suite.ts";
import { createInformer, createInformerSet } from "./informer.ts";

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
  for (let times = 0; times < 3; times++) api.failNext(({ verb }) => verb === "list", new StatusError("ServiceUnavailable", "away"));
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

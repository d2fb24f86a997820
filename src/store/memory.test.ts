import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { storeContract } from "./contract.test-suite.ts";
import { MemoryStore } from "./memory.ts";

storeContract("memory", async (options) => new MemoryStore({ clock: new SimClock(), ...options }));

test("memory: entries with a lifetime are deleted after it, with an event", async () => {
  const clock = new SimClock();
  const store = new MemoryStore({ clock });
  await store.put({ key: "/e", encode: () => "{}", expect: "any", durability: "durable", ttlMs: 60_000 });
  await clock.advance(59_999);
  await store.expire();
  assert.equal((await store.list({ prefix: "/" })).entries.length, 1);
  await clock.advance(1);
  const deleted: string[] = [];
  store.watch({ prefix: "/", after: store.revision, visibility: "durable", onEvents: (events) => deleted.push(...events.map((e) => e.type)) });
  await store.expire();
  assert.deepEqual(deleted, ["delete"]);
});

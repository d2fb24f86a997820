// Managers over several writes: who owns what after applies and updates by different hands.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isReason } from "#core";
import { fieldsOf } from "./fields.ts";
import { thing, tracking } from "./fixture.test-suite.ts";
import { trackApply, trackUpdate } from "./track.ts";
import type { ManagedFieldsEntry } from "./entries.ts";

type Thing = Record<string, unknown> & { metadata: Record<string, unknown> };

/** A little world of one object: each write sees what the last one left. */
class World {
  object: Thing | undefined;
  #seconds = 0;

  #write(manager: string, subresource = ""): Parameters<typeof trackApply>[0] {
    this.#seconds++;
    return { tracking, manager, subresource, now: `2026-01-01T00:00:${String(this.#seconds).padStart(2, "0")}Z` };
  }

  #keep(object: unknown, entries: ManagedFieldsEntry[] | undefined): void {
    const { metadata, ...rest } = object as Thing;
    const { managedFields: _entries, ...meta } = metadata;
    this.object = { ...rest, metadata: { ...meta, uid: "u", ...(entries === undefined ? {} : { managedFields: entries }) } };
  }

  apply(manager: string, config: Record<string, unknown>, force = false): boolean {
    const { object, entries, same } = trackApply(this.#write(manager), { live: this.object ?? tracking.empty, config, force });
    this.#keep(object, entries);
    return same;
  }

  update(manager: string, next: Record<string, unknown>, sent?: unknown, subresource = ""): void {
    const entries = trackUpdate(this.#write(manager, subresource), {
      live: this.object ?? tracking.empty,
      next: { ...next, metadata: { ...(next["metadata"] as object), uid: "u" } },
      sent,
    });
    this.#keep(next, entries);
  }

  get spec(): unknown {
    return this.object?.["spec"];
  }

  /** `manager operation: fields`, in order. */
  get owners(): string[] {
    const entries = (this.object?.metadata["managedFields"] ?? []) as ManagedFieldsEntry[];
    return entries.map((entry) => `${entry.manager} ${entry.operation}: ${JSON.stringify(entry.fieldsV1["f:spec"] ?? entry.fieldsV1)}`);
  }
}

test("two managers share a field; it goes when the last of them gives it up", () => {
  const world = new World();
  world.apply("a", thing({ name: "x", count: 1 }));
  assert.equal(world.apply("b", thing({ name: "x" })), true);
  world.apply("a", thing({ count: 1 }));
  assert.deepEqual(world.spec, { name: "x", count: 1 });
  world.apply("b", thing({}));
  assert.deepEqual(world.spec, { count: 1 });
  assert.deepEqual(world.owners, ['a Apply: {"f:count":{}}', "b Apply: {}"]);
});

test("a conflict names each field and who has it; force takes them", () => {
  const world = new World();
  world.apply("a", thing({ name: "x", labels: { k: "1", l: "1" } }));
  world.update("u", thing({ name: "x", labels: { k: "1", l: "1" }, count: 1 }));
  const config = thing({ name: "y", count: 2, labels: { k: "2" } });
  assert.throws(
    () => world.apply("b", config),
    (error) =>
      isReason(error, "Conflict") &&
      error.message === 'Apply failed with 3 conflicts: conflicts with "a":\n- .spec.name\n- .spec.labels.k\nconflicts with "u" using v1:\n- .spec.count' &&
      error.details?.causes?.[2]?.message === 'conflict with "u" using v1',
  );
  world.apply("b", config, true);
  assert.deepEqual(world.owners, ['a Apply: {"f:labels":{"f:l":{}}}', 'b Apply: {"f:count":{},"f:labels":{"f:k":{}},"f:name":{}}']);
  assert.deepEqual(world.spec, { name: "y", count: 2, labels: { k: "2", l: "1" } });
});

test("an item that is no longer applied goes, unless somebody else has a field of it", () => {
  const world = new World();
  world.apply("a", thing({ ports: [{ port: 1 }, { port: 2 }] }));
  world.apply("b", thing({ ports: [{ port: 2, name: "mine" }] }));
  world.apply("a", thing({ ports: [] }));
  assert.deepEqual(world.spec, { ports: [{ port: 2, name: "mine" }] });
});

test("an update owns what it changes; an equal one owns nothing and moves no time", () => {
  const world = new World();
  world.update("a", thing({ name: "x", count: 1 }));
  const before = world.object;
  world.update("b", thing({ name: "x", count: 1 }));
  assert.deepEqual(world.object, before);
  world.update("b", thing({ name: "y", count: 1 }));
  assert.deepEqual(world.owners, ['a Update: {".":{},"f:count":{}}', 'b Update: {"f:name":{}}']);
});

test("of the managers of updates the oldest are gathered in one", () => {
  const world = new World();
  world.update("m0", thing({ labels: { k0: "" } }));
  for (let index = 1; index <= 12; index++) {
    const labels = Object.fromEntries(Array.from({ length: index + 1 }, (_, at) => [`k${at}`, ""]));
    world.update(`m${index}`, thing({ labels }));
  }
  assert.equal(world.owners.length, 10);
  assert.equal(world.owners[0], 'ancient-changes Update: {".":{},"f:labels":{".":{},"f:k0":{},"f:k1":{},"f:k2":{},"f:k3":{}}}');
});

test("a client that sends an empty list forgets all managers; the first apply after it names one for what is there", () => {
  for (const reset of [[], [{}]]) {
    const world = new World();
    world.update("a", thing({ name: "x" }));
    world.update("a", thing({ name: "x", count: 1 }), reset);
    assert.deepEqual(world.owners, []);
    world.update("a", thing({ name: "x", count: 2 }));
    assert.deepEqual(world.owners, []);
    world.apply("b", thing({ count: 2 }));
    assert.deepEqual(world.owners, ['b Apply: {"f:count":{}}', 'before-first-apply Update: {".":{},"f:count":{},"f:name":{}}']);
  }
});

test("entries that a client rewrites are taken, unless one of them is none", () => {
  const mine = { manager: "x", operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "f:spec": { "f:name": {} } } };
  const world = new World();
  world.update("a", thing({ name: "x" }));
  world.update("a", thing({ name: "x" }), [mine]);
  assert.deepEqual(world.owners, ['x Apply: {"f:name":{}}']);
  for (const wrong of [
    { ...mine, operation: "Replace" },
    { ...mine, fieldsType: "" },
    { ...mine, apiVersion: "" },
    { ...mine, fieldsV1: { spec: {} } },
  ]) {
    world.update("a", thing({ name: "x" }), [wrong]);
    assert.deepEqual(world.owners, ['x Apply: {"f:name":{}}']);
  }
  world.update("a", thing({ name: "x" }), [], "status");
  assert.deepEqual(world.owners, ['x Apply: {"f:name":{}}'], "a part of an object cannot forget");
});

test("kubectl takes over what it applied on the client's side, and what others changed since stays in the way", () => {
  const annotation = "kubectl.kubernetes.io/last-applied-configuration";
  const applied = thing({ name: "x", count: 1 });
  const annotations = { [annotation]: JSON.stringify(applied) };
  const world = new World();
  world.update("kubectl-client-side-apply", thing({ name: "x", count: 1 }, { annotations }));
  world.apply("kubectl", thing({ name: "y", count: 1 }));
  assert.deepEqual(world.spec, { name: "y", count: 1 });
  assert.match(JSON.stringify(world.object?.metadata["annotations"]), /\\"name\\":\\"y\\"/);
  const other = new World();
  other.update("kubectl-client-side-apply", thing({ name: "x", count: 1 }, { annotations }));
  other.update("someone", thing({ name: "z", count: 1 }, { annotations }));
  assert.throws(() => other.apply("kubectl", thing({ name: "y", count: 2 })), /Apply failed with 1 conflict: conflict with "someone" using v1: .spec.name$/);
  assert.throws(() => other.apply("not-kubectl", thing({ name: "z", count: 2 })), /conflict with "kubectl-client-side-apply" using v1: .spec.count$/);
});

test("managers in versions that are no longer served are forgotten", () => {
  const world = new World();
  const old = { manager: "o", operation: "Update", apiVersion: "v0", fieldsType: "FieldsV1", fieldsV1: { "f:spec": {} } };
  world.update("a", thing({ name: "x" }));
  world.update("a", thing({ name: "y" }), [old]);
  assert.deepEqual(world.owners, ['a Update: {"f:name":{}}']);
});

test("fields that a way of writing resets have no new owner", () => {
  const write = { tracking: { ...tracking, reset: fieldsOf(["f:spec"]) }, manager: "a", subresource: "status", now: "2026-01-01T00:00:00Z" };
  const entries = trackUpdate(write, { live: tracking.empty, next: { ...thing({ name: "x" }), status: { phase: "p" } }, sent: undefined });
  assert.deepEqual(
    entries?.map(({ fieldsV1 }) => fieldsV1),
    [{ "f:status": { ".": {}, "f:phase": {} } }],
  );
});

test("a configuration of another kind or with managers of its own is refused", () => {
  const live = { ...thing({}), metadata: { name: "t", uid: "u" } };
  const write = { tracking, manager: "a", subresource: "", now: "2026-01-01T00:00:00Z" };
  const refusals: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ ...thing({}), kind: "Other" }, "invalid object type: /v1, Kind=Other"],
    [{ ...thing({}), apiVersion: "apps/v2" }, "invalid object type: apps/v2, Kind=Thing"],
    [thing({}, { managedFields: [] }), "metadata.managedFields must be nil"],
    [thing({ nam: 1 }), "failed to create typed patch object (/t; /v1, Kind=Thing): .spec.nam: field not declared in schema"],
  ];
  for (const [config, message] of refusals) assert.throws(() => trackApply(write, { live, config, force: false }), { message });
});

const word = fc.constantFrom("x", "y");
const spec = fc.record(
  {
    name: word,
    tags: fc.uniqueArray(word),
    labels: fc.dictionary(word, word, { noNullPrototype: true }),
    args: fc.array(word, { maxLength: 2 }),
    ports: fc.uniqueArray(fc.record({ port: fc.integer({ min: 1, max: 3 }), name: word }, { noNullPrototype: true }), { selector: ({ port }) => port }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

test("applying the same twice changes nothing", () => {
  fc.assert(
    fc.property(spec, spec, (mine, theirs) => {
      const world = new World();
      world.update("other", thing(theirs));
      world.apply("me", thing(mine), true);
      const once = JSON.stringify(world.object);
      assert.equal(world.apply("me", thing(mine)), true);
      assert.equal(JSON.stringify(world.object), once);
    }),
  );
});

test("what only one manager ever applied goes with it, what an update set stays", () => {
  const nothing = { apiVersion: "v1", kind: "Thing", metadata: { name: "t" } };
  fc.assert(
    fc.property(spec, spec, (mine, theirs) => {
      // An empty list is nobody's, and stays: so it is in Kubernetes.
      fc.pre(!JSON.stringify(mine).includes("[]"));
      const alone = new World();
      alone.apply("me", thing(mine));
      alone.apply("me", nothing);
      assert.equal(alone.spec ?? undefined, undefined);
      const shared = new World();
      shared.update("other", thing(theirs));
      shared.apply("me", thing(theirs));
      shared.apply("me", nothing);
      assert.deepEqual(shared.spec, theirs);
    }),
  );
});

// The shell: what it writes, when it runs again, and what it does about conflicts, refusals and late watches.
import assert from "node:assert/strict";
import { test } from "node:test";
import { below, conflict, forbidden, SeededRng, silentLogger, SimClock, StatusError } from "#core";
import { createClient, createInformerSet, FakeApi, type FakeWrite } from "#client";
import type { Condition, Kind, KubeObject, ObjectKey } from "#schema";
import { createEventRecorder } from "./event-recorder.ts";
import type { Controller, Plan, ShellWorld } from "./port.ts";
import { runController } from "./run-controller.ts";

interface Parent extends KubeObject {
  spec: { size: number; color?: string };
  status?: { size?: number; conditions?: Condition[] };
}
interface Kid extends KubeObject {
  spec: { color?: string; filledIn?: string };
}

const kindOf = <O extends KubeObject>(kind: string, status: boolean): Kind<O> => ({
  group: "test.dev",
  version: "v1",
  kind,
  plural: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  shortNames: [],
  categories: [],
  scope: "Namespaced",
  schema: { type: "object" },
  subresources: status ? { status: true } : {},
  columns: [],
  custom: true,
  hasGeneration: true,
});
const Parents = kindOf<Parent>("Parent", true);
const Kids = kindOf<Kid>("Kid", false);
const Events = kindOf("Event", false);

interface Seen {
  readonly parent: Parent;
  readonly kids: readonly Kid[];
}

/** As many kids as wanted, with generated names. */
function planKids({ parent, kids }: Seen): Plan {
  const missing = Math.max(0, parent.spec.size - kids.length);
  const metadata = { generateName: `${parent.metadata.name}-`, namespace: "default" };
  return {
    desired: [
      ...kids.slice(0, parent.spec.size).map((kid) => ({ kind: Kids, object: kid, merge: () => undefined })),
      ...Array.from({ length: missing }, () => ({ kind: Kids, object: { apiVersion: "test.dev/v1", kind: "Kid", metadata, spec: {} } })),
    ],
    status: { size: parent.spec.size, conditions: [{ type: "Ready", status: "True" }] },
  };
}

function setUp(options: { readonly plan?: (seen: Seen) => Plan; readonly seed?: number; readonly afterRefusal?: boolean } = {}) {
  const clock = new SimClock();
  const api = new FakeApi(clock);
  const client = createClient(api);
  const rng = new SeededRng(options.seed ?? 1);
  const stop = new AbortController();
  const informers = createInformerSet({ client, clock, rng, logger: silentLogger });
  const events = createEventRecorder({ client, kind: Events, clock, rng, logger: silentLogger });
  const passes: (readonly [key: string, writes: number])[] = [];
  const forgotten: ObjectKey[] = [];
  const controller: Controller<Parent, Seen> = {
    name: "parent-controller",
    primary: Parents,
    owns: [Kids],
    async observe(key, world: ShellWorld) {
      const parent = await world.client.find(Parents, key.namespace, key.name);
      return parent === undefined ? undefined : { parent, kids: await world.owned(Kids, parent.metadata) };
    },
    plan: options.plan ?? planKids,
    primaryOf: ({ parent }) => parent,
    forget: (key) => void forgotten.push(key),
  };
  const running = [informers.run(stop.signal), events.run(stop.signal)];
  const run = runController({
    controller,
    informers,
    client,
    events,
    clock,
    rng,
    logger: silentLogger,
    signal: stop.signal,
    onPass: ({ key, writes }) => void passes.push([key.name, writes]),
  });
  const parent = (name: string, spec: Parent["spec"]) =>
    client.create(Parents, { apiVersion: "test.dev/v1", kind: "Parent", metadata: { name, namespace: "default" }, spec });
  const kids = async () => (await client.list(Kids)).items;
  const end = async (): Promise<void> => {
    stop.abort();
    await clock.advance(0);
    await Promise.all([...running, run.done]);
    assert.equal(clock.waiting, 0, "something still sleeps");
  };
  return { api, client, clock, end, events, forgotten, kids, parent, passes, run, stop };
}

const short = (writes: readonly FakeWrite[]): string[] =>
  writes.map(({ verb, plural, subresource }) => `${verb} ${plural}${subresource === undefined ? "" : `/${subresource}`}`);

test("shell: children are made with their owner, the status is written once, and a second pass writes nothing", async () => {
  const { api, clock, end, kids, parent, passes, run } = setUp();
  const made = await parent("a", { size: 2 });
  await clock.advance(0);
  assert.deepEqual(short(api.writes), ["create parents", "create kids", "create kids", "update parents/status"]);
  const [kid] = await kids();
  assert.deepEqual(kid?.metadata.ownerReferences, [
    { apiVersion: "test.dev/v1", kind: "Parent", name: "a", uid: made.metadata.uid, controller: true, blockOwnerDeletion: true },
  ]);
  run.requeue({ namespace: "default", name: "a" });
  await clock.advance(1000);
  assert.equal(api.writes.length, 4);
  assert.ok(passes.length >= 3 && passes.slice(1).every(([, writes]) => writes === 0));
  await end();
});

test("shell: a pass reads the watched objects that concern its key, wherever they were moved meanwhile", async () => {
  const clock = new SimClock();
  const client = createClient(new FakeApi(clock));
  const rng = new SeededRng(1);
  const stop = new AbortController();
  const informers = createInformerSet({ client, clock, rng, logger: silentLogger });
  const events = createEventRecorder({ client, kind: Events, clock, rng, logger: silentLogger });
  const seen = new Map<string, readonly string[]>();
  const ofColor = ({ spec }: KubeObject & { readonly spec?: Kid["spec"] }) => (spec?.color === undefined ? [] : [{ namespace: "default", name: spec.color }]);
  const controller: Controller<Parent, Parent> = {
    name: "color-controller",
    primary: Parents,
    owns: [],
    watches: [{ kind: Kids as unknown as Kind, keys: ofColor, read: true }],
    async observe(key, world) {
      seen.set(key.name, (await world.watched(Kids)).map(({ metadata }) => metadata.name).toSorted());
      return world.client.find(Parents, key.namespace, key.name);
    },
    plan: () => ({ desired: undefined }),
    primaryOf: (parent) => parent,
  };
  const running = [informers.run(stop.signal), events.run(stop.signal)];
  const run = runController({ controller, informers, client, events, clock, rng, logger: silentLogger, signal: stop.signal });
  for (const name of ["red", "blue"])
    await client.create(Parents, { apiVersion: "test.dev/v1", kind: "Parent", metadata: { name, namespace: "default" }, spec: { size: 0 } });
  for (const [name, color] of [
    ["one", "red"],
    ["two", "red"],
    ["three", "blue"],
  ] as const)
    await client.create(Kids, { apiVersion: "test.dev/v1", kind: "Kid", metadata: { name, namespace: "default" }, spec: { color } });
  await clock.advance(0);
  assert.deepEqual(Object.fromEntries(seen), { red: ["one", "two"], blue: ["three"] });
  const two = await client.get(Kids, "default", "two");
  await client.update(Kids, { ...two, spec: { color: "blue" } });
  await client.delete(Kids, { namespace: "default", name: "one" });
  await clock.advance(0);
  assert.deepEqual(Object.fromEntries(seen), { red: [], blue: ["three", "two"] });
  stop.abort();
  await clock.advance(0);
  await Promise.all([...running, run.done]);
});

test("shell: children that a late watch does not show yet are not made twice", async () => {
  const { api, clock, end, kids, parent, run } = setUp();
  await clock.advance(0);
  await parent("a", { size: 3 });
  await clock.advance(0);
  api.late = true;
  const extra = { namespace: "default", name: "a" };
  for (let times = 0; times < 4; times++) {
    run.requeue(extra);
    await clock.advance(0);
  }
  assert.equal((await kids()).length, 3);
  api.deliver("parents");
  await clock.advance(0);
  api.deliver();
  await clock.advance(0);
  assert.equal((await kids()).length, 3);
  await end();
});

test("shell: what is owned and not desired is deleted; undefined children are left alone", async () => {
  let unknown = false;
  const { client, clock, end, kids, parent, run } = setUp({ plan: (seen) => (unknown ? { desired: undefined } : planKids(seen)) });
  const made = await parent("a", { size: 3 });
  await clock.advance(0);
  unknown = true;
  const current = await client.get(Parents, "default", "a");
  await client.update(Parents, { ...current, spec: { size: 1 } });
  await clock.advance(0);
  assert.equal((await kids()).length, 3);
  unknown = false;
  run.requeue({ namespace: "default", name: made.metadata.name });
  await clock.advance(0);
  assert.equal((await kids()).length, 1);
  await end();
});

test("shell: a transition time moves only with its condition", async () => {
  let ready: "True" | "False" = "False";
  const { client, clock, end, parent, run } = setUp({
    plan: ({ parent: { spec } }) => ({ desired: [], status: { size: spec.size, conditions: [{ type: "Ready", status: ready, reason: "Because" }] } }),
  });
  await parent("a", { size: 1 });
  await clock.advance(0);
  const timeOf = async () => (await client.get(Parents, "default", "a")).status?.conditions?.[0]?.lastTransitionTime;
  const first = await timeOf();
  assert.equal(first, "2026-01-01T00:00:00Z");
  await clock.advance(10_000);
  await client.update(Parents, { ...(await client.get(Parents, "default", "a")), spec: { size: 2 } });
  await clock.advance(0);
  assert.equal((await client.get(Parents, "default", "a")).status?.size, 2);
  assert.equal(await timeOf(), first);
  ready = "True";
  run.requeue({ namespace: "default", name: "a" });
  await clock.advance(0);
  assert.equal(await timeOf(), "2026-01-01T00:00:10Z");
  await end();
});

test("shell: a conflict is observed again at once, and nobody hears of it", async () => {
  const { api, client, clock, end, kids, parent } = setUp();
  api.failNext(({ verb, subresource }) => verb === "update" && subresource === "status", conflict({ group: "test.dev", resource: "parents" }, "a"));
  await parent("a", { size: 1 });
  await clock.advance(0);
  assert.equal((await client.get(Parents, "default", "a")).status?.size, 1);
  assert.equal((await kids()).length, 1);
  assert.equal((await client.list(Events)).items.length, 0);
  await end();
});

test("shell: a refused child becomes a Warning event and is tried again with backoff", async () => {
  const { api, client, clock, end, kids, parent } = setUp();
  for (let times = 0; times < 3; times++)
    api.failNext(({ verb, kind }) => verb === "create" && kind.plural === "kids", forbidden({ group: "test.dev", resource: "kids" }, "a-", "exceeded quota"));
  await parent("a", { size: 1 });
  await clock.advance(0);
  assert.equal((await kids()).length, 0);
  await clock.advance(200);
  assert.equal((await kids()).length, 1);
  const [event] = (await client.list(Events)).items as (KubeObject & { reason?: string; message?: string; count?: number; source?: object })[];
  assert.deepEqual(
    [event?.reason, event?.message, event?.count, event?.source],
    ["InternalError", 'kids.test.dev "a-" is forbidden: exceeded quota', 3, { component: "parent-controller" }],
  );
  await end();
});

test("shell: afterRefusal decides status and events instead", async () => {
  const { api, client, clock, end, parent } = setUp({
    plan: (seen) => ({
      ...planKids(seen),
      afterRefusal: (refusals) => ({
        status: { conditions: [{ type: "Ready", status: "False", message: refusals[0]?.error.message ?? "" }] },
        events: [{ type: "Warning", reason: "FailedCreate", message: "no" }],
      }),
    }),
  });
  // The second refusal follows from the write of the status.
  for (let times = 0; times < 2; times++) api.failNext(({ verb, kind }) => verb === "create" && kind.plural === "kids", new StatusError("Forbidden", "full"));
  await parent("a", { size: 1 });
  await clock.advance(0);
  assert.equal((await client.get(Parents, "default", "a")).status?.conditions?.[0]?.message, "full");
  await clock.advance(100);
  assert.equal((await client.get(Parents, "default", "a")).status?.conditions?.[0]?.status, "True");
  assert.deepEqual(
    ((await client.list(Events)).items as (KubeObject & { reason?: string })[]).map(({ reason }) => reason),
    ["FailedCreate"],
  );
  await end();
});

test("shell: a plan that throws harms its own key only", async () => {
  const { clock, end, kids, parent } = setUp({
    plan(seen) {
      if (seen.parent.metadata.name === "bad") throw new TypeError("broken plan");
      return planKids(seen);
    },
  });
  await parent("bad", { size: 1 });
  await parent("good", { size: 1 });
  await clock.advance(60_000);
  assert.deepEqual(
    (await kids()).map((kid) => kid.metadata.ownerReferences?.[0]?.name),
    ["good"],
  );
  await end();
});

test("shell: wakeAtMs brings the key back, and a deleted primary is forgotten", async () => {
  let wakes = 0;
  const { client, clock, end, forgotten, parent } = setUp({
    plan() {
      wakes++;
      return wakes === 1 ? { desired: [], wakeAtMs: 5000 } : { desired: [] };
    },
  });
  await parent("a", { size: 0 });
  await clock.advance(4999);
  assert.equal(wakes, 1);
  await clock.advance(1);
  assert.equal(wakes, 2);
  await client.delete(Parents, { namespace: "default", name: "a" });
  await clock.advance(0);
  assert.deepEqual(forgotten, [{ namespace: "default", name: "a" }]);
  await end();
});

test("shell: what a server fills in is not fought over", async () => {
  const wish = { apiVersion: "test.dev/v1", kind: "Kid", metadata: { name: "kid", namespace: "default" }, spec: { color: "red" } };
  const { api, client, clock, end, parent, run } = setUp({ plan: () => ({ desired: [{ kind: Kids, object: wish }] }) });
  await parent("a", { size: 1 });
  await clock.advance(0);
  // A defaulting server answers the next update with more than was sent.
  const send = api.send.bind(api);
  api.send = async (call) => {
    if (call.verb !== "update" || call.kind.plural !== "kids") return send(call);
    const body = call.body as Kid;
    return send({ ...call, body: { ...body, spec: { ...body.spec, filledIn: "default" } } });
  };
  const kid = await client.get(Kids, "default", "kid");
  await client.update(Kids, { ...kid, spec: { color: "blue" } });
  await clock.advance(0);
  assert.deepEqual((await client.get(Kids, "default", "kid")).spec, { color: "red", filledIn: "default" });
  const before = api.writes.length;
  run.requeue({ namespace: "default", name: "a" });
  await clock.advance(0);
  assert.equal(api.writes.length, before);
  await end();
});

test("shell: converges and then rests, whatever the order of watches and conflicts", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { api, client, clock, end, kids, parent } = setUp({ seed });
    const chance = new SeededRng(seed);
    await parent("a", { size: 0 });
    await parent("b", { size: 2 });
    await clock.advance(0);
    api.late = true;
    for (let round = 0; round < 15; round++) {
      const name = below(chance, 2) === 0 ? "a" : "b";
      const size = below(chance, 5);
      if (below(chance, 3) === 0)
        api.failNext(({ verb, kind }) => verb === "update" && kind.plural === "parents", conflict({ group: "test.dev", resource: "parents" }, name));
      await client.patch(Parents, { namespace: "default", name }, { type: "application/merge-patch+json", body: { spec: { size } } }).catch(() => {});
      if (below(chance, 2) === 0) api.deliver(below(chance, 2) === 0 ? "parents" : "kids");
      await clock.advance(below(chance, 20));
    }
    api.late = false;
    for (let times = 0; times < 3; times++) {
      api.deliver();
      await clock.advance(5000);
    }
    for (const name of ["a", "b"]) {
      const { spec } = await client.get(Parents, "default", name);
      const own = (await kids()).filter((kid) => kid.metadata.ownerReferences?.[0]?.name === name);
      assert.equal(own.length, spec.size, `seed ${seed}: ${name}`);
    }
    const writes = api.writes.length;
    await clock.advance(60_000);
    assert.equal(api.writes.length, writes, `seed ${seed}: a converged plan wrote`);
    await end();
  }
});

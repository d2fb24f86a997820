// EventTypes of what came by: one for each type and source of an object, up to a limit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, FakeApi } from "#client";
import { SeededRng, silentLogger, SimClock, StatusError } from "#core";
import { Broker, EventType, InMemoryChannel, Trigger } from "#kinds";
import type { Draft, Kind } from "#schema";
import { SeenEvents, type SeenEvent } from "./seen-events.ts";

const kinds = [Broker, Trigger, InMemoryChannel, EventType] as unknown as Kind[];
const seen = (more: Partial<SeenEvent> = {}): SeenEvent => ({
  at: "Broker",
  namespace: "ns",
  name: "b",
  type: "order.made",
  source: "/shop",
  specVersion: "1.0",
  ...more,
});

async function world(): Promise<{
  put(...events: readonly SeenEvent[]): Promise<void>;
  made(): Promise<readonly EventType[]>;
  clock: SimClock;
  api: FakeApi;
  types: SeenEvents;
  warnings: readonly string[];
  delete(name: string): Promise<void>;
}> {
  const clock = new SimClock();
  const api = new FakeApi(clock);
  const client = createClient(api, { fieldManager: "test" });
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  const draft = (kind: string, name: string, spec: object): Draft<Broker> =>
    ({ apiVersion: "eventing.knative.dev/v1", kind, metadata: { name, namespace: "ns" }, spec }) as unknown as Draft<Broker>;
  await client.create(Broker, draft("Broker", "b", {}));
  await client.create(Trigger as unknown as typeof Broker, draft("Trigger", "t", { broker: "b" }));
  const types = new SeenEvents({ client, kinds, clock, rng: new SeededRng(1), logger });
  return {
    clock,
    api,
    types,
    warnings,
    async put(...events) {
      types.put(events);
      const stop = new AbortController();
      const done = types.run(stop.signal);
      await clock.advance(1);
      stop.abort();
      await done;
    },
    made: async () => (await client.list(EventType, { namespace: "ns" })).items,
    delete: (name) => client.delete(EventType, { namespace: "ns", name }),
  };
}

test("an event that a Broker took becomes an EventType that goes with the Broker", async () => {
  const { put, made } = await world();
  await put(seen({ schema: "http://schema/" }), seen({ schema: "http://schema/" }));
  const [type, ...more] = await made();
  assert.deepEqual(more, []);
  assert.match(type?.metadata.name ?? "", /^et-b-[0-9a-f]{32}$/);
  assert.deepEqual(
    type?.metadata.ownerReferences?.map(({ kind, name, controller }) => ({ kind, name, controller })),
    [{ kind: "Broker", name: "b", controller: undefined }],
  );
  assert.deepEqual(type?.spec, {
    description: "Event Type auto-created by controller",
    reference: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "b", namespace: "ns" },
    attributes: [
      { name: "type", required: true, value: "order.made" },
      { name: "source", required: true, value: "/shop" },
      { name: "schemadata", required: true, value: "http://schema/" },
      { name: "specversion", required: true, value: "1.0" },
      { name: "id", required: true },
    ],
  });
});

test("a reply is about the Trigger whose subscriber gave it; what is about nothing that is there is passed over", async () => {
  const { put, made } = await world();
  await put(seen({ at: "Trigger", name: "t" }), seen({ name: "gone" }), seen({ at: "Subscription", name: "s" }));
  assert.deepEqual(
    (await made()).map(({ spec }) => [spec.reference?.kind, spec.reference?.name]),
    [["Trigger", "t"]],
  );
});

test("one that somebody deleted is made again with the next event", async () => {
  const { put, made, delete: remove } = await world();
  await put(seen());
  const [type] = await made();
  await remove(type?.metadata.name ?? "");
  assert.deepEqual(await made(), []);
  await put(seen());
  assert.equal((await made()).length, 1);
});

test("an object has 200 of them; other objects get theirs, and it is looked at again when there is room", async () => {
  const { put, made, delete: remove, clock } = await world();
  await put(...Array.from({ length: 250 }, (_, at) => seen({ source: `/${at}` })));
  const all = await made();
  assert.equal(all.length, 200);
  await put(seen({ at: "Trigger", name: "t" }));
  assert.equal((await made()).length, 201);
  await remove(all[0]?.metadata.name ?? "");
  await clock.advance(60_001);
  await put(seen({ source: "/new" }));
  assert.equal((await made()).length, 201);
});

test("one that cannot be made is tried again, and no other waits for it; at last it is left to a later event", async (t) => {
  const { types, made, clock, api, warnings } = await world();
  const stop = new AbortController();
  const done = types.run(stop.signal);
  t.after(() => (stop.abort(), done));
  const names = async (): Promise<string[]> => (await made()).map(({ spec }) => spec.attributes?.find(({ name }) => name === "source")?.value ?? "none");
  const fail = (verb: string): void =>
    api.failNext((call) => call.verb === verb && call.kind.kind === "EventType", new StatusError("InternalError", "not now"));
  fail("get");
  fail("create");
  types.put([seen({ source: "/a" }), seen({ source: "/b" })]);
  await clock.advance(1);
  assert.deepEqual(await names(), [], "each has met a failure: one as it was looked for, one as it was made");
  types.put([seen({ source: "/c" })]);
  await clock.advance(1);
  assert.deepEqual(await names(), ["/c"]);
  await clock.advance(100);
  assert.deepEqual((await names()).toSorted(), ["/a", "/b", "/c"]);
  for (let tries = 0; tries <= 9; tries++) fail("create");
  types.put([seen({ source: "/d" })]);
  await clock.advance(52_000);
  assert.deepEqual([(await made()).length, warnings], [3, ["an EventType could not be made"]]);
  await clock.advance(600_000);
  assert.equal((await made()).length, 3, "nobody tries any more");
  types.put([seen({ source: "/d" })]);
  await clock.advance(1);
  assert.equal((await made()).length, 4);
});

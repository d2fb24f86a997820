// EventTypes of what came by: one for each type and source of an object, up to a limit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, FakeApi } from "#client";
import { silentLogger, SimClock } from "#core";
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
  delete(name: string): Promise<void>;
}> {
  const clock = new SimClock();
  const client = createClient(new FakeApi(clock), { fieldManager: "test" });
  const draft = (kind: string, name: string, spec: object): Draft<Broker> =>
    ({ apiVersion: "eventing.knative.dev/v1", kind, metadata: { name, namespace: "ns" }, spec }) as unknown as Draft<Broker>;
  await client.create(Broker, draft("Broker", "b", {}));
  await client.create(Trigger as unknown as typeof Broker, draft("Trigger", "t", { broker: "b" }));
  const types = new SeenEvents({ client, kinds, clock, logger: silentLogger });
  return {
    clock,
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

// What the events thread is told as Brokers and Triggers come, change and go, and when that is in force.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventing, type Broker, type Trigger } from "#kinds";
import { EventTable } from "./event-table.ts";

const broker = (over: { readonly uid?: string; readonly generation?: number; readonly delivery?: object; readonly brokerClass?: string } = {}): Broker =>
  ({
    apiVersion: "eventing.knative.dev/v1",
    kind: "Broker",
    metadata: {
      namespace: "ns",
      name: "b",
      uid: over.uid ?? "b-uid",
      generation: over.generation ?? 1,
      annotations: { [eventing.brokerClass]: over.brokerClass ?? eventing.mtClass },
    },
    spec: over.delivery === undefined ? {} : { delivery: over.delivery },
  }) as unknown as Broker;
const trigger = (over: { readonly spec?: object; readonly status?: object; readonly uid?: string; readonly annotations?: object } = {}): Trigger =>
  ({
    apiVersion: "eventing.knative.dev/v1",
    kind: "Trigger",
    metadata: {
      namespace: "ns",
      name: "t",
      uid: over.uid ?? "t-uid",
      generation: 1,
      ...(over.annotations === undefined ? {} : { annotations: over.annotations }),
    },
    spec: { broker: "b", subscriber: { uri: "http://sub/" }, ...over.spec },
    status: over.status ?? { subscriberUri: "http://sub/" },
  }) as unknown as Trigger;

function tableWith(...triggers: readonly Trigger[]): EventTable {
  const table = new EventTable();
  table.upsertBroker(broker());
  for (const one of triggers) table.upsertTrigger(one);
  return table;
}

test("a Broker and a Trigger become a stream and a subscriber with all defaults", () => {
  const delta = tableWith(trigger()).flush();
  assert.deepEqual(delta?.streams, [{ id: "b-uid", kind: "Broker", namespace: "ns", name: "b", version: 1 }]);
  assert.deepEqual(delta?.subscribers, [
    {
      id: "t-uid",
      stream: "b-uid",
      namespace: "ns",
      name: "t",
      version: 1,
      selection: { attributes: {}, filters: [] },
      target: { url: "http://sub/" },
      reply: { to: "stream", stream: "b-uid" },
      rules: { retries: 0, backoff: "exponential", backoffMs: 200, timeoutMs: 600_000 },
      order: "none",
    },
  ]);
});

test("nothing is in force before the thread says so, and after its death nothing is", () => {
  const table = tableWith(trigger());
  const first = table.threadStarted();
  assert.equal(first.reset, true);
  const delta = table.flush();
  assert.equal(table.trigger("ns/t"), undefined);
  assert.deepEqual(table.acknowledged(delta?.generation ?? 0), { brokers: ["ns/b"], triggers: ["ns/t"], channels: [] });
  assert.deepEqual(table.acknowledged(delta?.generation ?? 0), { brokers: [], triggers: [], channels: [] });
  assert.deepEqual(table.trigger("ns/t"), { uid: "t-uid", generation: 1, subscriberUri: "http://sub/" });
  assert.deepEqual(table.threadStopped(), { brokers: ["ns/b"], triggers: ["ns/t"], channels: [] });
  assert.equal(table.broker("ns/b"), undefined);
});

test("what was not changed is not told again", () => {
  const table = tableWith(trigger());
  table.flush();
  table.upsertTrigger(trigger());
  table.upsertBroker(broker());
  assert.equal(table.flush(), undefined);
});

test("the Trigger's delivery counts as a whole, else the Broker's", () => {
  const table = tableWith(trigger());
  table.flush();
  table.upsertBroker(broker({ generation: 2, delivery: { retry: 3, backoffPolicy: "linear", backoffDelay: "PT1S", timeout: "PT5S" } }));
  assert.deepEqual(table.flush()?.subscribers[0]?.rules, { retries: 3, backoff: "linear", backoffMs: 1_000, timeoutMs: 5_000 });
  table.upsertTrigger(trigger({ spec: { delivery: { retryAfterMax: "PT1M" } } }));
  assert.deepEqual(table.flush()?.subscribers[0]?.rules, { retries: 0, backoff: "exponential", backoffMs: 200, timeoutMs: 600_000, retryAfterMaxMs: 60_000 });
});

test("an address that is gone is told, and the subscriber with its cursor stays", () => {
  const table = tableWith(trigger());
  table.flush();
  table.upsertTrigger(trigger({ status: {} }));
  const delta = table.flush();
  assert.deepEqual(delta?.subscribersRemoved, []);
  assert.equal(delta?.subscribers[0]?.target, undefined);
});

test("a Broker that goes takes its Triggers along, one of another class is none", () => {
  const table = tableWith(trigger());
  table.flush();
  table.removeBroker("ns/b");
  const gone = table.flush();
  assert.deepEqual([gone?.streamsRemoved, gone?.subscribersRemoved], [["b-uid"], ["t-uid"]]);
  assert.equal(table.isEmpty, true);
  table.upsertBroker(broker({ brokerClass: "Kafka" }));
  assert.equal(table.flush(), undefined);
});

test("a Broker's annotation tells what happens at the log's size, without a new generation", () => {
  const table = tableWith();
  assert.equal(table.flush()?.streams[0]?.atLimit, undefined);
  const { metadata, ...rest } = broker();
  const annotated = (atLimit: string): Broker => ({
    ...rest,
    metadata: { ...metadata, annotations: { ...metadata.annotations, "eider.dev/at-limit": atLimit } },
  });
  table.upsertBroker(annotated("drop-oldest"));
  assert.equal(table.flush()?.streams[0]?.atLimit, "dropOldest");
  table.upsertBroker(annotated("refuse"));
  assert.deepEqual(
    table.flush()?.streams.map(({ atLimit }) => atLimit),
    [undefined],
  );
});

test("a Broker's annotation tells for how long an event is the same when source and id are, a day at most", () => {
  const { metadata, ...rest } = broker();
  const rows: readonly (readonly [text: string, ms: number | undefined])[] = [
    ["PT10M", 600_000],
    ["P2D", 86_400_000],
    ["PT0S", undefined],
    ["10m", undefined],
  ];
  const told = rows.map(([text]) => {
    const table = tableWith();
    table.flush();
    table.upsertBroker({ ...rest, metadata: { ...metadata, annotations: { ...metadata.annotations, "eider.dev/deduplicate": text } } });
    return [text, table.flush()?.streams[0]?.deduplicateMs];
  });
  assert.deepEqual(told, rows);
});

test("an object of the same name and another uid takes the other's place", () => {
  const table = tableWith(trigger());
  table.flush();
  table.upsertTrigger(trigger({ uid: "t-2" }));
  const delta = table.flush();
  assert.deepEqual([delta?.subscribersRemoved, delta?.subscribers.map(({ id }) => id)], [["t-uid"], ["t-2"]]);
});

test("the order of deliveries is an annotation", () => {
  const table = tableWith(trigger({ annotations: { "eider.dev/delivery-order": "key" } }));
  assert.equal(table.flush()?.subscribers[0]?.order, "key");
});

test("a URL is told once however many subscribers have it, and is gone with the last of them", () => {
  const other = { ...trigger({ uid: "t-2" }), metadata: { ...trigger({ uid: "t-2" }).metadata, name: "t2" } } as Trigger;
  const table = tableWith(trigger(), other);
  table.flush();
  assert.deepEqual([...table.targets()], ["http://sub/"]);
  table.removeTrigger("ns/t");
  table.flush();
  assert.deepEqual([...table.targets()], ["http://sub/"]);
  table.upsertTrigger({ ...other, status: { subscriberUri: "http://new/" } } as Trigger);
  table.flush();
  assert.deepEqual([...table.targets()], ["http://new/"]);
});

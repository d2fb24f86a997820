// What the events thread is told as InMemoryChannels and their entries come, change and go, and when that is in force.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { InMemoryChannel, Subscription } from "#kinds";
import { EventTable } from "./event-table.ts";

const ENTRY = { uid: "s", name: "sub", generation: 1, subscriberUri: "http://a/" };
const channel = (
  subscribers: readonly object[] = [ENTRY],
  over: { readonly uid?: string; readonly annotations?: object; readonly spec?: object } = {},
): InMemoryChannel =>
  ({
    apiVersion: "messaging.knative.dev/v1",
    kind: "InMemoryChannel",
    metadata: { namespace: "ns", name: "c", uid: over.uid ?? "c-uid", ...(over.annotations === undefined ? {} : { annotations: over.annotations }) },
    spec: { subscribers, ...over.spec },
  }) as unknown as InMemoryChannel;
const subscription = (resolved: "True" | "False"): Subscription =>
  ({ metadata: { uid: "s" }, status: { conditions: [{ type: "ReferencesResolved", status: resolved }] } }) as unknown as Subscription;

function tableWith(given: InMemoryChannel): EventTable {
  const table = new EventTable();
  table.upsertChannel(given);
  return table;
}

/** Puts into force what has changed. */
function settle(table: EventTable): ReturnType<EventTable["flush"]> {
  const delta = table.flush();
  if (delta !== undefined) table.acknowledged(delta.generation);
  return delta;
}

test("a channel becomes a stream with a name, and each entry a subscriber of it", () => {
  const full = {
    ...ENTRY,
    subscriberCACerts: "PEM",
    replyUri: "http://r/",
    delivery: { retry: 2, backoffPolicy: "linear", backoffDelay: "PT1S", format: "json", deadLetterSink: { uri: "http://d/" } },
  };
  const delta = tableWith(channel([full], { annotations: { "eider.dev/delivery-order": "whole" } })).flush();
  assert.deepEqual(delta?.streams, [{ id: "c-uid", kind: "Channel", namespace: "ns", name: "c", host: "c-kn-channel.ns.svc.cluster.local", version: 1 }]);
  assert.deepEqual(delta?.subscribers, [
    {
      id: "c-uid.s",
      stream: "c-uid",
      namespace: "ns",
      name: "sub",
      version: 1,
      selection: { attributes: {}, filters: [] },
      target: { url: "http://a/", caCerts: "PEM" },
      reply: { to: "url", url: "http://r/" },
      deadLetter: { url: "http://d/" },
      rules: { retries: 2, backoff: "linear", backoffMs: 1_000, timeoutMs: 600_000, format: "json" },
      order: "whole",
    },
  ]);
});

test("a channel's annotations tell what happens at the log's size, and for how long an event that comes again is the same", () => {
  const table = tableWith(channel());
  assert.equal(settle(table)?.streams[0]?.atLimit, undefined);
  table.upsertChannel(channel([ENTRY], { annotations: { "eider.dev/at-limit": "drop-oldest", "eider.dev/deduplicate": "PT1M" } }));
  const changed = settle(table);
  assert.deepEqual([changed?.streams.map(({ atLimit, deduplicateMs }) => [atLimit, deduplicateMs]), changed?.streamsRemoved], [[["dropOldest", 60_000]], []]);
});

test("without an address to call, events go where answers would", () => {
  const delta = tableWith(channel([{ uid: "s", replyUri: "http://r/" }])).flush();
  assert.deepEqual([delta?.subscribers[0]?.target, delta?.subscribers[0]?.reply], [{ url: "http://r/" }, undefined]);
});

test("the channel's own delivery is not the entry's: its Subscription has said whole what counts", () => {
  const delta = tableWith(channel([ENTRY], { spec: { delivery: { retry: 9 } } })).flush();
  assert.equal(delta?.subscribers[0]?.rules.retries, 0);
});

test("an entry that changes stays the same subscriber; one that goes is removed, the others are not told again", () => {
  const table = tableWith(channel([ENTRY, { ...ENTRY, uid: "o" }]));
  settle(table);
  table.upsertChannel(
    channel([
      { ...ENTRY, generation: 2, subscriberUri: "http://new/" },
      { ...ENTRY, uid: "o" },
    ]),
  );
  assert.equal(table.channel("ns/c")?.uid, "c-uid");
  const changed = table.flush();
  assert.deepEqual([changed?.streams, changed?.subscribersRemoved, changed?.subscribers.map(({ id }) => id)], [[], [], ["c-uid.s"]]);
  assert.deepEqual([...(table.channel("ns/c")?.subscribers.keys() ?? [])], ["o"]);
  assert.deepEqual(table.acknowledged(changed?.generation ?? 0).channels, ["ns/c"]);
  assert.deepEqual(table.channel("ns/c")?.subscribers.get("s"), { generation: 2, subscriberUri: "http://new/" });
  table.upsertChannel(channel([{ ...ENTRY, uid: "o" }]));
  const gone = settle(table);
  assert.deepEqual([gone?.subscribersRemoved, gone?.subscribers], [["c-uid.s"], []]);
});

test("a channel that goes takes its subscribers along; one of the same name and another uid takes its place", () => {
  const table = tableWith(channel());
  settle(table);
  table.upsertChannel(channel([ENTRY], { uid: "c-2" }));
  const other = settle(table);
  assert.deepEqual([other?.streamsRemoved, other?.subscribersRemoved, other?.subscribers.map(({ id }) => id)], [["c-uid"], ["c-uid.s"], ["c-2.s"]]);
  table.removeChannel("ns/c");
  const gone = settle(table);
  assert.deepEqual([gone?.streamsRemoved, gone?.subscribersRemoved], [["c-2"], ["c-2.s"]]);
  assert.deepEqual([table.isEmpty, table.channelHosts(), table.channel("ns/c")], [true, [], undefined]);
});

test("while the references of a Subscription lead nowhere its events wait, whenever that became known", () => {
  const table = tableWith(channel());
  settle(table);
  table.upsertSubscription(subscription("False"));
  const paused = settle(table);
  assert.deepEqual([paused?.subscribers[0]?.id, paused?.subscribers[0]?.target], ["c-uid.s", undefined]);
  assert.deepEqual(table.channel("ns/c")?.subscribers.get("s"), { generation: 1 });
  table.upsertSubscription(subscription("True"));
  assert.deepEqual(settle(table)?.subscribers[0]?.target, { url: "http://a/" });
  const before = new EventTable();
  before.upsertSubscription(subscription("False"));
  before.upsertChannel(channel());
  assert.equal(settle(before)?.subscribers[0]?.target, undefined);
  before.removeSubscription("s");
  before.upsertChannel(channel([{ ...ENTRY, generation: 2 }]));
  assert.deepEqual(settle(before)?.subscribers[0]?.target, { url: "http://a/" });
});

test("entries whose uid is none of an object's are no subscribers: it names files", () => {
  const delta = tableWith(channel([{ ...ENTRY, uid: "../x" }, { ...ENTRY, uid: "a b" }, { subscriberUri: "http://a/" }])).flush();
  assert.deepEqual(delta?.subscribers, []);
});

test("after the death of the thread nothing is in force, and the next one is told everything", () => {
  const table = tableWith(channel());
  settle(table);
  assert.deepEqual(table.threadStopped().channels, ["ns/c"]);
  assert.equal(table.channel("ns/c"), undefined);
  const first = table.threadStarted();
  assert.deepEqual([first.streams.length, first.subscribers.length], [1, 1]);
  assert.deepEqual(table.acknowledged(first.generation).channels, ["ns/c"]);
});

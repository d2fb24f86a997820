import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventStream, EventSubscriber } from "#protocol";
import { eventsOfDeed, type EventSubjects } from "./event-deeds.ts";

const BROKER = { kind: "Broker", namespace: "ns", name: "b" } as const;
const CHANNEL = { kind: "Channel", namespace: "ns", name: "c" } as const;
const subjects: EventSubjects = {
  subscriber: (text) => {
    if (text === "ns/t") return { kind: "Trigger", is: { id: "t-uid", namespace: "ns", name: "t" } as EventSubscriber };
    return text === "ns/s" ? { kind: "Subscription", is: { id: "c-uid.s-uid", namespace: "ns", name: "s" } as EventSubscriber } : undefined;
  },
  stream: ({ kind, namespace, name }) =>
    namespace === "ns" ? ({ id: kind === "Broker" ? "b-uid" : "c-uid", kind, namespace, name, version: 1 } satisfies EventStream) : undefined,
};
const told = (...of: Parameters<typeof eventsOfDeed>): string[] =>
  eventsOfDeed(...of).map(({ about, event }) => `${about.apiVersion} ${about.kind} ${about.name} ${about.uid} ${event.type} ${event.reason}: ${event.message}`);

test("a replay to a subscriber is told about it and about the Brokers that have the events", () => {
  const deed = { did: "replay", user: "ada", to: { subscriber: "ns/t" }, sent: [{ ...BROKER, events: 3 }], accepted: 3 } as const;
  assert.deepEqual(told(deed, subjects), [
    "eventing.knative.dev/v1 Trigger t t-uid Normal EventsReplayed: ada replayed 3 events to it, 3 accepted",
    "eventing.knative.dev/v1 Broker b b-uid Normal EventsReplayed: ada replayed 3 events of it to Trigger ns/t, 3 accepted",
  ]);
});

test("a replay to a URL that did not go well is a warning about each Broker and channel that is still there", () => {
  const sent = [
    { ...BROKER, events: 2 },
    { ...CHANNEL, events: 1 },
    { ...CHANNEL, namespace: "gone", events: 1 },
  ];
  assert.deepEqual(told({ did: "replay", user: "ada", to: { url: "http://x/" }, sent, accepted: 3, brokenOff: "the client left" }, subjects), [
    "eventing.knative.dev/v1 Broker b b-uid Warning EventsReplayed: ada replayed 2 events of it to http://x/, ended early: the client left",
    "messaging.knative.dev/v1 InMemoryChannel c c-uid Warning EventsReplayed: ada replayed 1 event of it to http://x/, ended early: the client left",
  ]);
});

test("what was resumed is told about who gets it, when it was anything", () => {
  const deed = { did: "resume", user: "ada", subscriber: "ns/s", events: 1 } as const;
  assert.deepEqual(told(deed, subjects), ["messaging.knative.dev/v1 Subscription s s-uid Normal EventsResumed: ada had 1 event tried again"]);
  assert.deepEqual(told({ ...deed, events: 0 }, subjects), []);
  assert.deepEqual(told({ ...deed, subscriber: "ns/gone" }, subjects), []);
});

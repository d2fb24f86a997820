// Events: counted when they repeat, limited when they flood.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRng, silentLogger, SimClock } from "#core";
import { createClient, FakeApi } from "#client";
import type { Kind } from "#schema";
import { createEventRecorder, type EventObject } from "./event-recorder.ts";

const Events = {
  group: "",
  version: "v1",
  kind: "Event",
  plural: "events",
  singular: "event",
  shortNames: [],
  categories: [],
  scope: "Namespaced",
  schema: { type: "object" },
  subresources: {},
  columns: [],
  custom: false,
  hasGeneration: false,
} satisfies Kind as unknown as Kind<EventObject>;

const about = { apiVersion: "v1", kind: "Pod", namespace: "default", name: "one", uid: "u" };

function setUp() {
  const clock = new SimClock();
  const client = createClient(new FakeApi(clock));
  const recorder = createEventRecorder({ client, kind: Events, clock, rng: new SeededRng(1), logger: silentLogger });
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  const written = async (): Promise<readonly EventObject[]> => (await client.list(Events)).items;
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { client, clock, end, recorder, written };
}

test("events: the same again is counted, also after the object was deleted", async () => {
  const { client, clock, end, recorder, written } = setUp();
  recorder.record("kubelet", about, { type: "Normal", reason: "Pulled", message: "got it" });
  await clock.advance(2000);
  recorder.record("kubelet", about, { type: "Normal", reason: "Pulled", message: "got it" });
  await clock.advance(100);
  const [event] = await written();
  assert.deepEqual([event?.count, event?.firstTimestamp, event?.lastTimestamp], [2, "2026-01-01T00:00:00Z", "2026-01-01T00:00:02Z"]);
  assert.match(event?.metadata.name ?? "", /^one\.[0-9a-f]{16}$/);
  await client.delete(Events, { namespace: "default", name: event?.metadata.name ?? "" });
  recorder.record("kubelet", about, { type: "Normal", reason: "Pulled", message: "got it" });
  await clock.advance(100);
  assert.equal((await written())[0]?.count, 3);
  await end();
});

test("events: the name of an Event about an object with the longest name is still a name", async () => {
  const { clock, end, recorder, written } = setUp();
  const name = `${"a".repeat(235)}-${"b".repeat(17)}`;
  recorder.record("kubelet", { ...about, name }, { type: "Normal", reason: "Pulled", message: "got it" });
  await clock.advance(100);
  const [event] = await written();
  assert.match(event?.metadata.name ?? "", /^a{235}\.[0-9a-f]{16}$/);
  assert.equal(event?.involvedObject.name, name);
  await end();
});

test("events: a flood about one object is cut off, others are still heard, and time refills", async () => {
  const { clock, end, recorder, written } = setUp();
  for (let at = 0; at < 40; at++) recorder.record("kubelet", about, { type: "Warning", reason: "BackOff", message: `try ${at}` });
  recorder.record("kubelet", { ...about, uid: "v", name: "two" }, { type: "Normal", reason: "Started", message: "up" });
  await clock.advance(100);
  assert.equal((await written()).length, 26);
  assert.equal(recorder.dropped, 15);
  await clock.advance(300_000);
  recorder.record("kubelet", about, { type: "Warning", reason: "BackOff", message: "later" });
  await clock.advance(100);
  assert.equal((await written()).length, 27);
  await end();
});

test("events: those about cluster-scoped objects live in default", async () => {
  const { clock, end, recorder, written } = setUp();
  recorder.record("c", { ...about, kind: "Node", namespace: "" }, { type: "Normal", reason: "Up", message: "x" });
  await clock.advance(100);
  assert.equal((await written())[0]?.metadata.namespace, "default");
  await end();
});

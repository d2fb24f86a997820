// What is measured of events: names and labels, what bounds them, and how far subscribers are, over the real log.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger, SimClock } from "#core";
import { NodeDisk, openLog } from "#log";
import type { EventStream, EventSubscriber, MetricFamily } from "#protocol";
import type { NodeView, StreamView, SubscriberView } from "../history/view.ts";
import type { AttemptNote } from "../port.ts";
import { SERIES_MAX } from "./duration-series.ts";
import { EventMeters } from "./event-meters.ts";

const never = new AbortController().signal;
const BROKER: EventStream = { id: "b-uid", kind: "Broker", namespace: "ns", name: "b", version: 1 };
const CHANNEL: EventStream = { id: "c-uid", kind: "Channel", namespace: "ns", name: "c", version: 1 };
const rules = { retries: 0, backoff: "linear", backoffMs: 0, timeoutMs: 1_000 } as const;
const subscriber = (id: string, stream: EventStream): EventSubscriber => ({
  id,
  stream: stream.id,
  namespace: "ns",
  name: id,
  version: 1,
  selection: { attributes: {}, filters: [] },
  rules,
  order: "none",
});
const NOTE: AttemptNote = {
  stream: "b-uid",
  subscriber: "t",
  offset: 0,
  leg: "subscriber",
  attempt: 1,
  atMs: Date.parse("2026-01-02T03:04:05.250Z"),
  tookMs: 30,
  status: 200,
  next: "delivered",
};
const attributes = (over: Readonly<Record<string, string>> = {}): Map<string, string> =>
  new Map(Object.entries({ type: "t", knativearrivaltime: "2026-01-02T03:04:05.000Z", ...over }));

const idle = { last: -1, dropped: 0, notesLost: 0 } as StreamView["log"];
function viewOf(streams: readonly EventStream[], subscribers: readonly EventSubscriber[]): NodeView {
  const seen = subscribers.map((is): SubscriberView => ({ is, selects: () => true, next: 0, open: [] }));
  return { streams: streams.map((is) => ({ is, log: idle })), subscribers: seen } as unknown as NodeView;
}

/** Samples of one name: value by labels; of a histogram how many there are, and their sum. */
async function samples(meters: EventMeters, view: NodeView, name: string, nowMs = 0): Promise<Record<string, number | readonly [number, number]>> {
  const all: readonly MetricFamily[] = await meters.families(view, { size: { bytes: 7, bytesMax: 9 }, nowMs }, never);
  const found = all.filter((family) => family.name === name);
  assert.ok(found.length <= 1, `${name} is one family`);
  return Object.fromEntries(
    found.flatMap(({ labels, values, bounds }) =>
      labels.map((label, index) => {
        if (bounds === undefined) return [label, values[index] ?? NaN] as const;
        const row = values.subarray(index * (bounds.length + 2), (index + 1) * (bounds.length + 2));
        return [label, [row.subarray(0, -1).reduce((sum, one) => sum + one, 0), row.at(-1) ?? NaN]] as const;
      }),
    ),
  );
}

const DISPATCH = "kn_eventing_dispatch_duration_seconds";
const at = (to: string): string => `messaging_destination_name="${to}",messaging_operation_name="send",messaging_system="knative",url_scheme="http"`;
const coded = (code: number, type = "t"): string => `cloudevents_type="${type}",http_response_status_code="${code}"`;

test("what a Broker takes and a subscriber gets is measured by Knative's names and labels", async () => {
  const meters = new EventMeters();
  const trigger = subscriber("t", BROKER);
  const subscription = subscriber("s", CHANNEL);
  const view = viewOf([BROKER, CHANNEL], [trigger, subscription]);
  meters.took(BROKER, [attributes(), attributes()], { status: 202, duplicates: 0, tookMs: 4 });
  meters.took(BROKER, [attributes()], { status: 429, refused: "overloaded", duplicates: 0, tookMs: 1 });
  meters.took(BROKER, [attributes()], { status: 400, refused: "noHops", duplicates: 0, tookMs: 1 });
  meters.took(CHANNEL, [attributes(), attributes()], { status: 202, duplicates: 1, tookMs: 4 });
  meters.attempted({ stream: BROKER, subscriber: trigger }, NOTE, attributes());
  const { status: _status, ...unanswered } = NOTE;
  meters.attempted({ stream: BROKER, subscriber: trigger }, { ...unanswered, attempt: 2, next: "deadLetter" }, attributes());
  meters.attempted({ stream: BROKER, subscriber: trigger }, { ...NOTE, leg: "deadLetter", next: "deadLettered" }, attributes());
  meters.attempted({ stream: CHANNEL, subscriber: subscription }, { ...NOTE, status: 503, next: "gaveUp" }, new Map([["type", "t"]]));
  const broker = 'kn_broker_name="b",kn_broker_namespace="ns"';
  assert.deepEqual(await samples(meters, view, DISPATCH), {
    [`${coded(202)},${broker},${at("broker:b.ns")}`]: [2, 0.008],
    [`${coded(429)},${broker},${at("broker:b.ns")}`]: [1, 0.001],
    [`${coded(200)},${broker},${at("trigger:t.ns")}`]: [1, 0.03],
    [`cloudevents_type="t",error_type="no_answer",http_response_status_code="500",${broker},${at("trigger:t.ns")}`]: [1, 0.03],
    [`cloudevents_type="t",eider_leg="deadLetter",http_response_status_code="200",${broker},${at("trigger:t.ns")}`]: [1, 0.03],
    [`${coded(503)},kn_channel_name="c",kn_channel_namespace="ns",${at("subscription:s.ns")}`]: [1, 0.03],
  });
  assert.deepEqual(await samples(meters, view, "kn_eventing_process_duration_seconds"), {
    [`cloudevents_type="t",${broker},${at("trigger:t.ns")}`]: [1, 0.25],
  });
  assert.deepEqual(await samples(meters, view, "eider_events_taken_total"), {
    'kind="Broker",namespace="ns",name="b"': 2,
    'kind="Channel",namespace="ns",name="c"': 1,
  });
  assert.deepEqual(await samples(meters, view, "eider_events_refused_total"), {
    'kind="Broker",namespace="ns",name="b",reason="overloaded"': 1,
    'kind="Broker",namespace="ns",name="b",reason="noHops"': 1,
  });
  assert.deepEqual(await samples(meters, view, "eider_events_attempts_total"), {
    'kind="Trigger",namespace="ns",name="t",next="delivered"': 1,
    'kind="Trigger",namespace="ns",name="t",next="deadLetter"': 1,
    'kind="Trigger",namespace="ns",name="t",next="deadLettered"': 1,
    'kind="Subscription",namespace="ns",name="s",next="gaveUp"': 1,
  });
  assert.deepEqual(await samples(meters, view, "eider_events_log_bytes"), { "": 7 });
});

test("producers that make up types, and destinations beyond a limit, are measured together; what is removed is measured no more", async () => {
  const meters = new EventMeters(2);
  const others = [1, 2, 3].map((index) => ({ ...BROKER, id: `b${index}`, name: `b${index}` }));
  for (let type = 0; type < 1_000; type++) meters.took(others[0] as EventStream, [attributes({ type: `t${type}` })], { status: 202, duplicates: 0, tookMs: 1 });
  meters.took(others[1] as EventStream, [attributes({ type: "x".repeat(1_000) })], { status: 202, duplicates: 0, tookMs: 1 });
  meters.took(others[2] as EventStream, [attributes()], { status: 202, duplicates: 0, tookMs: 1 });
  const found = await samples(meters, viewOf(others, []), DISPATCH);
  const overflow = Object.entries(found).filter(([labels]) => labels.includes('otel_metric_overflow="true"'));
  assert.equal(Object.keys(found).length, SERIES_MAX + 3);
  assert.deepEqual(
    overflow.map(([labels, value]) => [/kn_broker_name="(\w+)"/.exec(labels)?.[1], (value as readonly [number, number])[0]]),
    [
      ["b1", 1_000 - SERIES_MAX],
      ["b2", 1],
      [undefined, 1],
    ],
  );
  const left = await samples(meters, viewOf(others.slice(1), []), DISPATCH);
  assert.ok(!Object.keys(left).some((labels) => labels.includes('kn_broker_name="b1"')));
  meters.took(others[2] as EventStream, [attributes()], { status: 202, duplicates: 0, tookMs: 1 });
  assert.equal(Object.keys(await samples(meters, viewOf(others.slice(1), []), "eider_events_taken_total")).length, 3);
});

test("how far subscribers are is read off the log: what is open, what lies before them, and how old the oldest is", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "eider-meters-"));
  const clock = new SimClock();
  const log = await openLog({ disk: new NodeDisk(folder), clock, logger: silentLogger });
  t.after(async () => {
    await log.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const stream = await log.stream("b-uid");
  const cursor = await stream.cursor("t", "end");
  const [one, two] = [subscriber("t", BROKER), subscriber("late", BROKER)];
  const late = await stream.cursor("late", "end");
  const view = {
    streams: [{ is: BROKER, log: stream }],
    subscribers: [
      { is: one, selects: () => true, next: cursor.next, open: { [Symbol.iterator]: () => cursor.open() } },
      { is: two, selects: () => true, next: late.next, open: [] },
    ],
  };
  const now = (): NodeView =>
    ({ ...view, subscribers: view.subscribers.map((each, index) => ({ ...each, next: (index === 0 ? cursor : late).next })) }) as unknown as NodeView;
  const meters = new EventMeters();
  const ages = (): ReturnType<typeof samples> => samples(meters, now(), "eider_events_oldest_unfinished_seconds", clock.wallMs());
  const label = (name: string): string => `kind="Trigger",namespace="ns",name="${name}"`;
  assert.deepEqual(await ages(), { [label("t")]: 0, [label("late")]: 0 });
  const offsets: number[] = [];
  for (let event = 0; event < 4; event++) {
    await clock.advance(10_000);
    offsets.push(await stream.append({ value: Buffer.from(String(event)) }));
  }
  const begun = offsets.slice(0, 3);
  for (const offset of begun) cursor.take(offset);
  cursor.pass(offsets[3] ?? NaN);
  cursor.park(offsets[0] ?? NaN, 1);
  cursor.retry(offsets[1] ?? NaN, { attempt: 1, dueMs: clock.wallMs() + 1e6 });
  await clock.advance(5_000);
  assert.deepEqual(await samples(meters, now(), "eider_events_open"), {
    [`${label("t")},state="inFlight"`]: 1,
    [`${label("t")},state="retrying"`]: 1,
    [`${label("t")},state="parked"`]: 1,
    [`${label("late")},state="inFlight"`]: 0,
    [`${label("late")},state="retrying"`]: 0,
    [`${label("late")},state="parked"`]: 0,
  });
  // The first is parked, and waits for a person.
  assert.deepEqual(await ages(), { [label("t")]: 25, [label("late")]: 35 });
  const last = offsets[3] ?? NaN;
  assert.deepEqual(await samples(meters, now(), "eider_events_behind_bytes"), { [label("t")]: 0, [label("late")]: last - late.next });
});

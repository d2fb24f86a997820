// Traces of events over the real log: what a Broker takes and what its subscribers get, with a sender that answers as it is told.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SeededRng, silentLogger, SimClock } from "#core";
import { NodeDisk, openLog } from "#log";
import type { EventsDelta, EventStream, EventSubscriber, TracedEvent } from "#protocol";
import { TRACES_PER_GATHER_MAX } from "#telemetry";
import type { Outgoing, Sender, Sent } from "../delivery/send.ts";
import { EventsNode } from "../events-node.ts";
import { fromRequest, takeEvents } from "../ingress/take-events.ts";
import { decodeStored, type StoredEvent } from "../stored-event.ts";
import { EventTracer } from "./event-tracer.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const SAMPLED = `00-${TRACE}-${SPAN}-01`;
const UNSAMPLED = `00-${TRACE}-${SPAN}-00`;
const BROKER: EventStream = { id: "b-uid", kind: "Broker", namespace: "ns", name: "b", version: 1 };
const PLACE = { kind: "Broker", namespace: "ns", name: "b" } as const;

const event = (over: Readonly<Record<string, string>> = {}): StoredEvent => ({
  form: "binary",
  attributes: new Map(Object.entries({ specversion: "1.0", id: "1", source: "/s", type: "t", ...over })),
  headers: {},
});
const trigger = (over: Partial<EventSubscriber> = {}): EventSubscriber => ({
  id: "t-uid",
  stream: "b-uid",
  namespace: "ns",
  name: "t",
  version: 1,
  selection: { attributes: { type: "t" }, filters: [] },
  target: { url: "http://sub/" },
  reply: { to: "stream", stream: "b-uid" },
  rules: { retries: 0, backoff: "linear", backoffMs: 0, timeoutMs: 1_000 },
  order: "none",
  ...over,
});

/** Answers at once, and keeps what it was to send. */
class AnsweringSender implements Sender {
  readonly sent: Outgoing[] = [];
  answer: (outgoing: Outgoing) => Partial<Sent> & { readonly status: number } = () => ({ status: 200 });

  send(outgoing: Outgoing): Promise<Sent> {
    this.sent.push(outgoing);
    const { status, ...more } = this.answer(outgoing);
    return Promise.resolve({ result: status === 0 ? { is: "failure", why: "no" } : { is: "answer", status }, headers: {}, body: new Uint8Array(), ...more });
  }
}

async function world(t: TestContext, rate: number) {
  const folder = mkdtempSync(join(tmpdir(), "eider-traces-"));
  const clock = new SimClock();
  const log = await openLog({ disk: new NodeDisk(folder), clock, logger: silentLogger });
  const told: TracedEvent[] = [];
  const wanted: { readonly count: number; readonly met: () => void }[] = [];
  const tell = (events: readonly TracedEvent[]): void => {
    told.push(...events);
    for (const { count, met } of wanted) if (told.length >= count) met();
  };
  const tracer = new EventTracer({ tell, clock, rng: new SeededRng(7) });
  tracer.apply(rate);
  const sender = new AnsweringSender();
  const noted: { readonly count: number; readonly met: () => void }[] = [];
  let notes = 0;
  const note = (): void => {
    notes++;
    for (const { count, met } of noted) if (notes >= count) met();
  };
  const node = new EventsNode({ log, sender, brokersUrl: "http://brokers", note, tracer, sightings: { saw: () => undefined }, clock, logger: silentLogger });
  t.after(async () => {
    await node.end();
    tracer.end();
    await log.close();
    rmSync(folder, { recursive: true });
  });
  const apply = (subscribers: readonly EventSubscriber[]): Promise<void> => {
    const delta: EventsDelta = { type: "events", generation: 1, reset: true, streams: [BROKER], streamsRemoved: [], subscribers, subscribersRemoved: [] };
    return node.apply(delta);
  };
  return {
    clock,
    log,
    told,
    tracer,
    sender,
    apply,
    /** As the listener does. */
    post: async (one: StoredEvent, headers: Readonly<Record<string, string>> = {}): Promise<number> => {
      const intake = node.intakeAt(PLACE);
      assert.ok(intake !== undefined);
      const taken = await takeEvents(intake, { events: [fromRequest(one, headers)], request: headers }, clock);
      assert.ok("offsets" in taken);
      return taken.offsets[0] ?? -1;
    },
    attempted: (count: number): Promise<void> => new Promise((met) => (notes >= count ? met() : void noted.push({ count, met }))),
    stored: async (offset: number): Promise<StoredEvent> => {
      const record = await log.read(offset);
      assert.ok(record !== undefined);
      return decodeStored(record.value);
    },
  };
}

const headerOf = (outgoing: Outgoing | undefined, name: string): string => String(outgoing?.headers[name]);
const named = (told: readonly TracedEvent[], destination: string): TracedEvent => {
  const found = told.find((one) => one.destination === destination);
  assert.ok(found !== undefined, `${destination} in ${told.map((one) => one.destination).join()}`);
  return found;
};

test("what a Broker takes and each attempt are spans of the request's trace; the subscriber gets the attempt's, the event keeps its own attribute", async (t) => {
  const { post, apply, attempted, tracer, told, sender, stored } = await world(t, 1);
  await apply([trigger()]);
  const offset = await post(event(), { traceparent: SAMPLED, tracestate: "a=b" });
  await attempted(1);
  tracer.end();
  const taken = named(told, "broker:b.ns");
  const sent = named(told, "trigger:t.ns");
  assert.deepEqual([taken.traceId, taken.parentId, taken.traceState, taken.status, taken.sent], [TRACE, SPAN, "a=b", 202, undefined]);
  assert.deepEqual([sent.traceId, sent.parentId, sent.traceState, sent.status], [TRACE, taken.spanId, "a=b", 200]);
  assert.deepEqual(sent.sent, { url: "http://sub/", leg: "subscriber", attempt: 1 });
  assert.deepEqual(sent.event, { id: "1", type: "t", source: "/s", subject: "", specVersion: "1.0" });
  const kept = await stored(offset);
  assert.deepEqual(kept.headers, { traceparent: `00-${TRACE}-${taken.spanId}-01`, tracestate: "a=b" });
  assert.equal(kept.attributes.get("traceparent"), SAMPLED);
  const [outgoing] = sender.sent;
  assert.equal(headerOf(outgoing, "traceparent"), `00-${TRACE}-${sent.spanId}-01`);
  assert.equal(headerOf(outgoing, "ce-traceparent"), SAMPLED);
});

test("an answer that is an event belongs to the trace, below the attempt that brought it", async (t) => {
  const { post, apply, attempted, tracer, told, sender } = await world(t, 1);
  sender.answer = () => ({ status: 200, headers: { "ce-specversion": "1.0", "ce-id": "r", "ce-source": "/r", "ce-type": "answer" } });
  await apply([trigger()]);
  await post(event());
  await attempted(1);
  tracer.end();
  const sent = named(told, "trigger:t.ns");
  const answer = told.find((one) => one.event.type === "answer");
  assert.deepEqual([answer?.destination, answer?.traceId, answer?.parentId], ["broker:b.ns", sent.traceId, sent.spanId]);
  assert.equal(told.filter(({ parentId }) => parentId === "").length, 1);
});

test("an attempt that nobody answers and the dead letter are spans of their own", async (t) => {
  const { post, apply, attempted, tracer, told, sender } = await world(t, 1);
  sender.answer = ({ target }) => ({ status: target.url === "http://dead/" ? 202 : 0 });
  await apply([trigger({ deadLetter: { url: "http://dead/" } })]);
  await post(event());
  await attempted(2);
  tracer.end();
  const attempts = told.filter(({ sent }) => sent !== undefined);
  assert.deepEqual(
    attempts.map(({ status, sent }) => [status, sent?.url, sent?.leg]),
    [
      [0, "http://sub/", "subscriber"],
      [202, "http://dead/", "deadLetter"],
    ],
  );
  assert.equal(new Set(told.map(({ spanId }) => spanId)).size, 3);
});

const unsampled = [
  { name: "tracing is off", rate: 0, headers: { traceparent: SAMPLED } },
  { name: "its request was not sampled", rate: 0.5, headers: { traceparent: UNSAMPLED } },
];
for (const { name, rate, headers } of unsampled) {
  test(`an event is told of nowhere and goes on as it came when ${name}`, async (t) => {
    const { post, apply, attempted, tracer, told, sender, stored } = await world(t, rate);
    sender.answer = () => ({ status: 200, headers: { "ce-specversion": "1.0", "ce-id": "r", "ce-source": "/r", "ce-type": "answer" } });
    await apply([trigger()]);
    const offset = await post(event(), headers);
    await attempted(1);
    tracer.end();
    assert.deepEqual(told, []);
    assert.deepEqual((await stored(offset)).headers, {});
    assert.equal(headerOf(sender.sent[0], "traceparent"), headers.traceparent);
  });
}

test("without a request's trace an event's own attribute is the parent", async (t) => {
  const { post, apply, tracer, told } = await world(t, 0.000_1);
  await apply([]);
  await post(event({ traceparent: SAMPLED }), { traceparent: "nonsense" });
  tracer.end();
  assert.deepEqual([told[0]?.traceId, told[0]?.parentId], [TRACE, SPAN]);
});

test("what the log refuses is a span with its status", async (t) => {
  const { apply, post, log, tracer, told } = await world(t, 1);
  await apply([]);
  await log.close();
  await assert.rejects(post(event()));
  tracer.end();
  assert.deepEqual([told[0]?.destination, told[0]?.status], ["broker:b.ns", 503]);
});

test("spans are told a second after the first, and no more in a second than a limit; what is beyond is counted", async () => {
  const clock = new SimClock();
  const seen = { told: 0, dropped: 0 };
  const tell = (events: readonly TracedEvent[], dropped: number): void => {
    seen.told += events.length;
    seen.dropped += dropped;
  };
  const tracer = new EventTracer({ tell, clock, rng: new SeededRng(1) });
  tracer.apply(1);
  const take = (): void => {
    const taking = tracer.taking([event()], {});
    assert.ok(taking !== undefined);
    tracer.taken(BROKER, taking, { status: 202, duplicates: 0, tookMs: 1 });
  };
  take();
  assert.equal(seen.told, 0);
  await clock.advance(1_000);
  assert.equal(seen.told, 1);
  for (let i = 0; i < TRACES_PER_GATHER_MAX + 50; i++) take();
  await clock.advance(1_000);
  take();
  await clock.advance(1_000);
  assert.deepEqual(seen, { told: TRACES_PER_GATHER_MAX + 2, dropped: 50 });
  tracer.end();
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRng } from "#core";
import type { TracedRequest } from "#protocol";
import { TRACES_PER_GATHER_MAX } from "#telemetry";
import type { RequestFacts } from "../request/request-facts.ts";
import { parseRequestHead } from "../http/request-head.ts";
import { tracedHead, traceParentOf } from "./trace-context.ts";
import { Tracer } from "./tracer.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

function facts(lines: readonly string[] = []): RequestFacts {
  const head = parseRequestHead(`GET / HTTP/1.1\r\nHost: app.test\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`);
  assert.ok(!("reason" in head));
  return { head, trace: undefined, arrivedMs: 0, grantedMs: 1, endedMs: 2 } as unknown as RequestFacts;
}

function world(rate: number) {
  const seen = { told: [] as TracedRequest[], dropped: 0 };
  const tracer = new Tracer({
    rate,
    clock: { monotonicMs: () => 0, wallMs: () => 0, sleep: () => Promise.resolve() },
    rng: new SeededRng(3),
    send: (requests) => void seen.told.push(...requests),
    gathered: () => undefined,
    dropped: (requests) => void (seen.dropped += requests),
  });
  return { tracer, seen };
}

function began(rate: number, lines: readonly string[] = []): RequestFacts["trace"] {
  const of = facts(lines);
  world(rate).tracer.began(of);
  return of.trace;
}

const parents = [
  { name: "a valid one", value: `00-${TRACE}-${SPAN}-01`, want: { traceId: TRACE, spanId: SPAN, sampled: true } },
  { name: "one that is not sampled", value: `00-${TRACE}-${SPAN}-00`, want: { traceId: TRACE, spanId: SPAN, sampled: false } },
  { name: "a later version with more", value: `01-${TRACE}-${SPAN}-03-more`, want: { traceId: TRACE, spanId: SPAN, sampled: true } },
  { name: "more than version 0 has", value: `00-${TRACE}-${SPAN}-01-more`, want: undefined },
  { name: "version ff", value: `ff-${TRACE}-${SPAN}-01`, want: undefined },
  { name: "a trace of zeros", value: `00-${"0".repeat(32)}-${SPAN}-01`, want: undefined },
  { name: "a span of zeros", value: `00-${TRACE}-${"0".repeat(16)}-01`, want: undefined },
  { name: "capital letters", value: `00-${TRACE.toUpperCase()}-${SPAN}-01`, want: undefined },
  { name: "anything else", value: "x".repeat(6_000), want: undefined },
];
for (const { name, value, want } of parents) {
  test(`traceparent: ${name}`, () => assert.deepEqual(traceParentOf(facts([`Traceparent: ${value}`]).head), want));
}
test("traceparent: two of them are none", () => {
  assert.equal(traceParentOf(facts([`traceparent: 00-${TRACE}-${SPAN}-01`, `traceparent: 00-${TRACE}-${SPAN}-01`]).head), undefined);
});

test("below 1 a request follows its parent, at 1 all are sampled", () => {
  const sampled = [`traceparent: 00-${TRACE}-${SPAN}-01`];
  const unsampled = [`traceparent: 00-${TRACE}-${SPAN}-00`];
  assert.deepEqual([began(0.0001, sampled)?.traceId, began(0.0001, sampled)?.parentId], [TRACE, SPAN]);
  assert.equal(began(0.9999, unsampled), undefined);
  assert.equal(began(1, unsampled)?.traceId, TRACE);
});

test("of requests without a parent the rate's share is sampled, by ids that ratio samplers agree with", () => {
  const { tracer } = world(0.1);
  let sampled = 0;
  for (let i = 0; i < 10_000; i++) {
    const of = facts();
    tracer.began(of);
    if (of.trace === undefined) continue;
    sampled++;
    assert.match(of.trace.traceId, /^[0-9a-f]{32}$/);
    assert.equal(of.trace.parentId, "");
    // OpenTelemetry's TraceIDRatioBased: the last eight octets, without the lowest bit, below the rate.
    assert.ok(BigInt(`0x${of.trace.traceId.slice(16)}`) >> 1n < BigInt(Math.round(0.1 * 2 ** 52)) << 11n);
  }
  assert.ok(sampled > 900 && sampled < 1_100, `${sampled} of 10,000`);
});

test("the pod gets our span as its parent; what others had said of the trace stays only with a valid parent", () => {
  const head = `GET / HTTP/1.1\r\nHost: app.test\r\nTraceParent: 00-${TRACE}-${SPAN}-01\r\nx-traceparent: kept\r\ntracestate: a=b\r\nbaggage: k=v\r\n\r\n`;
  const trace = { traceId: TRACE, parentId: SPAN, spanId: "1".repeat(16), upstreamId: "2".repeat(16) };
  const own = `traceparent: 00-${TRACE}-${"2".repeat(16)}-01\r\n\r\n`;
  assert.equal(tracedHead(head, trace), `GET / HTTP/1.1\r\nHost: app.test\r\nx-traceparent: kept\r\ntracestate: a=b\r\nbaggage: k=v\r\n${own}`);
  assert.equal(tracedHead(head, { ...trace, parentId: "" }), `GET / HTTP/1.1\r\nHost: app.test\r\nx-traceparent: kept\r\nbaggage: k=v\r\n${own}`);
});

test("traces have a limit in a second; what is beyond is dropped and counted", () => {
  const { tracer, seen } = world(1);
  for (let i = 0; i < TRACES_PER_GATHER_MAX + 50; i++) {
    const of = facts();
    tracer.began(of);
    tracer.ended(of);
  }
  tracer.gather();
  assert.deepEqual([seen.told.length, seen.dropped], [TRACES_PER_GATHER_MAX, 50]);
  const next = facts();
  tracer.began(next);
  tracer.ended(next);
  tracer.gather();
  assert.equal(seen.told.length, TRACES_PER_GATHER_MAX + 1);
});

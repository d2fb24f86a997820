import assert from "node:assert/strict";
import { test } from "node:test";
import { ParkedHeads } from "../http/parked-heads.ts";
import { parseRequestHead } from "../http/request-head.ts";
import type { RequestFacts } from "../request/request-facts.ts";
import { AccessLog } from "./access-log.ts";
import type { WrittenLine } from "./line-file.ts";

const WALL_MS = Date.UTC(2026, 1, 3, 4, 5, 6, 78);

function facts(over: Record<string, unknown> = {}, head: Record<string, unknown> = {}): RequestFacts {
  const its = { method: "GET", host: "app.test", target: "/a?b=1", minor: 1, text: "", fields: [], ...head };
  const times = { arrivedMs: 1_000, grantedMs: 1_002.5, firstByteMs: 1_010.25, endedMs: 1_020.004 };
  const backend = { key: "ns/rev" };
  return {
    head: its,
    method: its.method,
    minor: its.minor,
    parked: undefined,
    clientAddress: "192.0.2.1",
    backend,
    pod: { name: "pod-1" },
    status: 200,
    requestBytes: 3,
    responseBytes: 5,
    attempts: 2,
    outcome: "answered",
    trace: undefined,
    ...times,
    ...over,
  } as unknown as RequestFacts;
}

function lineOf(of: RequestFacts, format: "json" | "common" = "json"): string {
  let lines = "";
  const add = (line: string | WrittenLine): void => void (lines += typeof line === "string" ? line : textOf(line));
  new AccessLog({ format, clock: { wallMs: () => WALL_MS }, add }).ended(of);
  return lines;
}

test("numbers and times of any size are whole", () => {
  const bytes = [0, 9, 10, 99, 100, 1_000_000_000, 2_147_483_646, 2_147_483_647, 4_294_967_296, Number.MAX_SAFE_INTEGER];
  for (const responseBytes of bytes) assert.equal((JSON.parse(lineOf(facts({ responseBytes }))) as { responseBytes: number }).responseBytes, responseBytes);
  const times: readonly (readonly [ms: number, told: string])[] = [
    [0, "0"],
    [0.000_4, "0"],
    [0.000_6, "0.001"],
    [0.01, "0.010"],
    [1.1, "1.100"],
    [999.999_6, "1000"],
    [1_000.001, "1000.001"],
    [86_400_000.5, "86400000.500"],
    [3e9 + 0.25, "3000000000.250"],
    [-1, "null"],
    [NaN, "null"],
  ];
  for (const [ms, told] of times) assert.ok(lineOf(facts({ arrivedMs: 0, endedMs: ms })).includes(`"totalMs":${told},`), told);
});

function textOf(line: WrittenLine): string {
  const into = Buffer.alloc(line.bytesMax + 2);
  const end = line.writeTo(into, 1);
  assert.ok(end - 1 <= line.bytesMax, `${end - 1} octets, and ${line.bytesMax} were announced`);
  return into.toString("latin1", 1, end);
}

test("a line of JSON tells what came, what it took and how it ended", () => {
  assert.deepEqual(JSON.parse(lineOf(facts({ trace: { traceId: "ab" } }))), {
    time: "2026-02-03T04:05:06.078Z",
    client: "192.0.2.1",
    method: "GET",
    host: "app.test",
    path: "/a?b=1",
    protocol: "HTTP/1.1",
    status: 200,
    requestBytes: 3,
    responseBytes: 5,
    queueMs: 2.5,
    firstByteMs: 10.25,
    totalMs: 20.004,
    revision: "ns/rev",
    pod: "pod-1",
    retries: 1,
    traceId: "ab",
    outcome: "answered",
  });
});

const ID = "0af7651916cd43dd8448eb211c80319c";
const HEADS: readonly (readonly [target: string, lines: readonly string[], traceId: string | undefined])[] = [
  ["/", [], undefined],
  ["/a?b=1", [`Traceparent: 00-${ID}-b7ad6b7169203331-01`, "X-B3-TraceId: other"], ID],
  ["/\u00e9\u00ff\"\\'<", [`x-b3-traceid: ${ID}`], ID],
  [`/${"x".repeat(800)}`, ["traceparent: "], undefined],
  ["/b", ["traceparent: nothing"], undefined],
  ["/c", ["traceparent: 00-"], undefined],
  ["/d", ["traceparent: 00-an id of spaces-01"], undefined],
  ["/e", ["traceparent: 00-ab"], "ab"],
];

test("a line is the same for a head that waits as octets, with the trace that the request names", () => {
  for (const [target, lines, traceId] of HEADS) {
    const head = parseRequestHead(`GET ${target} HTTP/1.1\r\n${["Host: app.test", ...lines].join("\r\n")}\r\n\r\n`);
    assert.ok(!("reason" in head));
    const parked = new ParkedHeads().park(head);
    assert.ok(parked !== undefined, target);
    const notAsked = {
      get head(): never {
        return assert.fail("the head was parsed again");
      },
    };
    const waiting = Object.defineProperties(facts({ parked }), Object.getOwnPropertyDescriptors(notAsked));
    const line = lineOf(facts({ head }));
    assert.equal(lineOf(waiting), line, target);
    assert.equal(lineOf(waiting, "common"), lineOf(facts({ head }), "common"), target);
    assert.equal((JSON.parse(line) as { path: string }).path, target);
    assert.equal((JSON.parse(line) as { traceId?: string }).traceId, traceId, target);
  }
});

test("what did not happen is null, and without a revision there is none", () => {
  const line = JSON.parse(lineOf(facts({ backend: undefined, pod: undefined, grantedMs: NaN, firstByteMs: NaN, attempts: 0, outcome: "own" }))) as object;
  assert.deepEqual(line, {
    time: "2026-02-03T04:05:06.078Z",
    client: "192.0.2.1",
    method: "GET",
    host: "app.test",
    path: "/a?b=1",
    protocol: "HTTP/1.1",
    status: 200,
    requestBytes: 3,
    responseBytes: 5,
    queueMs: null,
    firstByteMs: null,
    totalMs: 20.004,
    retries: 0,
    outcome: "own",
  });
});

test("the common format is NCSA's", () => {
  assert.equal(lineOf(facts(), "common"), '192.0.2.1 - - [03/Feb/2026:04:05:06 +0000] "GET /a?b=1 HTTP/1.1" 200 5\n');
  assert.equal(lineOf(facts({ status: 0, responseBytes: 0, clientAddress: "" }), "common"), '- - - [03/Feb/2026:04:05:06 +0000] "GET /a?b=1 HTTP/1.1" - -\n');
});

test("nothing that a client sends ends a line or a string, and long texts are cut", () => {
  const hostile = '/"\\\r\n{"status":200}\u0000\u007f\u00e9';
  for (const format of ["json", "common"] as const) {
    const line = lineOf(facts({ clientAddress: '1.2.3.4"\n' }, { target: hostile, method: 'G"\nT', host: 'h"\n' }), format);
    assert.match(line, /^[\x20-\x7e]*\n$/);
  }
  assert.equal((JSON.parse(lineOf(facts({}, { target: hostile }))) as { path: string }).path, hostile);
  assert.ok(lineOf(facts({}, { target: `/${"x".repeat(60_000)}` })).length < 2_600);
});

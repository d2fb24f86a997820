import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { silentLogger, SimClock } from "#core";
import { spansOf } from "#gateway";
import type { TracedRequest } from "#protocol";
import { MetricRegistry } from "#telemetry";
import { Traces } from "./traces.ts";

const REQUEST: TracedRequest = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  parentId: "b7ad6b7169203331",
  spanId: "1111111111111111",
  upstreamId: "2222222222222222",
  traceState: "a=b",
  endMs: 1_700_000_000_100,
  durationMs: 40,
  waitedMs: 10,
  cold: false,
  attempts: 2,
  method: "GET",
  authority: "app.test:8080",
  target: "/h\u00c3\u00a9?x=1",
  minor: 1,
  userAgent: "curl/7",
  clientAddress: "192.0.2.1",
  status: 503,
  outcome: "answered",
  requestBytes: 0,
  responseBytes: 300,
  routeTag: "kn:disabled",
  backend: "ns/rev",
  service: "svc",
  configuration: "svc",
  podName: "pod-1",
  podHost: "10.0.0.1",
  podPort: 8080,
};

// A reader of protobuf's wire format, and no more of OTLP than the numbers of its fields.

interface Field {
  readonly number: number;
  readonly value: Buffer | bigint;
}

function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const octet = bytes[at++] ?? 0;
      value |= BigInt(octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const number = key >> 3;
    if ((key & 7) === 0) fields.push({ number, value: varint() });
    else if ((key & 7) === 1) fields.push({ number, value: bytes.readBigUInt64LE((at += 8) - 8) });
    else if ((key & 7) === 5) fields.push({ number, value: BigInt(bytes.readUInt32LE((at += 4) - 4)) });
    else {
      const length = Number(varint());
      fields.push({ number, value: bytes.subarray(at, (at += length)) });
    }
  }
  return fields;
}

const all = (bytes: Buffer, number: number): Buffer[] =>
  fieldsOf(bytes).flatMap((field) => (field.number === number && typeof field.value !== "bigint" ? [field.value] : []));
const number = (bytes: Buffer, at: number): bigint | undefined =>
  fieldsOf(bytes).flatMap(({ number: its, value }) => (its === at && typeof value === "bigint" ? [value] : []))[0];

function attributesOf(span: Buffer): Record<string, string> {
  const pairs = all(span, 9).map((pair) => {
    const value = all(pair, 2)[0] ?? Buffer.alloc(0);
    return [all(pair, 1)[0]?.toString() ?? "", all(value, 1)[0]?.toString() ?? String(number(value, 3) ?? number(value, 2))] as const;
  });
  return Object.fromEntries(pairs);
}

function spansIn(body: Buffer): Buffer[] {
  return all(body, 1).flatMap((resource) => all(resource, 2).flatMap((scope) => all(scope, 2)));
}

function world(): { readonly clock: SimClock; readonly metrics: MetricRegistry; readonly traces: Traces<TracedRequest>; readonly printed: string[] } {
  const clock = new SimClock();
  const metrics = new MetricRegistry();
  const printed: string[] = [];
  const of = { service: "eider-gateway", scope: "eider.dev/gateway", spansOf };
  return { clock, metrics, printed, traces: new Traces({ ...of, clock, logger: silentLogger, metrics, print: (line) => void printed.push(line) }) };
}

async function listen(server: Server | Http2Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function checkSpans(body: Buffer): void {
  const [server, wait, upstream] = spansIn(body);
  assert.ok(server !== undefined && wait !== undefined && upstream !== undefined);
  const nameOf = (span: Buffer): string | undefined => all(span, 5)[0]?.toString();
  assert.deepEqual([server, wait, upstream].map(nameOf), ["GET", "kn.queueproxy.wait", "HTTP GET"]);
  assert.ok([server, wait, upstream].every((span) => all(span, 1)[0]?.toString("hex") === REQUEST.traceId));
  assert.equal(all(server, 4)[0]?.toString("hex"), REQUEST.parentId);
  assert.equal(all(upstream, 2)[0]?.toString("hex"), REQUEST.upstreamId, "the parent of the application's spans");
  assert.deepEqual([number(server, 7), number(server, 8)], [1_700_000_000_060_000_000n, 1_700_000_000_100_000_000n]);
  assert.deepEqual([number(server, 6), number(wait, 6), number(upstream, 6)], [2n, 1n, 3n]);
  assert.equal(number(all(server, 15)[0] ?? Buffer.alloc(0), 3), 2n, "a status of 500 and more is an error");
  const attributes = attributesOf(server);
  assert.equal(attributes["url.path"], "/h\u00e9");
  assert.equal(attributes["http.response.status_code"], "503");
  assert.equal(attributes["kn.revision.name"], "rev");
  assert.equal(attributesOf(upstream)["http.request.resend_count"], "1");
}

test("spans reach a collector over OTLP/HTTP", async () => {
  const received = Promise.withResolvers<{ readonly path: string; readonly type: string; readonly body: Buffer }>();
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.end();
      received.resolve({ path: request.url ?? "", type: request.headers["content-type"] ?? "", body: Buffer.concat(chunks) });
    });
  });
  const port = await listen(collector);
  const { traces, metrics } = world();
  traces.apply({ protocol: "http/protobuf", endpoint: `http://127.0.0.1:${port}`, samplingRate: 1 });
  traces.receive([REQUEST]);
  await traces.end();
  const { path, type, body } = await received.promise;
  assert.deepEqual([path, type], ["/v1/traces", "application/x-protobuf"]);
  checkSpans(body);
  assert.match(metrics.text(), /^eider_spans_exported_total 3$/m);
  collector.close();
});

test("spans reach a collector over OTLP/gRPC", async () => {
  const received = Promise.withResolvers<Buffer>();
  const collector = createHttp2Server();
  collector.on("stream", (stream: ServerHttp2Stream, headers) => {
    assert.equal(headers[":path"], "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.alloc(5));
      received.resolve(Buffer.concat(chunks));
    });
  });
  const port = await listen(collector);
  const { traces, metrics } = world();
  traces.apply({ protocol: "grpc", endpoint: `http://127.0.0.1:${port}`, samplingRate: 1 });
  traces.receive([REQUEST]);
  await traces.end();
  const framed = await received.promise;
  assert.equal(framed.readUInt32BE(1), framed.length - 5);
  checkSpans(framed.subarray(5));
  assert.match(metrics.text(), /^eider_spans_exported_total 3$/m);
  collector.close();
});

test("without a collector spans are dropped and counted, and settings can print them instead", async () => {
  const gone = createServer();
  const port = await listen(gone);
  gone.close();
  const { traces, metrics, printed } = world();
  traces.receive([REQUEST]);
  traces.apply({ protocol: "http/protobuf", endpoint: `http://127.0.0.1:${port}`, samplingRate: 1 });
  traces.receive([REQUEST]);
  await traces.end();
  assert.match(metrics.text(), /^eider_spans_dropped_total 3$/m);
  traces.apply({ protocol: "stdout", endpoint: "", samplingRate: 1 });
  traces.receive([REQUEST]);
  await traces.end();
  assert.deepEqual(
    printed.map((line) => (JSON.parse(line) as { name: string }).name),
    ["GET", "kn.queueproxy.wait", "HTTP GET"],
  );
});

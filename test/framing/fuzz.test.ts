// What we accept, Node and nginx frame alike: fixed seeds, and planted faults that must be found.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EXPECTATIONS } from "./expectations.ts";
import { fuzz, type Sort } from "./fuzz.ts";
import { liveHeapMb } from "./heap.ts";
import { fuzzThrough, nginxVersion, verdictOn } from "./through.ts";

const COUNTS: Readonly<Record<Sort, number>> = { requests: 200_000, responses: 100_000 };
/** Inputs of one batch leave nothing behind; this is what the collector and the compiler may keep. */
const HEAP_GROWTH_MB_MAX = 32;

for (const sort of ["requests", "responses"] as const) {
  test(`${COUNTS[sort]} ${sort} are framed as Node frames them, in bounded memory`, () => {
    fuzz({ sort, seed: 5, count: 1000 });
    const before = liveHeapMb();
    const result = fuzz({ sort, seed: 1, count: COUNTS[sort] });
    assert.deepEqual(result.findings, []);
    assert.ok(liveHeapMb() - before < HEAP_GROWTH_MB_MAX);
    // Neither side was idle: both understood many messages, and every way of refusing was met.
    assert.ok(result.messages > COUNTS[sort] / 4, `${result.messages} messages`);
    const reasons = sort === "requests" ? 14 : 2;
    assert.ok(result.refused.size >= reasons, [...result.refused.keys()].join("; "));
  });
}

test("every expectation is still needed", () => {
  const seen = (["requests", "responses"] as const).flatMap((sort) => [...fuzz({ sort, seed: 2, count: 20_000 }).expected.keys()]);
  assert.deepEqual(
    EXPECTATIONS.map(({ name }) => name).filter((name) => !seen.includes(name)),
    [],
  );
});

/** What a faulty parser would see in place of the octets; as many. */
const planted: readonly { readonly name: string; readonly sort: Sort; readonly see: (text: string) => string; readonly kind: RegExp }[] = [
  { name: "takes a bare LF for a part of a line", sort: "requests", see: (text) => text.replace(/(?<!\r)\n/g, " "), kind: /node/ },
  {
    name: "goes by the first of two lengths",
    sort: "requests",
    see: (text) => text.replace(/(\r\ncontent-length:[^\r]*(?:\r\n[^\r]+)*?\r\n)content-length/gi, "$1x-ontent-length"),
    kind: /HPE_UNEXPECTED_CONTENT_LENGTH|body|end/,
  },
  { name: "takes xchunked for chunked", sort: "requests", see: (text) => text.replaceAll("xchunked", " chunked"), kind: /HPE_INVALID_TRANSFER_ENCODING/ },
  { name: "takes a signed length", sort: "requests", see: (text) => text.replaceAll(": +3", ": 03"), kind: /HPE_INVALID_CONTENT_LENGTH/ },
  { name: "joins folded lines", sort: "requests", see: (text) => text.replace(/\r\n[ \t]/g, "   "), kind: /fields|refuses|end|body/ },
  { name: "skips white space before the colon", sort: "requests", see: (text) => text.replaceAll(" : ", ":  "), kind: /HPE_INVALID_HEADER_TOKEN/ },
  { name: "does not look at the two octets behind a chunk", sort: "requests", see: (text) => text.replaceAll("aXX", "a\r\n"), kind: /HPE_STRICT|refuses/ },
  {
    name: "goes by the length where there are chunks",
    sort: "responses",
    see: (text) => text.replaceAll("Transfer-Encoding", "X-ransfer-Encoding"),
    kind: /node/,
  },
];
for (const { name, sort, see, kind } of planted) {
  test(`planted: a parser that ${name} is found out, and shown by a small input`, () => {
    const { findings } = fuzz({ sort, seed: 1, count: 30_000, see });
    const found = findings.find((finding) => kind.test(finding.kind));
    assert.ok(found !== undefined, "not found");
    assert.ok(found.smallest.length <= found.input.length && found.smallest.length < 120, JSON.stringify(found.smallest));
  });
}

const nginx = nginxVersion();
const NO_NGINX = nginx === undefined ? "nginx is not installed" : false;

test("what we accept reaches an application behind nginx as the same requests", { skip: NO_NGINX }, async () => {
  const result = await fuzzThrough({ proxy: "nginx", seed: 1, count: 5000 });
  assert.deepEqual(result.findings, []);
  assert.ok(result.requests > 5000);
});

test("what we accept reaches an application behind the whole gateway as the same requests, however it is cut", async () => {
  const result = await fuzzThrough({ proxy: "gateway", seed: 1, count: 3000 });
  assert.deepEqual(result.findings, []);
  assert.ok(result.requests > 3000);
  // Hosts without a route, and HTTP/1.0 clients whose answer ends with the connection.
  assert.deepEqual(
    [...result.refused.keys()].filter((status) => status !== "404" && status !== "closes"),
    [],
  );
});

test("planted: an nginx that gets another stream is found out", { skip: NO_NGINX }, async () => {
  const result = await fuzzThrough({ proxy: "nginx", seed: 1, count: 200, send: (text) => text.replace("Content-Length: 3", "Content-Length: 2") });
  assert.ok(result.differing > 0);
});

const OK = "HTTP/1.1 200 OK\r\nX-Saw: ";
const verdicts: readonly { readonly name: string; readonly answer: string; readonly stays: boolean; readonly want: string | undefined | false }[] = [
  { name: "the same", answer: `${OK}GET / .\r\n\r\n${OK}GET /sentinel .\r\n\r\n`, stays: true, want: undefined },
  { name: "one request more", answer: `${OK}GET / .\r\n\r\n${OK}GET /s .\r\n\r\n${OK}GET /sentinel .\r\n\r\n`, stays: true, want: false },
  { name: "another body", answer: `${OK}GET / 61.\r\n\r\n`, stays: false, want: false },
  { name: "a refusal", answer: "HTTP/1.1 400 Bad Request\r\n\r\n", stays: true, want: "400" },
  { name: "a wait for more", answer: "HTTP/1.1 408 Request Time-out\r\n\r\n", stays: true, want: false },
  { name: "a refused sentinel", answer: `${OK}GET / .\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n`, stays: true, want: false },
  { name: "silence", answer: "", stays: true, want: false },
  { name: "an early close", answer: `${OK}GET / .\r\nConnection: close\r\n\r\n`, stays: true, want: "closes" },
];
for (const { name, answer, stays, want } of verdicts) {
  test(`answers of nginx: ${name}`, () => assert.equal(verdictOn(answer, ["GET / "], stays), want));
}

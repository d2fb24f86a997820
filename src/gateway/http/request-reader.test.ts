// Cutting what a client sends into requests: the same ones however it comes.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { RequestHead } from "./request-head.ts";
import { RequestReader } from "./request-reader.ts";

/** Targets of the requests in `reads`, and why reading ended when it did. */
function requestsIn(reads: readonly string[]): string[] {
  const reader = new RequestReader();
  const found: string[] = [];
  for (const read of reads) {
    const bytes = Buffer.from(read, "latin1");
    if (reader.body.done) reader.push(bytes);
    else reader.feed(bytes);
    while (reader.body.done && reader.ahead > 0) {
      const head = reader.take();
      if (reader.fault !== undefined) return [...found, reader.fault.reason];
      if (head === undefined) break;
      found.push(`${head.method} ${head.target}`);
      if (!reader.body.done && reader.ahead > 0) reader.bodyAhead();
    }
    if (reader.ahead > 0) reader.keep();
  }
  return found;
}

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
const post = (target: string, body: string): string => `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const rows: readonly { name: string; read: string; want: readonly string[] }[] = [
  { name: "one", read: get("/1"), want: ["GET /1"] },
  { name: "two", read: get("/1") + get("/2"), want: ["GET /1", "GET /2"] },
  { name: "behind an empty line", read: `\r\n${get("/1")}`, want: ["GET /1"] },
  { name: "with a body that is an empty line", read: post("/1", "\r\n"), want: ["POST /1"] },
  { name: "with a body that ends as a head does", read: post("/1", "a: b\r\n\r\n"), want: ["POST /1"] },
  { name: "with a body that looks like a request", read: post("/1", get("/2")), want: ["POST /1"] },
  { name: "without fields before one with them", read: `GET /1 HTTP/1.0\r\n\r\n${get("/2")}`, want: ["GET /1", "GET /2"] },
  { name: "two empty lines, which may be the begin of one", read: "\r\n\r\n", want: [] },
  { name: "a bare LF at the end", read: "GET /1 HTTP/1.1\r\nHost: a\n\r\n", want: ["malformed request head"] },
  { name: "one that is refused before one that is not", read: `GET /1 HTTP/1.1\r\n\r\n${get("/2")}`, want: ["missing or repeated Host header"] },
];

for (const { name, read, want } of rows) {
  test(`requests of a read: ${name}`, () => {
    assert.deepEqual(requestsIn([read]), want);
  });
}

test("requests are the same however their octets come", () => {
  const bodies = fc.array(fc.constantFrom("\r\n", "a", ": b", get("/no")), { maxLength: 4 }).map((parts) => parts.join(""));
  const requests = fc.array(
    fc.oneof(
      fc.constant(get("/g")),
      bodies.map((body) => post("/p", body)),
    ),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(requests, fc.array(fc.nat({ max: 400 }), { maxLength: 4 }), (sent, cuts) => {
      const text = sent.join("");
      const places = [...new Set([0, ...cuts.filter((cut) => cut < text.length)])].sort((a, b) => a - b);
      const reads = places.map((from, index) => text.slice(from, places[index + 1] ?? text.length));
      assert.deepEqual(
        requestsIn(reads),
        sent.map((request) => request.slice(0, request.indexOf(" HTTP"))),
      );
    }),
    { numRuns: 500, seed: 1 },
  );
});

test("a head is kept once its client repeats it, and others are not", () => {
  const reader = new RequestReader();
  const take = (text: string): RequestHead => {
    reader.push(Buffer.from(text, "latin1"));
    const head = reader.take();
    assert.ok(head !== undefined);
    return head;
  };
  const first = take(get("/1"));
  assert.equal(reader.repeats(first), false);
  // Of the same length.
  assert.equal(reader.repeats(take(get("/2"))), false);
  const second = take(get("/2"));
  assert.equal(reader.repeats(second), true);
  assert.equal(take(get("/2")), second);
  assert.equal(reader.repeats(take(get("/1"))), false);
  assert.equal(reader.repeats(second), false);
});

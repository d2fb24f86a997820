// Framing of bodies: the same answer however the bytes are cut, and nothing lenient.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BodyTracker } from "./body-tracker.ts";
import type { Framing } from "./request-head.ts";
import { tailOf } from "./timeout-tail.ts";
import { Unchunker } from "./without-chunks.ts";

/** Feeds `text` cut at `cuts`; answers how many octets belong to the body and how it ended. */
function track(framing: Framing, text: string, cuts: readonly number[] = []): { length: number; end: "done" | "failed" | "open" } {
  const tracker = new BodyTracker();
  tracker.begin(framing);
  const bytes = Buffer.from(text, "latin1");
  const bounds = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  let from = 0;
  for (const to of bounds) {
    const end = tracker.feed(bytes, from, to);
    if (end < to || tracker.failed || tracker.done) return { length: end, end: tracker.failed ? "failed" : "done" };
    from = to;
  }
  return { length: from, end: tracker.done ? "done" : "open" };
}

const rows: readonly { name: string; framing: Framing; text: string; want: ReturnType<typeof track> }[] = [
  { name: "no body", framing: 0, text: "next", want: { length: 0, end: "done" } },
  { name: "a length", framing: 3, text: "abcnext", want: { length: 3, end: "done" } },
  { name: "a length that has not all come", framing: 9, text: "abc", want: { length: 3, end: "open" } },
  { name: "until the connection closes", framing: "close", text: "abc", want: { length: 3, end: "open" } },
  { name: "chunks", framing: "chunked", text: "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nnext", want: { length: 28, end: "done" } },
  { name: "extensions and trailers", framing: "chunked", text: '1;a="b"\r\nx\r\n0;z\r\nX-Sum: 1\r\nY:\r\n\r\nnext', want: { length: 33, end: "done" } },
  { name: "leading zeros", framing: "chunked", text: "0003\r\nabc\r\n00\r\n\r\n", want: { length: 17, end: "done" } },
  { name: "a chunk longer than it says", framing: "chunked", text: "1\r\nab\r\n", want: { length: 5, end: "failed" } },
  { name: "no size", framing: "chunked", text: "\r\nabc", want: { length: 1, end: "failed" } },
  { name: "a negative size", framing: "chunked", text: "-1\r\n", want: { length: 1, end: "failed" } },
  { name: "a size with 0x", framing: "chunked", text: "0x3\r\nabc", want: { length: 2, end: "failed" } },
  { name: "white space after the size", framing: "chunked", text: "3 \r\nabc", want: { length: 2, end: "failed" } },
  { name: "a bare LF after the size", framing: "chunked", text: "3\nabc", want: { length: 2, end: "failed" } },
  { name: "a bare CR in an extension", framing: "chunked", text: "3;a\rb\r\n", want: { length: 5, end: "failed" } },
  { name: "a bare LF after the data", framing: "chunked", text: "1\r\na\n0\r\n\r\n", want: { length: 5, end: "failed" } },
  { name: "a size beyond all numbers", framing: "chunked", text: "fffffffffffffffff\r\n", want: { length: 14, end: "failed" } },
  { name: "a folded trailer", framing: "chunked", text: "0\r\nA: b\r\n c\r\n\r\n", want: { length: 10, end: "failed" } },
  { name: "a trailer without a colon", framing: "chunked", text: "0\r\nA\r\n\r\n", want: { length: 5, end: "failed" } },
];
for (const { name, framing, text, want } of rows) {
  test(`bodies: ${name}`, () => {
    assert.deepEqual(track(framing, text), want);
    // The same octet by octet.
    assert.deepEqual(
      track(
        framing,
        text,
        Array.from({ length: text.length }, (_, index) => index),
      ),
      want,
    );
  });
}

test("a chunk-size line and a trailer section have a longest length", () => {
  assert.equal(track("chunked", `1;${"a".repeat(5000)}\r\n`).end, "failed");
  assert.equal(track("chunked", `0\r\n${"A: b\r\n".repeat(4000)}`).end, "failed");
});

const chunked = fc
  .array(fc.tuple(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), fc.constantFrom("", ";a", ";a=b")), { maxLength: 6 })
  .map((chunks) => chunks.map(([data, extension]) => [Buffer.from(data, "latin1").toString("latin1"), extension] as const))
  .map((chunks) => `${chunks.map(([data, extension]) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`).join("")}0\r\n\r\n`);

test("a valid chunked body ends at the same octet however it is cut", () => {
  fc.assert(
    fc.property(chunked, fc.array(fc.nat()), (body, cuts) => {
      assert.deepEqual(track("chunked", `${body}GET / HTTP/1.1\r\n`, cuts), { length: body.length, end: "done" });
    }),
    { numRuns: 500, seed: 1 },
  );
});

test("the content of chunks is what was put in, however they are cut, and the buffers are given back", () => {
  const data = fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), { maxLength: 6 });
  fc.assert(
    fc.property(data, fc.array(fc.nat()), (parts, cuts) => {
      const contents = parts.map((part) => Buffer.from(part, "latin1").toString("latin1"));
      const body = `${contents.map((content) => `${content.length.toString(16)};a="b"\r\n${content}\r\n`).join("")}0\r\nX: y\r\n\r\n`;
      const bytes = Buffer.from(body, "latin1");
      const unchunker = new Unchunker();
      const bounds = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
      let from = 0;
      let got = "";
      let released = 0;
      for (const to of bounds) {
        const chunk = unchunker.contentOf({ bytes, from, to, done: to === bytes.length, release: () => void released++ });
        got += chunk.bytes.toString("latin1", chunk.from, chunk.to);
        from = to;
      }
      assert.equal(got, contents.join(""));
      assert.equal(released, bounds.length);
    }),
    { numRuns: 300, seed: 1 },
  );
});

test("any octets give the same answer however they are cut", () => {
  const soup = fc.array(fc.constantFrom("0", "1", "a", "f", "\r\n", "\r", "\n", ";", ":", " ", "xyz", "\0"), { maxLength: 30 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(soup, fc.array(fc.nat()), (text, cuts) => {
      assert.deepEqual(track("chunked", text, cuts), track("chunked", text));
    }),
    { numRuns: 2000, seed: 1 },
  );
});

const tails: readonly { name: string; framing: Framing; seen: string; want: { text: string; whole: boolean } }[] = [
  { name: "until the connection closes", framing: "close", seen: "abc", want: { text: "late", whole: false } },
  { name: "a length with room", framing: 100, seen: "abc", want: { text: "late", whole: false } },
  { name: "a length with just enough room", framing: 7, seen: "abc", want: { text: "late", whole: true } },
  { name: "a length with too little room", framing: 5, seen: "abc", want: { text: "la", whole: true } },
  { name: "between chunks", framing: "chunked", seen: "3\r\nabc\r\n", want: { text: "4\r\nlate\r\n0\r\n\r\n", whole: true } },
  { name: "before any chunk", framing: "chunked", seen: "", want: { text: "4\r\nlate\r\n0\r\n\r\n", whole: true } },
  { name: "inside a large chunk", framing: "chunked", seen: "ff\r\nabc", want: { text: "late", whole: false } },
  { name: "inside a small chunk", framing: "chunked", seen: "5\r\nabc", want: { text: "la\r\n2\r\nte\r\n0\r\n\r\n", whole: true } },
  { name: "in the middle of a chunk's size line", framing: "chunked", seen: "5", want: { text: "", whole: false } },
];
for (const { name, framing, seen, want } of tails) {
  test(`the tail of a response out of time: ${name}`, () => {
    const tracker = new BodyTracker();
    tracker.begin(framing);
    tracker.feed(Buffer.from(seen), 0, seen.length);
    assert.deepEqual(tailOf(tracker, framing, "late"), want);
  });
}

// Frames of all lengths, cut anywhere.
import assert from "node:assert/strict";
import { test } from "node:test";
import { below, SeededRng } from "#core";
import { FrameBoundary } from "./frame-boundary.ts";

function frame(length: number, masked: boolean): Buffer {
  const mask = masked ? 128 : 0;
  const head =
    length < 126 ? Buffer.from([0x82, mask | length]) : length < 65536 ? Buffer.from([0x82, mask | 126, length >> 8, length & 255]) : Buffer.alloc(10);
  if (length >= 65536) {
    head.set([0x82, mask | 127]);
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  // A payload full of octets that look like headers.
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0, 0x81), Buffer.alloc(length, 0x7e)]);
}

for (const masked of [false, true]) {
  test(`boundaries are found exactly (${masked ? "masked" : "as servers send"})`, () => {
    for (const length of [0, 1, 5, 125, 126, 127, 300, 65_535, 65_536, 70_000]) {
      const bytes = frame(length, masked);
      const frames = new FrameBoundary();
      assert.ok(frames.isBetween);
      for (let at = 0; at < bytes.length; at++) {
        frames.feed(bytes, at, at + 1);
        assert.equal(frames.isBetween, at === bytes.length - 1, `octet ${at} of ${bytes.length}`);
      }
    }
  });
}

test("a stream of frames in pieces of any size", () => {
  const rng = new SeededRng(3);
  const frames = new FrameBoundary();
  const lengths = Array.from({ length: 300 }, () => below(rng, 3) * below(rng, 400));
  const stream = Buffer.concat(lengths.map((length) => frame(length, false)));
  const ends = new Set<number>();
  for (let end = 0, i = 0; i < lengths.length; i++) ends.add((end += frame(lengths[i] ?? 0, false).length));
  for (let from = 0; from < stream.length;) {
    const to = Math.min(stream.length, from + 1 + below(rng, 700));
    frames.feed(stream, from, to);
    assert.equal(frames.isBetween, ends.has(to));
    from = to;
  }
});

// Lines for a reader: order, ends, and what happens when nobody reads.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Lines } from "./lines.ts";

const forever = new AbortController().signal;

async function all<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const line of lines) read.push(line);
  return read;
}

test("lines come in order, also those that are pushed while the reader waits", async () => {
  const lines = new Lines<number>(10);
  lines.push(1);
  const read = all(lines.read(forever));
  await Promise.resolve();
  lines.push(2);
  lines.end();
  lines.push(3);
  assert.deepEqual(await read, [1, 2]);
});

test("an error comes behind what was pushed before it", async () => {
  const lines = new Lines<number>(10);
  lines.push(1);
  lines.end(new Error("over"));
  const read: number[] = [];
  await assert.rejects(async () => {
    for await (const line of lines.read(forever)) read.push(line);
  }, /over/);
  assert.deepEqual(read, [1]);
});

test("one line too many ends it, and the reader is told", async () => {
  const lines = new Lines<number>(2);
  for (const line of [1, 2, 3, 4]) lines.push(line);
  const read: number[] = [];
  await assert.rejects(
    async () => {
      for await (const line of lines.read(forever)) read.push(line);
    },
    { reason: "TooManyRequests" },
  );
  assert.deepEqual(read, [1, 2]);
});

test("a reader who goes is not waited for", async () => {
  const gone = new AbortController();
  const read = all(new Lines<number>(2).read(gone.signal));
  gone.abort();
  assert.deepEqual(await read, []);
});

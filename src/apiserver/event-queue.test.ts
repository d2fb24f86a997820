// Tests of the queue in front of a watcher: what it hands over at a time, and when it gives up.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoreEvent } from "#store";
import { EventQueue, WATCH_QUEUE_LENGTH_MAX, WATCH_QUEUE_MAX } from "./event-queue.ts";

const event = (revision: number, value = "{}"): StoreEvent => ({ type: "put", key: "/k", revision, value, previous: undefined, previousRevision: undefined });

test("a queue with too many events drops them all and says so", async () => {
  const queue = new EventQueue();
  queue.push(Array.from({ length: WATCH_QUEUE_MAX }, (_, at) => event(at)));
  assert.equal(queue.overflown, false);
  queue.push([event(1)]);
  await queue.wait();
  assert.deepEqual([queue.overflown, queue.empty], [true, true]);
});

test("a queue with too much text drops it, however few events it is", () => {
  const queue = new EventQueue();
  const large = event(1, "x".repeat(1 << 20));
  for (let length = 0; length < WATCH_QUEUE_LENGTH_MAX; length += 1 << 20) queue.push([large]);
  assert.equal(queue.overflown, false);
  queue.push([event(2)]);
  assert.deepEqual([queue.overflown, queue.empty], [true, true]);
});

test("what was taken makes room, and comes in pieces that a stream can send", () => {
  const queue = new EventQueue();
  const large = event(1, "x".repeat(60 << 10));
  queue.push([large, large, large]);
  assert.equal(queue.take().length, 2);
  assert.equal(queue.take().length, 1);
  assert.deepEqual([queue.take().length, queue.empty], [0, true]);
  for (let round = 0; round < 2 * WATCH_QUEUE_MAX; round++) {
    queue.push([event(round)]);
    assert.equal(queue.take()[0]?.revision, round);
  }
  assert.equal(queue.overflown, false);
});

// Tests of the watch window: what it may drop, and when.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import { WatchWindow } from "./window.ts";

const BYTES_MAX = 4_000;
const event = (revision: number) => ({
  type: "put" as const,
  key: `/k/${revision}`,
  revision,
  value: "x".repeat(1_000),
  previous: undefined,
  previousRevision: undefined,
});

test("a burst larger than the window reaches those who follow what is on disk", () => {
  const window = new WatchWindow(BYTES_MAX, 0);
  const seen: number[] = [];
  window.watch({ prefix: "/k/", after: 0, visibility: "durable", onEvents: (events) => seen.push(...events.map(({ revision }) => revision)) });
  for (let revision = 1; revision <= 10; revision++) window.append(event(revision));
  assert.deepEqual(seen, []);
  window.advance(10);
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("what is on disk makes room, down to the limit", () => {
  const window = new WatchWindow(BYTES_MAX, 0);
  for (let revision = 1; revision <= 10; revision++) window.append(event(revision));
  window.advance(10);
  assert.ok(window.bytes <= BYTES_MAX, `${window.bytes} bytes are kept`);
  assert.throws(
    () => window.watch({ prefix: "/k/", after: 5, visibility: "durable", onEvents: () => {} }),
    (error) => isReason(error, "Expired"),
  );
});

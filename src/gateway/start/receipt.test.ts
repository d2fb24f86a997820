// Receipts: every millisecond until the first octet is in one part.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PARTS, receiptParts, serverTiming } from "./receipt.ts";
import type { RequestFacts } from "../request/request-facts.ts";

const facts = (over: Partial<RequestFacts>): RequestFacts => ({ arrivedMs: 100, cold: true, grantedMs: 120, firstByteMs: 130, ...over }) as RequestFacts;
const pod = { triedMs: 108, connectedMs: 118 };
const start = { wokenMs: 101, createdMs: 104, spawnedMs: 109 };

interface Row {
  readonly name: string;
  readonly facts?: Partial<RequestFacts>;
  readonly pod?: Partial<typeof pod>;
  readonly start: Partial<typeof start> | undefined;
  readonly parts: number[];
}

const rows: readonly Row[] = [
  { name: "a cold start", start, parts: [1, 3, 5, 9, 2, 10] },
  { name: "a request that came while its pod booted", facts: { arrivedMs: 110 }, start, parts: [0, 0, 0, 8, 2, 10] },
  { name: "a start that control tells of when it is over", start: undefined, parts: [0, 0, 8, 10, 2, 10] },
  { name: "a pod that was ready when this thread heard of it", pod: { triedMs: NaN, connectedMs: NaN }, start: undefined, parts: [0, 0, 0, 0, 20, 10] },
  { name: "a start of which less is known", start: { createdMs: NaN, wokenMs: NaN }, parts: [0, 0, 9, 9, 2, 10] },
  { name: "a message that came late", start: { createdMs: 133, spawnedMs: 134 }, parts: [1, 29, 0, 0, 0, 0] },
  { name: "a full pod that had room after a while", facts: { cold: false }, start: undefined, parts: [20, 0, 0, 0, 0, 10] },
];
for (const row of rows) {
  test(`receipt: ${row.name}`, () => {
    const given = facts(row.facts ?? {});
    const parts = receiptParts(given, { ...pod, ...row.pod }, row.start === undefined ? undefined : { ...start, ...row.start });
    assert.deepEqual(parts, row.parts);
    assert.equal(
      parts.reduce((a, b) => a + b, 0),
      given.firstByteMs - given.arrivedMs,
    );
    assert.equal(parts.length, PARTS.length);
  });
}

test("Server-Timing names the parts that took time, and their sum", () => {
  assert.equal(serverTiming([0.25, 0, 3, 9, 0, 1.5]), "queue;dur=0.250, create;dur=3.000, boot;dur=9.000, first-byte;dur=1.500, total;dur=13.750");
});

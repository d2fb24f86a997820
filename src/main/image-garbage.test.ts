// When the store is collected: after quiet, again when things have aged, at once when space is short.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Reader } from "#client";
import { SimClock, silentLogger } from "#core";
import { openImageStore, type Collected } from "#images";
import type { Kind } from "#schema";
import { ImageGarbage, neededImages } from "./image-garbage.ts";

const A = `sha256:${"a".repeat(64)}`;
const B = `sha256:${"b".repeat(64)}`;
const C = `sha256:${"c".repeat(64)}`;

const objects: Readonly<Record<string, readonly object[]>> = {
  revisions: [{ spec: { containers: [{ image: "x" }] }, status: { containerStatuses: [{ imageDigest: `dev.local/x@${A}` }] } }],
  pods: [{ spec: { containers: [{ image: `y@${B}` }] } }],
  deployments: [{ spec: { template: { spec: { containers: [{ image: `z@${C}` }] } } } }],
};
const reader = { list: async (kind: Kind) => ({ items: objects[kind.plural] ?? [] }) } as unknown as Reader;

test("neededImages: Revisions, Deployments at zero and pods", async () => {
  assert.deepEqual([...(await neededImages(reader))].toSorted(), [A, B, C]);
});

async function world(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), "eider-garbage-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const clock = new SimClock(Date.now());
  const store = await openImageStore(dir);
  const runs: Collected[] = [];
  let ran = Promise.withResolvers<void>();
  const next = (): Promise<void> => (ran = Promise.withResolvers<void>()).promise;
  const garbage = new ImageGarbage({ store, client: reader, clock, logger: silentLogger, collected: (one) => (runs.push(one), ran.resolve()) });
  const ending = new AbortController();
  const done = garbage.run(ending.signal);
  t.after(async () => {
    ending.abort();
    await done;
  });
  return { dir, clock, store, garbage, runs, next };
}

test("a collection waits for quiet, and there is no timer at rest", async (t) => {
  const { clock, garbage, runs, next } = await world(t);
  await clock.advance(10_000);
  assert.equal(clock.waiting, 0);
  garbage.changed();
  await clock.advance(50_000);
  garbage.changed();
  await clock.advance(50_000);
  assert.equal(runs.length, 0);
  const collected = next();
  await clock.advance(10_000);
  await collected;
  await clock.advance(0);
  assert.deepEqual([runs.length, clock.waiting], [1, 0]);
});

test("what was too fresh is collected when it has aged, without anybody's word", async (t) => {
  const { dir, clock, store, garbage, next } = await world(t);
  await store.putBlob(Buffer.from("nobody's"));
  const first = next();
  garbage.changed();
  await clock.advance(60_000);
  await first;
  assert.equal(readdirSync(join(dir, "blobs/sha256")).length, 1);
  const second = next();
  await clock.advance(3_600_000);
  await clock.advance(60_000);
  await second;
  assert.equal(readdirSync(join(dir, "blobs/sha256")).length, 0);
});

test("when space is short nobody waits", async (t) => {
  const { garbage, runs, next } = await world(t);
  const collected = next();
  garbage.spaceIsShort();
  await collected;
  assert.equal(runs.length, 1);
});

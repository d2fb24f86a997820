// The log on a disk that is full, hangs or fails, and with records that are large: the right answers, bounded memory, and it goes on by itself.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SeededRng, silentLogger, SimClock } from "#core";
import { NodeDisk, openLog, type Log, type LogOptions, type Stream } from "#log";
import { SimDisk } from "./sim-disk.ts";

async function world(t: TestContext, limits: LogOptions["limits"] = {}): Promise<{ disk: SimDisk; clock: SimClock; log: Log; stream: Stream }> {
  const disk = new SimDisk(new SeededRng(1));
  const clock = new SimClock();
  const log = await openLog({ disk, clock, logger: silentLogger, limits: { allocateBytes: 1_024, ...limits } });
  t.after(() => log.close());
  return { disk, clock, log, stream: await log.stream("a") };
}

/** A disk that answers nothing until it is let go. */
function hang(disk: SimDisk): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  disk.faults = { held: promise };
  return () => {
    disk.faults = {};
    resolve();
  };
}

const reasonOf = (append: Promise<unknown>): Promise<string> =>
  append.then(
    () => "taken",
    (error: unknown) => (error as { reason: string }).reason,
  );

async function values(stream: Stream): Promise<string[]> {
  const { found } = await stream.search({ limit: 1_000 }, new AbortController().signal);
  return found.map(({ value }) => Buffer.from(value).toString());
}

test("a full disk refuses, nothing of what was refused stays, and room that was made is used without a restart", async (t) => {
  const { disk, stream } = await world(t);
  await stream.append({ value: Buffer.from("first") });
  disk.faults = { capacity: 3_000 };
  assert.equal(await reasonOf(stream.append({ value: Buffer.alloc(5_000) })), "diskFull");
  disk.faults = {};
  await stream.append({ value: Buffer.from("second") });
  assert.deepEqual(await values(stream), ["first", "second"]);
});

test("a disk that hangs: what waits is refused in time as blocked, what is too much as overloaded, and all goes on when it answers", async (t) => {
  const { disk, clock, stream } = await world(t, { pendingBytesMax: 10_000, blockedMs: 5_000 });
  await stream.append({ value: Buffer.from("first") });
  const letGo = hang(disk);
  const waiting = reasonOf(stream.append({ value: Buffer.from("second") }));
  const others = Promise.all(Array.from({ length: 8 }, () => reasonOf(stream.append({ value: Buffer.alloc(1_000, "x") }))));
  assert.equal(await reasonOf(stream.append({ value: Buffer.alloc(9_000) })), "overloaded");
  await clock.advance(7_000);
  assert.equal(await waiting, "blocked");
  assert.deepEqual([...new Set(await others)], ["blocked"]);
  letGo();
  await stream.append({ value: Buffer.from("last") });
  const kept = await values(stream);
  assert.deepEqual([kept[0], kept.at(-1)], ["first", "last"]);
});

test("records of 10 MB are kept whole, several at a time, and read again from the disk", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "eider-log-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const log = await openLog({ disk: new NodeDisk(folder), clock: new SimClock(), logger: silentLogger, limits: { recentBytes: 1 << 20 } });
  t.after(() => log.close());
  const stream = await log.stream("a");
  const large = (name: string): Buffer => Buffer.alloc(10 << 20, name);
  const offsets = await Promise.all(["a", "b", "c", "d"].map((name) => stream.append({ value: large(name), keys: [`id=${name}`] })));
  for (const [index, offset] of offsets.entries()) {
    const record = await log.read(offset);
    assert.ok(record !== undefined && large("abcd"[index] ?? "").equals(record.value));
  }
  const reader = stream.reader("start");
  const read: string[] = [];
  while (read.length < 4) read.push(...(await reader.poll()).map(({ value }) => String.fromCharCode(value[5_000_000] ?? 0)));
  assert.deepEqual(read, ["a", "b", "c", "d"]);
  const page = await stream.search({ limit: 10, first: "newest" }, new AbortController().signal);
  assert.deepEqual([page.found.length, page.found[0]?.keys], [1, ["id=d"]]);
  assert.ok(page.next !== undefined);
  assert.equal(await reasonOf(stream.append({ value: Buffer.alloc(40 << 20) })), "tooLarge");
  assert.equal(await reasonOf(stream.appendAll(Array.from({ length: 8 }, () => ({ value: large("e") })))), "overloaded");
});

test("a disk that fails once is not asked to forget it: the next append is on the disk", async (t) => {
  const disk = new SimDisk(new SeededRng(1));
  const stream = await (await openLog({ disk, clock: new SimClock(), logger: silentLogger })).stream("a");
  await stream.append({ value: Buffer.from("first") });
  disk.faults = { failOneIn: 1 };
  assert.equal(await reasonOf(stream.append({ value: Buffer.from("lost") })), "disk");
  disk.faults = {};
  await stream.append({ value: Buffer.from("second") });
  disk.cutNow();
  const again = await openLog({ disk: disk.afterCut(), clock: new SimClock(), logger: silentLogger });
  t.after(() => again.close());
  assert.deepEqual(await values(await again.stream("a")), ["first", "second"]);
});

// The log within its size and time, on a simulated disk: what goes, what stays, what is refused.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { SeededRng, silentLogger, SimClock, type Logger } from "#core";
import { openLog, type Cursor, type Log, type LogOptions, type Stream } from "#log";
import { SimDisk } from "./sim-disk.ts";

const signal = new AbortController().signal;
const LIMITS = { segmentBytes: 4_096, allocateBytes: 1_024, recentBytes: 1_024, bytesMax: 40_000, keepMs: 3_600_000 };
const text = (value: Uint8Array): string => Buffer.from(value).toString();
const record = (number: number): { value: Buffer } => ({ value: Buffer.from(`${number} ${"x".repeat(400)}`) });

interface World {
  readonly disk: SimDisk;
  readonly clock: SimClock;
  readonly told: string[];
  readonly open: (limits?: LogOptions["limits"]) => Promise<Log>;
}

function world(t: TestContext): World {
  const disk = new SimDisk(new SeededRng(1));
  const clock = new SimClock();
  const told: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void told.push(message), with: () => logger };
  const open = async (limits: LogOptions["limits"] = {}): Promise<Log> => {
    const log = await openLog({ disk, clock, logger, limits: { ...LIMITS, ...limits } });
    t.after(() => log.close());
    return log;
  };
  return { disk, clock, told, open };
}

/** Octets of all files. */
async function bytesOn(disk: SimDisk): Promise<number> {
  let bytes = 0;
  for (const name of await disk.list()) {
    const file = await disk.open(name, { create: false, synced: false });
    bytes += await file.size();
  }
  return bytes;
}

/** Numbers of the records that are there. */
async function numbers(stream: Stream): Promise<number[]> {
  const { found } = await stream.search({ limit: 1_000 }, signal);
  return found.map(({ value }) => Number(text(value).split(" ")[0]));
}

async function readAll(stream: Stream, cursor: Cursor): Promise<number[]> {
  const reader = stream.reader(cursor.next);
  const offsets: number[] = [];
  for (;;) {
    const before = reader.at;
    for (const { offset, end } of await reader.poll()) {
      cursor.take(offset);
      cursor.pass(end);
      offsets.push(offset);
    }
    if (reader.at === before) return offsets;
  }
}

/** The reason of the first append that is refused; the numbers that were taken go to `taken`. */
async function fill(stream: Stream, taken: number[], from = 0): Promise<string> {
  for (let number = from; number < from + 1_000; number++) {
    try {
      await stream.append(record(number));
      taken.push(number);
    } catch (error) {
      return (error as { reason: string }).reason;
    }
  }
  return "never";
}

test("what is finished goes when the log reaches its size, so that it takes events for ever", async (t) => {
  const { disk, open } = world(t);
  const log = await open();
  const stream = await log.stream("a");
  const cursor = await stream.cursor("one", "start");
  for (let number = 0; number < 500; number++) {
    await stream.append(record(number));
    for (const offset of await readAll(stream, cursor)) cursor.finish(offset);
    assert.ok(log.size.bytes <= log.size.bytesMax);
  }
  await log.close();
  assert.ok((await bytesOn(disk)) <= LIMITS.bytesMax);
  const left = await numbers(await (await open()).stream("a"));
  assert.ok(left.length > 30 && left.at(-1) === 499 && left[0] === 500 - left.length, left.join(" "));
});

test("at its size the log refuses what would make it drop what somebody is not done with, and goes on by itself", async (t) => {
  const { disk, clock, open } = world(t);
  const log = await open();
  const stream = await log.stream("a");
  const cursor = await stream.cursor("one", "start");
  const taken: number[] = [];
  assert.equal(await fill(stream, taken), "limit");
  assert.ok((await bytesOn(disk)) <= LIMITS.bytesMax);
  assert.deepEqual(await numbers(stream), taken);
  await assert.rejects(stream.appendAll([record(1), record(2)]), { reason: "limit" });
  const before = stream.notesLost;
  stream.note(0, Buffer.alloc(5_000));
  assert.equal(stream.notesLost, before + 1);

  const offsets = await readAll(stream, cursor);
  for (const offset of offsets.slice(0, 50)) cursor.finish(offset);
  await clock.advance(300);
  await stream.append(record(9_999));
  assert.deepEqual((await numbers(stream)).at(-1), 9_999);
  assert.ok((await numbers(stream)).includes(50));
});

test("a record that is parked keeps its own segment and no other, and what was dropped around it is read over", async (t) => {
  const { clock, open } = world(t);
  let log = await open();
  let stream = await log.stream("a");
  const cursor = await stream.cursor("one", "start");
  for (let number = 0; number < 200; number++) {
    await stream.append(record(number));
    for (const offset of await readAll(stream, cursor)) {
      if (number === 20) cursor.park(offset, 3);
      else cursor.finish(offset);
    }
  }
  for (let start = 0; start < 2; start++) {
    const left = await numbers(stream);
    assert.ok(left.includes(20) && left.includes(199) && !left.includes(5) && !left.includes(40), left.join(" "));
    const reader = stream.reader("start");
    const read: number[] = [];
    while (read.length < left.length) read.push(...(await reader.next(signal)).map(({ value }) => Number(text(value).split(" ")[0])));
    assert.deepEqual(read, left);
    const [parked] = [...(await stream.cursor("one", "start")).open()];
    assert.match(text((await log.read(parked?.offset ?? -1))?.value ?? Buffer.alloc(0)), /^20 /);
    await log.close();
    log = await open();
    stream = await log.stream("a");
  }
  const again = await stream.cursor("one", "start");
  for (const { offset } of [...again.open()]) {
    again.resume(offset);
    again.finish(offset);
  }
  await clock.advance(5_000_000);
  await log.close();
  assert.ok(!(await numbers(await (await open()).stream("a"))).includes(20));
});

test("what is finished goes when it is old", async (t) => {
  const { clock, open } = world(t);
  const log = await open();
  const stream = await log.stream("a");
  for (let number = 0; number < 40; number++) await stream.append(record(number));
  await clock.advance(LIMITS.keepMs - 1_000_000);
  assert.deepEqual((await numbers(stream)).length, 40);
  await clock.advance(2_000_000);
  await log.close();
  const left = await numbers(await (await open()).stream("a"));
  assert.ok(left.length < 25 && left.at(-1) === 39, left.join(" "));
});

test("a stream that says so loses its oldest records instead, counted and told; others lose nothing", async (t) => {
  const { clock, told, open } = world(t);
  let log = await open();
  const strict = await log.stream("strict");
  const [kept] = [await strict.append(record(7))];
  const strictCursor = await strict.cursor("one", "start");
  for (const offset of await readAll(strict, strictCursor)) strictCursor.retry(offset, { attempt: 1, dueMs: 1e12 });
  const stream = await log.stream("loose", { atLimit: "dropOldest" });
  const cursor = await stream.cursor("one", "start");
  const [first] = [await stream.append(record(0))];
  for (const offset of await readAll(stream, cursor)) cursor.park(offset, 1);
  const taken: number[] = [0];
  assert.equal(await fill(stream, taken, 1), "never");
  const left = await numbers(stream);
  // The first segment holds a record of the other stream, and stays.
  const behind = left.filter((number) => number > 20);
  assert.deepEqual(behind, taken.slice(-behind.length));
  assert.equal(stream.dropped, taken.length - left.length);
  assert.ok(told.some((message) => message.includes("oldest events of a stream were dropped")));
  assert.match(text((await log.read(kept))?.value ?? Buffer.alloc(0)), /^7 /);
  assert.equal(cursor.parked, 1);
  assert.ok((await log.read(first)) !== undefined);
  const { dropped } = stream;
  await clock.advance(20);
  await log.close();
  log = await open();
  assert.equal((await log.stream("loose", { atLimit: "dropOldest" })).dropped, dropped);
  assert.deepEqual(await numbers(await log.stream("loose", { atLimit: "dropOldest" })), left);
});

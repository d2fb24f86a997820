// What the log does about octets that have changed on the disk: it tells, goes on with the rest, and throws nothing away.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { SeededRng, silentLogger, SimClock, type Logger } from "#core";
import { openLog, type Log, type Stream } from "#log";
import { SimDisk } from "./sim-disk.ts";

const signal = new AbortController().signal;

interface World {
  readonly disk: SimDisk;
  readonly told: string[];
  readonly open: () => Promise<Log>;
}

function world(t: TestContext): World {
  const disk = new SimDisk(new SeededRng(1));
  const told: string[] = [];
  const logger: Logger = { ...silentLogger, error: (message) => void told.push(message), with: () => logger };
  const open = async (): Promise<Log> => {
    const log = await openLog({ disk, clock: new SimClock(), logger, limits: { segmentBytes: 4_096, allocateBytes: 1_024, recentBytes: 0 } });
    t.after(() => log.close());
    return log;
  };
  return { disk, told, open };
}

async function fill(stream: Stream, count: number): Promise<number[]> {
  const offsets: number[] = [];
  for (let number = 0; number < count; number++) offsets.push(await stream.append({ value: Buffer.from(`${number} ${"x".repeat(400)}`) }));
  return offsets;
}

async function numbers(stream: Stream): Promise<number[]> {
  const reader = stream.reader("start");
  const read: number[] = [];
  for (let before = -1; reader.at > before;) {
    before = reader.at;
    read.push(...(await reader.poll()).map(({ value }) => Number(Buffer.from(value).toString().split(" ")[0])));
  }
  return read;
}

const newestOf = async (disk: SimDisk): Promise<string> =>
  (await disk.list())
    .filter((name) => name.endsWith(".log"))
    .sort()
    .at(-1) ?? "";
const asideOf = async (disk: SimDisk): Promise<string[]> => (await disk.list()).filter((name) => name.endsWith(".damaged"));

test("a damaged record of a sealed segment is told once, and what follows in other segments is read", async (t) => {
  const { disk, told, open } = world(t);
  const log = await open();
  const offsets = await fill(await log.stream("a"), 40);
  await log.close();
  disk.flip("0000000000000000.log", (offsets[3] ?? 0) + 100);
  const stream = await (await open()).stream("a");
  const read = await numbers(stream);
  assert.deepEqual([read.slice(0, 3), read.at(-1)], [[0, 1, 2], 39]);
  assert.ok(!read.includes(3));
  assert.deepEqual(await numbers(stream), read);
  const { found } = await stream.search({ limit: 100 }, signal);
  assert.equal(found.length, read.length);
  assert.equal(told.filter((message) => message.includes("is damaged")).length, 1);
});

test("a segment in order is told of by nobody", async (t) => {
  const { told, disk, open } = world(t);
  const log = await open();
  await fill(await log.stream("a"), 40);
  await log.close();
  assert.equal((await numbers(await (await open()).stream("a"))).length, 40);
  assert.deepEqual([told, await asideOf(disk)], [[], []]);
});

test("what lies behind a damaged record of the newest segment is kept aside, four times at most", async (t) => {
  const { disk, told, open } = world(t);
  for (let time = 0; time < 6; time++) {
    const log = await open();
    const offsets = await fill(await log.stream("a"), 12);
    await log.close();
    const newest = await newestOf(disk);
    const at = offsets.findLast((offset) => offset >= Number.parseInt(newest, 10) && offset !== offsets.at(-1)) ?? 0;
    disk.flip(newest, at - Number.parseInt(newest, 10) + 100);
    const again = await open();
    const read = await numbers(await again.stream("a"));
    assert.ok(read.length > 0);
    await again.close();
  }
  assert.equal(told.length, 6);
  assert.equal((await asideOf(disk)).length, 4);
});

test("a newest segment whose beginning is damaged is kept aside whole, and the one before it tells the state", async (t) => {
  const { disk, told, open } = world(t);
  const log = await open();
  await fill(await log.stream("a"), 40);
  await log.close();
  const newest = await newestOf(disk);
  disk.flip(newest, 60);
  const again = await open();
  const read = await numbers(await again.stream("a"));
  assert.deepEqual(
    read,
    Array.from({ length: read.length }, (_, index) => index),
  );
  assert.ok(read.length < 40);
  assert.equal(told.length, 1);
  const [aside] = await asideOf(disk);
  assert.equal(aside, newest.replace(".log", ".damaged"));
  const file = await disk.open(aside ?? "", { create: false, synced: false });
  const octets = Buffer.alloc(await file.size());
  await file.read(octets, 0);
  assert.match(octets.toString("latin1"), /39 xxx/);
});

test("what a newer version wrote is refused, and nothing is changed", async (t) => {
  const { disk, open } = world(t);
  const log = await open();
  await fill(await log.stream("a"), 3);
  await log.close();
  const octets = await contentOf(disk, "0000000000000000.log");
  const { encodeFrame, frameLength, NO_KEYS } = await import("../../src/log/frame.ts");
  const value = Buffer.from(JSON.stringify({ format: 2, before: [] }));
  const newer = Buffer.alloc(frameLength({ keys: NO_KEYS, value }));
  encodeFrame(newer, 0, { offset: 0, kind: 1, stream: 0, timeMs: 0, keys: NO_KEYS, value });
  const file = await disk.open("0000000000000000.log", { create: false, synced: true });
  await file.write([newer], 0);
  await assert.rejects(open(), { reason: "format", message: /format 2.*nothing was changed/ });
  const after = await contentOf(disk, "0000000000000000.log");
  assert.deepEqual(after, Buffer.concat([newer, octets.subarray(newer.length)]));
});

async function contentOf(disk: SimDisk, name: string): Promise<Buffer> {
  const file = await disk.open(name, { create: false, synced: false });
  const octets = Buffer.alloc(await file.size());
  await file.read(octets, 0);
  return octets;
}

// Records found by time and key, and notes by their record's place, over several segments of a simulated disk.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { SeededRng, silentLogger, SimClock } from "#core";
import { openLog, type Search, type Stream } from "#log";
import { SimDisk } from "./sim-disk.ts";

const signal = new AbortController().signal;
const LIMITS = { segmentBytes: 4_096, allocateBytes: 1_024, recentBytes: 1_024 };

/** A hundred events of two types, one a second, among those of another stream, over several segments. */
async function hundred(t: TestContext): Promise<{ disk: SimDisk; stream: Stream; reopen: () => Promise<Stream> }> {
  const disk = new SimDisk(new SeededRng(1));
  const clock = new SimClock();
  const open = async (): Promise<Stream> => {
    const log = await openLog({ disk, clock, logger: silentLogger, limits: LIMITS });
    t.after(() => log.close());
    return log.stream("a");
  };
  const log = await openLog({ disk, clock, logger: silentLogger, limits: LIMITS });
  const stream = await log.stream("a");
  const other = await log.stream("b");
  for (let number = 0; number < 100; number++) {
    const keys = [`type=${number % 10 === 0 ? "rare" : "common"}`, `id=${number}`];
    await stream.append({ value: Buffer.from(`${number} ${"x".repeat(150)}`), keys, timeMs: number * 1_000 });
    await other.append({ value: Buffer.from("other"), keys: ["type=rare", `id=${number}`], timeMs: number * 1_000 });
  }
  t.after(() => log.close());
  return {
    disk,
    stream,
    async reopen() {
      await log.close();
      return open();
    },
  };
}

/** Numbers of all that is found, page after page. */
async function numbers(stream: Stream, query: Omit<Search, "limit">, limit = 7): Promise<number[]> {
  const found: number[] = [];
  for (let at = query.at; ;) {
    const page = await stream.search({ ...query, limit, ...(at === undefined ? {} : { at }) }, signal);
    assert.ok(page.found.length <= limit);
    found.push(...page.found.map(({ value }) => Number(Buffer.from(value).toString().split(" ")[0])));
    if (page.next === undefined) return found;
    at = page.next;
  }
}

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

const table: { readonly name: string; readonly query: Omit<Search, "limit">; readonly want: readonly number[] }[] = [
  { name: "everything, oldest first", query: {}, want: upTo(0, 100) },
  { name: "everything, newest first", query: { first: "newest" }, want: upTo(0, 100).toReversed() },
  { name: "a range of time", query: { fromMs: 20_000, beforeMs: 45_000 }, want: upTo(20, 45) },
  { name: "a range of time, newest first", query: { fromMs: 20_000, beforeMs: 45_000, first: "newest" }, want: upTo(20, 45).toReversed() },
  { name: "one key", query: { keys: ["type=rare"] }, want: [0, 10, 20, 30, 40, 50, 60, 70, 80, 90] },
  { name: "two keys", query: { keys: ["type=rare", "id=70"] }, want: [70] },
  { name: "two keys that no record has both", query: { keys: ["type=rare", "id=71"] }, want: [] },
  { name: "one key in a range of time, newest first", query: { keys: ["type=rare"], fromMs: 15_000, first: "newest" }, want: [90, 80, 70, 60, 50, 40, 30, 20] },
];

for (const { name, query, want } of table) {
  test(`search: ${name}`, async (t) => {
    const { stream, reopen } = await hundred(t);
    assert.deepEqual(await numbers(stream, query), want);
    assert.deepEqual(await numbers(stream, query, 1_000), want);
    assert.deepEqual(await numbers(await reopen(), query), want);
  });
}

test("a search reads only segments that may hold what is looked for, and makes missing summaries again", async (t) => {
  const { disk, reopen } = await hundred(t);
  const stream = await reopen();
  const summaries = (await disk.list()).filter((name) => name.endsWith(".sum"));
  assert.ok(summaries.length > 5);
  const cost = async (query: Search): Promise<number> => {
    const before = disk.operations;
    await stream.search(query, signal);
    return disk.operations - before;
  };
  await numbers(stream, {});
  const [one, all] = [await cost({ keys: ["id=55"], limit: 10 }), await cost({ limit: 1_000 })];
  assert.ok(one < all / 3, `${one} operations for one record, ${all} for all`);

  await disk.remove(summaries[1] ?? "");
  disk.flip(summaries[2] ?? "", 70);
  const again = await reopen();
  assert.deepEqual(await numbers(again, { keys: ["type=rare"] }), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  assert.ok((await disk.list()).includes(summaries[1] ?? ""));
});

test("notes are found by their record's offset, wherever they lie, after a start, too", async (t) => {
  const { stream, reopen } = await hundred(t);
  const [fifth, last] = [
    (await stream.search({ keys: ["id=5"], limit: 1 }, signal)).found[0],
    (await stream.search({ first: "newest", limit: 1 }, signal)).found[0],
  ];
  assert.ok(fifth !== undefined && last !== undefined);
  for (let attempt = 1; attempt <= 60; attempt++) {
    stream.note(fifth.offset, Buffer.from(`attempt ${attempt}`));
    stream.note(last.offset, Buffer.from(`other ${attempt}`));
    if (attempt % 20 === 0) await stream.append({ value: Buffer.alloc(2_000) });
  }
  await stream.append({ value: Buffer.from("end") });
  const texts = async (of: Stream): Promise<string[]> => {
    const first = await of.notes(fifth.offset, { limit: 50 }, signal);
    const rest = await of.notes(fifth.offset, { limit: 50, at: first.next ?? -1 }, signal);
    assert.equal(rest.next, undefined);
    return [...first.found, ...rest.found].map(({ value }) => Buffer.from(value).toString());
  };
  const want = Array.from({ length: 60 }, (_, index) => `attempt ${index + 1}`);
  assert.deepEqual(await texts(stream), want);
  const again = await reopen();
  assert.deepEqual(await texts(again), want);
  assert.deepEqual((await again.notes(fifth.end, { limit: 5 }, signal)).found, []);
  assert.equal(again.notesLost, 0);
});

test("a note alone gets to the disk by itself, and one that the log does not take is counted", async (t) => {
  const clock = new SimClock();
  const disk = new SimDisk(new SeededRng(1));
  const log = await openLog({ disk, clock, logger: silentLogger, limits: { ...LIMITS, pendingBytesMax: 2_000 } });
  t.after(() => log.close());
  const stream = await log.stream("a");
  const offset = await stream.append({ value: Buffer.from("x") });
  stream.note(offset, Buffer.from("seen"));
  assert.deepEqual((await stream.notes(offset, { limit: 1 }, signal)).found, []);
  await clock.advance(20);
  await log.sync();
  assert.deepEqual(
    (await stream.notes(offset, { limit: 1 }, signal)).found.map(({ value }) => Buffer.from(value).toString()),
    ["seen"],
  );
  for (let index = 0; index < 30; index++) stream.note(offset, Buffer.alloc(100));
  assert.ok(stream.notesLost > 10 && stream.notesLost < 30);
});

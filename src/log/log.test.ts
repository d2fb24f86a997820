import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger, SimClock } from "#core";
import { openLog, type Log, type LogOptions } from "./log.ts";
import { NodeDisk } from "./node-disk.ts";

const forever = new AbortController().signal;
const text = (value: Uint8Array): string => Buffer.from(value).toString();
const record = (value: string, ...keys: string[]): { value: Buffer; keys: string[] } => ({ value: Buffer.from(value), keys });

/** Opens the log of one folder of the real disk, again and again. */
async function folder(t: TestContext, limits?: LogOptions["limits"]): Promise<{ path: string; open: () => Promise<Log> }> {
  const path = await mkdtemp(join(tmpdir(), "eider-log-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  const clock = new SimClock();
  return {
    path,
    open: () => openLog({ disk: new NodeDisk(join(path, "log")), clock, logger: silentLogger, ...(limits === undefined ? {} : { limits }) }),
  };
}

test("records are read in order, by their offsets, and again after the next start", async (t) => {
  const { open } = await folder(t);
  const log = await open();
  const broker = await log.stream("broker/a");
  const other = await log.stream("broker/b");
  const [first, , third] = await Promise.all([broker.append(record("one", "type=x")), other.append(record("foreign")), broker.append(record("two"))]);
  const reader = broker.reader("start");
  assert.deepEqual(
    (await reader.next(forever)).map(({ offset, value, keys }) => [offset, text(value), keys]),
    [
      [first, "one", ["type=x"]],
      [third, "two", []],
    ],
  );
  const next = reader.next(forever);
  const fourth = await broker.append(record("three"));
  assert.deepEqual(
    (await next).map(({ offset }) => offset),
    [fourth],
  );
  await log.close();

  const again = await open();
  assert.deepEqual(again.streams, ["broker/a", "broker/b"]);
  const later = await (await again.stream("broker/a")).reader("start").next(forever);
  assert.deepEqual(
    later.map(({ offset, value }) => [offset, text(value)]),
    [
      [first, "one"],
      [third, "two"],
      [fourth, "three"],
    ],
  );
  assert.equal((await again.read(third ?? -1))?.stream, "broker/a");
  assert.equal(await again.read((third ?? -1) + 1), undefined);
  await again.close();
});

test("a cursor remembers what is finished, what waits for its next attempt and what is parked", async (t) => {
  const { open } = await folder(t);
  const log = await open();
  const broker = await log.stream("broker/a");
  const cursor = await broker.cursor("trigger/1", "start");
  await broker.appendAll(["a", "b", "c", "d", "e"].map((value) => record(value)));
  const records = await broker.reader(cursor.next).next(forever);
  for (const { offset, end } of records) {
    cursor.take(offset);
    cursor.pass(end);
  }
  const [a, b, c, d, e] = records.map(({ offset }) => offset) as [number, number, number, number, number];
  cursor.finish(a);
  cursor.finish(c);
  cursor.retry(b, { attempt: 2, dueMs: 500 });
  cursor.park(d, 7);
  assert.equal(cursor.low, b);
  await log.close();

  const again = await open();
  const found = await (await again.stream("broker/a")).cursor("trigger/1", "end");
  assert.equal(found.next, records.at(-1)?.end);
  assert.deepEqual([found.retrying, found.parked, found.inFlight], [2, 1, 0]);
  assert.deepEqual(found.takeDue(499, 10), [{ offset: e, attempt: 0 }]);
  assert.deepEqual(found.takeDue(500, 10), [{ offset: b, attempt: 2 }]);
  assert.deepEqual(found.takeDue(Infinity - 1, 10), []);
  assert.deepEqual(found.resume(d), { offset: d, attempt: 7 });
  await again.close();
});

test("segments follow one another, each begins with all that is known", async (t) => {
  const { path, open } = await folder(t, { segmentBytes: 4096, recentBytes: 1024 });
  const log = await open();
  const broker = await log.stream("broker/a");
  const values = Array.from({ length: 100 }, (_, index) => `${index} ${"x".repeat(200)}`);
  for (const value of values) await broker.append(record(value));
  await log.close();
  const again = await open();
  assert.ok((await new NodeDisk(join(path, "log")).list()).length > 5);
  const reader = (await again.stream("broker/a")).reader("start");
  const read: string[] = [];
  while (read.length < values.length) read.push(...(await reader.next(forever)).map(({ value }) => text(value)));
  assert.deepEqual(read, values);
  await again.close();
});

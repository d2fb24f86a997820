import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { isReason, silentLogger, SimClock } from "#core";
import type { ControlToStore, StoreToControl } from "#protocol";
import type { StoreEvent } from "../port.ts";
import { storeContract } from "../contract.test-suite.ts";
import { StoreFileError } from "./database.ts";
import { openSqliteStore, type SqliteStore } from "./store.ts";
import { serveWriter } from "./writer.ts";

const root = mkdtempSync(join(tmpdir(), "eider-store-"));
after(() => rmSync(root, { recursive: true }));
let folders = 0;
const freshPath = (): string => join(root, `store-${folders++}.db`);

interface Opened {
  readonly store: SqliteStore;
  /** Messages to the writer wait while held. */
  hold(): void;
  release(): void;
  readonly failures: Error[];
}

/** A writer in this thread behind a channel that delivers asynchronously, as a worker's does. */
async function open(path: string, options: { windowBytesMax?: number; clock?: SimClock } = {}): Promise<Opened> {
  const toControl: ((m: StoreToControl) => void)[] = [];
  const toWriter: ((m: ControlToStore) => void)[] = [];
  const held: ControlToStore[] = [];
  const failures: Error[] = [];
  let holding = false;
  const deliver = (message: ControlToStore): void => {
    setImmediate(() => toWriter.forEach((listener) => listener(message)));
  };
  const opening = openSqliteStore({
    path,
    clock: options.clock ?? new SimClock(),
    logger: silentLogger,
    restamp: (value, revision) => `${revision} ${value}`,
    onFailure: (error) => failures.push(error),
    channel: { postMessage: (m) => void (holding ? held.push(m) : deliver(m)), on: (_, listener) => toControl.push(listener) },
    ...(options.windowBytesMax === undefined ? {} : { windowBytesMax: options.windowBytesMax }),
  });
  serveWriter(
    {
      postMessage: (m) => setImmediate(() => toControl.forEach((listener) => listener(m))),
      on: (_, listener) => toWriter.push(listener),
      close: () => undefined,
    },
    path,
  );
  return {
    store: await opening,
    failures,
    hold: () => void (holding = true),
    release: () => {
      holding = false;
      held.splice(0).forEach(deliver);
    },
  };
}

storeContract("sqlite", async (options) => (await open(freshPath(), options)).store);

test("sqlite: a durable write is answered only once it is on disk, a rebuildable one at once", async () => {
  const { store, hold, release } = await open(freshPath());
  hold();
  const quick = await store.put({ key: "/r", encode: () => "{}", expect: "any", durability: "rebuildable" });
  assert.equal(quick.ok, true);
  let answered = false;
  const durable = store.put({ key: "/d", encode: () => "{}", expect: "any", durability: "durable" }).then(() => (answered = true));
  const seen: string[] = [];
  store.watch({ prefix: "/", after: 0 + store.revision - 2, visibility: "durable", onEvents: (events) => seen.push(...events.map((e) => e.key)) });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([answered, seen], [false, []]);
  release();
  await durable;
  assert.deepEqual(seen, ["/r", "/d"]);
  await store.close();
});

test("sqlite: after a crash acknowledged writes are there, and revisions leap past everything that was seen", async () => {
  const path = freshPath();
  const { store, hold } = await open(path);
  await store.put({ key: "/kept", encode: () => "kept", expect: "any", durability: "durable" });
  hold();
  await store.put({ key: "/lost", encode: () => "lost", expect: "any", durability: "rebuildable" });
  await new Promise((resolve) => setImmediate(resolve));
  const copy = freshPath();
  cpSync(path, copy);
  cpSync(`${path}-wal`, `${copy}-wal`);
  const again = (await open(copy)).store;
  assert.ok(again.revision > store.revision);
  assert.deepEqual(
    (await again.list({ prefix: "/" })).entries.map((e) => e.key),
    ["/kept"],
  );
  assert.throws(
    () => again.snapshot({ prefix: "/", at: store.revision }),
    (e) => isReason(e, "Expired"),
    "pages of a list from before cannot go on",
  );
  assert.throws(
    () => again.watch({ prefix: "/", after: store.revision, visibility: "durable", onEvents: () => undefined }),
    (e) => isReason(e, "Expired"),
  );
  await again.close();
});

test("sqlite: a newer format, a damaged file and a foreign database are refused and left as they are", async () => {
  const newer = freshPath();
  await (await open(newer)).store.close();
  const db = new DatabaseSync(newer);
  db.exec("UPDATE meta SET value = 99 WHERE name = 'format'");
  db.close();
  await assert.rejects(open(newer), (e) => e instanceof StoreFileError && /format 99/.test(e.message));
  const damaged = freshPath();
  writeFileSync(damaged, "this is not a database, but it is long enough to be taken for one".repeat(200));
  await assert.rejects(open(damaged), StoreFileError);
  assert.equal(statSync(damaged).size, 65 * 200);
});

test("sqlite: a disk that refuses a batch ends the store: waiting and later writes fail, the owner is told", async () => {
  const path = freshPath();
  const { store, failures } = await open(path);
  await store.put({ key: "/a", encode: () => "{}", expect: "any", durability: "durable" });
  const other = new DatabaseSync(path);
  other.exec("CREATE TRIGGER full BEFORE INSERT ON objects BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END");
  other.close();
  await assert.rejects(store.put({ key: "/b", encode: () => "{}", expect: "any", durability: "durable" }));
  assert.equal(failures.length, 1);
  await assert.rejects(store.put({ key: "/c", encode: () => "{}", expect: "any", durability: "durable" }), (e) => isReason(e, "ServiceUnavailable"));
});

test("sqlite: expired entries are deleted and the file shrinks again", async () => {
  const path = freshPath();
  const clock = new SimClock();
  const { store } = await open(path, { clock });
  for (let i = 0; i < 400; i++) {
    void store.put({ key: `/e/${i}`, encode: () => "x".repeat(4_000), expect: "any", durability: "rebuildable", ttlMs: 1_000 });
  }
  await store.put({ key: "/stays", encode: () => "{}", expect: "any", durability: "durable" });
  const gone: StoreEvent[] = [];
  store.watch({ prefix: "/e/", after: store.revision, visibility: "durable", onEvents: (events) => gone.push(...events) });
  const stop = new AbortController();
  const running = store.run(stop.signal);
  await clock.advance(60_000);
  stop.abort();
  await running;
  assert.equal(await store.count("/"), 1);
  assert.equal(gone.length, 400);
  assert.ok(
    gone.every((event) => event.type === "delete" && event.value.startsWith(`${event.revision} `)),
    "each deletion carries its own revision",
  );
  await store.close();
  assert.ok(statSync(path).size < 400 * 4_000 * 0.2, `the file still has ${statSync(path).size} bytes`);
});

test("sqlite: all that has expired goes in one round, and a round that finds the store busy is made up for", async () => {
  const clock = new SimClock();
  const { store, hold, release } = await open(freshPath(), { clock });
  const put = (key: string, ttlMs?: number): void =>
    void store.put({ key, encode: () => "{}", expect: "any", durability: "rebuildable", ...(ttlMs === undefined ? {} : { ttlMs }) });
  for (let i = 0; i < 1_200; i++) put(`/e/${i}`, 1_000);
  await store.put({ key: "/stays", encode: () => "{}", expect: "any", durability: "durable" });
  hold();
  for (let i = 0; i < 10_000; i++) put(`/busy/${i}`);
  const stop = new AbortController();
  const running = store.run(stop.signal);
  await clock.advance(60_000);
  assert.equal(await store.count("/e/"), 1_200, "no room for deletions");
  release();
  const written = async (): Promise<void> => {
    do await new Promise((resolve) => setImmediate(resolve));
    while (store.durableRevision < store.revision);
  };
  await written();
  await clock.advance(60_000);
  for (let page = 0; page < 3; page++) await written();
  assert.equal(await store.count("/e/"), 0);
  stop.abort();
  await running;
  await store.close();
});

test("sqlite: writes that wait for the disk are limited, also those of one key", async () => {
  const { store, hold, release } = await open(freshPath());
  hold();
  const write = () => store.put({ key: "a", expect: "any", durability: "rebuildable", encode: () => "{}" });
  for (let count = 0; count < 10_000; count++) await write();
  await assert.rejects(write(), (error) => isReason(error, "TooManyRequests"));
  release();
  await store.close();
});

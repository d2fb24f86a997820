// Power cuts of the store, made from its files: what had reached the disk at a commit, and what a torn write leaves.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { below, silentLogger, type Rng } from "#core";
import { systemClock } from "#host";
import type { ControlToStore, StoreToControl } from "#protocol";
import { openSqliteStore, serveWriter, type SqliteStore } from "#store";
import { lostWrites, type RecordedWrite } from "./kill-facts.ts";

const SECTOR = 512;
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/** The files as they were when a commit had returned, and what was known then. */
export interface Cut {
  readonly db: Buffer;
  readonly wal: Buffer;
  /** What the rows of all commits so far add up to. */
  readonly state: ReadonlyMap<string, string>;
  /** All that had been sent, with what had been acknowledged. */
  readonly writes: readonly RecordedWrite[];
  /** Highest revision that anybody had been shown. */
  readonly revision: number;
}

/** Three commits in a row. */
export interface Neighbours {
  readonly before: Cut;
  readonly now: Cut;
  readonly next: Cut;
}

/** One picture of the disk after a power cut: the files, and the states that it may show. */
export interface Picture {
  readonly name: string;
  readonly db: Buffer;
  readonly wal: Buffer;
  readonly states: readonly ReadonlyMap<string, string>[];
  /** What was acknowledged by then has to be there; all else may be. */
  readonly writes: readonly RecordedWrite[];
  /** As of the cut. */
  readonly revision: number;
}

/** Where the frames of the log end that belong to its present header (format: sqlite.org/fileformat2.html#walformat). */
export function walEnd(wal: Buffer): number {
  if (wal.length < WAL_HEADER_BYTES) return 0;
  const frameBytes = FRAME_HEADER_BYTES + wal.readUInt32BE(8);
  const salts = wal.subarray(16, 24);
  let end = WAL_HEADER_BYTES;
  while (end + frameBytes <= wal.length && wal.subarray(end + 8, end + 16).equals(salts)) end += frameBytes;
  return end;
}

const sameHeader = (a: Buffer, b: Buffer): boolean => a.subarray(0, WAL_HEADER_BYTES).equals(b.subarray(0, WAL_HEADER_BYTES));

/** Bytes `from` on are those of `later` up to a random byte; behind it, nothing was written. */
function cutOff(earlier: Buffer, later: Buffer, { from, rng }: { readonly from: number; readonly rng: Rng }): Buffer {
  const at = from + below(rng, Math.max(1, later.length - from));
  return Buffer.concat([later.subarray(0, at), earlier.subarray(at)]);
}

/** Each unsynced sector is written, not written or garbage: a disk keeps no order between syncs. */
function shuffled(earlier: Buffer, later: Buffer, { from, rng }: { readonly from: number; readonly rng: Rng }): Buffer {
  const mixed = Buffer.alloc(Math.max(earlier.length, later.length));
  later.copy(mixed);
  for (let at = from; at < mixed.length; at = at - (at % SECTOR) + SECTOR) {
    const end = Math.min(at - (at % SECTOR) + SECTOR, mixed.length);
    const kind = below(rng, 8);
    if (kind < 4) {
      mixed.fill(0, at, end);
      if (at < earlier.length) earlier.copy(mixed, at, at, Math.min(end, earlier.length));
    } else if (kind === 4) for (let byte = at; byte < end; byte++) mixed[byte] = below(rng, 256);
  }
  return mixed;
}

/** The file was brought up to date, or the log started anew. */
export function isCheckpoint({ before, now, next }: Neighbours): boolean {
  return !before.db.equals(now.db) || !sameHeader(now.wal, next.wal);
}

/** What the disk may hold after a power cut at commit `now`, on its way to commit `next`. */
export function picturesOf({ before, now, next }: Neighbours, rng: Rng): Picture[] {
  const earlier = { states: [now.state], writes: now.writes, revision: now.revision };
  // The next commit may also hold what was sent since; none of that was acknowledged.
  const sent = next.writes.slice(now.writes.length).map((write) => ({ ...write, outcome: "unknown" as const }));
  const either = { states: [now.state, next.state], writes: [...now.writes, ...sent], revision: now.revision };
  // A log that starts anew: its header is synced before the first frame is written.
  const from = sameHeader(now.wal, next.wal) ? walEnd(now.wal) : WAL_HEADER_BYTES;
  const pictures: Picture[] = [
    { name: "right after the sync", db: now.db, wal: now.wal, ...earlier },
    { name: "the log cut at a random byte", db: now.db, wal: cutOff(now.wal, next.wal, { from, rng }), ...either },
    { name: "the log's new sectors in any order", db: now.db, wal: shuffled(now.wal, next.wal, { from, rng }), ...either },
  ];
  // A checkpoint was under way: the log is whole, the pages of the file are old or new.
  if (!before.db.equals(now.db)) {
    pictures.push({ name: "amid a checkpoint", db: pagesOf(before.db, now.db, rng), wal: now.wal, ...earlier });
  }
  return pictures;
}

function pagesOf(earlier: Buffer, later: Buffer, rng: Rng): Buffer {
  const mixed = Buffer.alloc(later.length);
  for (let at = 0; at < later.length; at += SECTOR) {
    const source = at + SECTOR <= earlier.length && below(rng, 2) === 0 ? earlier : later;
    source.copy(mixed, at, at, at + SECTOR);
  }
  return mixed;
}

/** Opens the picture as the platform would and tells what is wrong with it. */
export async function openPicture(picture: Picture, dir: string): Promise<string[]> {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, "store.db");
  writeFileSync(path, picture.db);
  writeFileSync(`${path}-wal`, picture.wal);
  const complaints = await complaintsOf(picture, path).catch((error: unknown) => [`it cannot be used: ${String(error)}`]);
  return complaints.map((text) => `${picture.name}: ${text}`);
}

async function complaintsOf({ writes, states, revision }: Picture, path: string): Promise<string[]> {
  const store = await openStore(path);
  const { entries } = await store.list({ prefix: "/" });
  const found = new Map(entries.map(({ key, value }) => [key, value.replace(/x*$/, "")]));
  const complaints = lostWrites(writes, found);
  if (!states.some((state) => sameMap(state, found))) complaints.push("it shows a part of a commit");
  if (store.revision <= revision) complaints.push(`revision fell from ${revision} to ${store.revision}`);
  const written = await store.put({ key: "/after", encode: () => "1", expect: "absent", durability: "durable" });
  if (!written.ok) complaints.push("it takes no writes");
  await store.close();
  return complaints;
}

const sameMap = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);

export type Hook = (message: StoreToControl, send: (message: StoreToControl) => void) => void;
/** Sees each request; `pass` hands it on to the writer, `send` answers in the writer's place. */
export type Commit = (
  message: ControlToStore,
  to: { readonly pass: (message: ControlToStore) => void; readonly send: (message: StoreToControl) => void },
) => void;

/** The store with its writer in this thread. `beforeAnswer` runs after each commit, before its acknowledgement is on its way. */
export async function openStore(path: string, hooks: { readonly beforeAnswer?: Hook; readonly onRequest?: Commit } = {}): Promise<SqliteStore> {
  const toControl: ((message: StoreToControl) => void)[] = [];
  const toWriter: ((message: ControlToStore) => void)[] = [];
  const send = (message: StoreToControl): void => void setImmediate(() => toControl.forEach((listener) => listener(message)));
  const pass = (message: ControlToStore): void => void setImmediate(() => toWriter.forEach((listener) => listener(message)));
  const { beforeAnswer, onRequest } = hooks;
  serveWriter(
    {
      postMessage: (message) => (beforeAnswer === undefined ? send(message) : beforeAnswer(message, send)),
      on: (_event, listener) => toWriter.push(listener),
      close: () => undefined,
    },
    path,
  );
  return openSqliteStore({
    path,
    channel: {
      postMessage: (message) => (onRequest === undefined ? pass(message) : onRequest(message, { pass, send })),
      on: (_event, listener) => toControl.push(listener),
    },
    clock: systemClock,
    logger: silentLogger,
    restamp: (value) => value,
    onFailure: () => undefined,
  });
}

/** The files of a store as they are now. */
export function filesOf(path: string): Pick<Cut, "db" | "wal"> {
  const wal = `${path}-wal`;
  return { db: readFileSync(path), wal: existsSync(wal) ? readFileSync(wal) : Buffer.alloc(0) };
}

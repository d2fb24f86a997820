// The store on disk, control side: revisions are assigned here, batches go to the store thread, reads come from the file.
import { StatusError, type Clock, type Logger } from "#core";
import type { ControlToStore, StoreRow, StoreToControl } from "#protocol";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { holds, prefixEnd } from "../expectation.ts";
import type { Entry, Listed, ListOptions, Removal, Restamp, Snapshot, SnapshotOptions, Store, WatchOptions, Write, Written } from "../port.ts";
import { listFrom, RangeSnapshot, withChanges, type KeyRange, type NewestState, type Piece } from "../snapshot.ts";
import { WatchWindow } from "../window.ts";
import { openForReading, StoreFileError } from "./database.ts";

/** Writes that may wait for the disk; above it, writers are told to come back. */
const PENDING_WRITES_MAX = 10_000;
/** After a start revisions go on this far above the last one on disk: more than can have been handed out unwritten. */
const REVISION_LEAP = 4 * PENDING_WRITES_MAX;
const MAINTENANCE_MS = 60_000;
/** Expired entries that are deleted at a time. */
const EXPIRE_PAGE = 500;
/** A piece of a range ends after so many characters or rows: what one turn of the loop reads in about a millisecond. */
const PIECE_LENGTH_MAX = 256 << 10;
const PIECE_ROWS_MAX = 1_000;

/** The control thread's end of the message channel. */
export interface StoreChannel {
  postMessage(message: ControlToStore): void;
  on(event: "message", listener: (message: StoreToControl) => void): unknown;
}

interface Options {
  readonly path: string;
  readonly channel: StoreChannel;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly windowBytesMax?: number;
  readonly restamp: Restamp;
  /** The disk refused a batch: what is in memory can no longer be kept, the process must end. */
  readonly onFailure: (error: Error) => void;
}

interface Pending {
  readonly value: string | undefined;
  readonly revision: number;
}

/** Waits for the store thread to open the file; rejects with StoreFileError when it refuses. */
export async function openSqliteStore(options: Options): Promise<SqliteStore> {
  const revision = await new Promise<number>((resolve, reject) => {
    options.channel.on("message", (message) => {
      if (message.type === "opened") resolve(message.revision);
      if (message.type === "refused") reject(new StoreFileError(message.error));
    });
  });
  return new SqliteStore(options, revision);
}

export class SqliteStore implements Store {
  readonly #options: Options;
  readonly #window: WatchWindow;
  readonly #reader: DatabaseSync;
  readonly #one: StatementSync;
  readonly #range: StatementSync;
  readonly #counted: StatementSync;
  readonly #due: StatementSync;
  readonly #newest: NewestState = { piece: (range, limit) => this.#piece(range, limit), count: (range) => this.#count(range) };
  /** What is not known to be on disk yet, newest state of each key. */
  readonly #pending = new Map<string, Pending>();
  /** Rows for the next batch. */
  #rows: StoreRow[] = [];
  #inFlight: { readonly batch: number; readonly rows: readonly StoreRow[] } | undefined;
  #flushScheduled = false;
  #waiters: { readonly revision: number; readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  #batch = 0;
  #revision: number;
  #durable: number;
  #failure: Error | undefined;
  #onClosed: (() => void) | undefined;

  constructor(options: Options, lastRevision: number) {
    this.#options = options;
    this.#revision = lastRevision + REVISION_LEAP;
    this.#durable = this.#revision;
    this.#window = new WatchWindow(options.windowBytesMax ?? 8 << 20, this.#revision);
    this.#reader = openForReading(options.path);
    this.#one = this.#reader.prepare("SELECT key, value, revision FROM objects WHERE key = ?");
    this.#range = this.#reader.prepare("SELECT key, value, revision FROM objects WHERE key >= ? AND key < ? AND key <> ? ORDER BY key LIMIT ?");
    this.#counted = this.#reader.prepare("SELECT count(*) AS n FROM objects WHERE key >= ? AND key < ? AND key <> ?");
    this.#due = this.#reader.prepare(`SELECT key, value, revision FROM objects WHERE expires_at_ms <= ? LIMIT ${EXPIRE_PAGE}`);
    options.channel.on("message", (message) => this.#receive(message));
  }

  get revision(): number {
    return this.#revision;
  }

  get durableRevision(): number {
    return this.#durable;
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.#read(key);
  }

  async list(options: ListOptions): Promise<Listed> {
    return listFrom(this.snapshot(options), options);
  }

  snapshot(options: SnapshotOptions): Snapshot {
    return new RangeSnapshot(this.#newest, this.#window, { ...options, at: options.at ?? this.#revision });
  }

  async count(prefix: string): Promise<number> {
    return this.#count({ from: prefix, after: "", end: prefixEnd(prefix) });
  }

  async put(write: Write): Promise<Written> {
    const current = this.#admit(write);
    if (!holds(write.expect, current)) return { ok: false, current };
    const revision = ++this.#revision;
    const value = write.encode(revision);
    const expiresAtMs = write.ttlMs === undefined ? undefined : this.#options.clock.wallMs() + write.ttlMs;
    this.#append({ key: write.key, revision, value, expiresAtMs });
    this.#window.append({ type: "put", key: write.key, revision, value, previous: current?.value, previousRevision: current?.revision });
    if (write.durability === "durable") await this.#onDisk(revision);
    return { ok: true, revision, value };
  }

  async delete(removal: Removal): Promise<Written> {
    const current = this.#admit(removal);
    if (current === undefined || !holds(removal.expect, current)) return { ok: false, current };
    const revision = ++this.#revision;
    const value = removal.encode(revision);
    this.#append({ key: removal.key, revision, value: undefined, expiresAtMs: undefined });
    this.#window.append({ type: "delete", key: removal.key, revision, value, previous: current.value, previousRevision: current.revision });
    if (removal.durability === "durable") await this.#onDisk(revision);
    return { ok: true, revision, value };
  }

  watch(options: WatchOptions): () => void {
    return this.#window.watch(options);
  }

  /** Expires what has outlived its time and gives free pages back to the file system, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(MAINTENANCE_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        if (await this.#expireAll()) this.#options.channel.postMessage({ type: "compact" });
      } catch (error) {
        this.#options.logger.warn("expired objects stay for another round", { err: error });
      }
    }
  }

  /** True when anything had expired. */
  async #expireAll(): Promise<boolean> {
    let count = await this.expire();
    const any = count > 0;
    while (count === EXPIRE_PAGE) count = await this.expire();
    return any;
  }

  /** Deletes a page of expired entries; returns how many went. Those that somebody changes at the same time wait for another round. */
  async expire(): Promise<number> {
    const due = this.#due.all(this.#options.clock.wallMs()) as unknown as Entry[];
    const { restamp } = this.#options;
    const deletions = await Promise.all(
      due.map(({ key, revision, value }) => this.delete({ key, expect: revision, durability: "durable", encode: (next) => restamp(value, next) })),
    );
    return deletions.filter(({ ok }) => ok).length;
  }

  async close(): Promise<void> {
    if (this.#failure === undefined && this.#durable < this.#revision) await this.#onDisk(this.#revision);
    await new Promise<void>((resolve) => {
      this.#onClosed = resolve;
      this.#options.channel.postMessage({ type: "close" });
    });
    this.#reader.close();
  }

  #read(key: string): Entry | undefined {
    const pending = this.#pending.get(key);
    if (pending === undefined) return this.#one.get(key) as unknown as Entry | undefined;
    return pending.value === undefined ? undefined : { key, value: pending.value, revision: pending.revision };
  }

  /** What the key holds now, if the store takes writes at all. */
  #admit(write: Removal): Entry | undefined {
    if (this.#failure !== undefined) throw new StatusError("ServiceUnavailable", this.#failure.message, { cause: this.#failure });
    if (this.#rows.length + (this.#inFlight?.rows.length ?? 0) >= PENDING_WRITES_MAX) {
      throw new StatusError("TooManyRequests", "too many writes wait for the disk", { details: { retryAfterSeconds: 1 } });
    }
    return this.#read(write.key);
  }

  #piece(range: KeyRange, limit: number): Piece {
    const rows: Entry[] = [];
    const rowsMax = Math.min(limit, PIECE_ROWS_MAX);
    let length = 0;
    let complete = true;
    for (const row of this.#range.iterate(range.from, range.end, range.after, rowsMax + 1) as Iterable<unknown> as Iterable<Entry>) {
      complete = rows.length < rowsMax && length < PIECE_LENGTH_MAX;
      if (!complete) break;
      rows.push(row);
      length += row.value.length;
    }
    const upTo = complete ? undefined : rows.at(-1)?.key;
    return { entries: withChanges(rows, this.#changed(range, upTo)), upTo };
  }

  /** What is not known to be on disk yet, of the keys of a range up to `upTo` (undefined: all). */
  #changed(range: KeyRange, upTo?: string): ReadonlyMap<string, Entry | undefined> {
    const changed = new Map<string, Entry | undefined>();
    for (const key of this.#pending.keys()) {
      if (key >= range.from && key < range.end && key !== range.after && (upTo === undefined || key <= upTo)) changed.set(key, this.#read(key));
    }
    return changed;
  }

  #count(range: KeyRange): number {
    // In one transaction: the store thread may commit between two statements.
    this.#reader.exec("BEGIN");
    let count = Number(this.#counted.get(range.from, range.end, range.after)?.["n"] ?? 0);
    for (const [key, entry] of this.#changed(range)) count += Number(entry !== undefined) - Number(this.#one.get(key) !== undefined);
    this.#reader.exec("COMMIT");
    return count;
  }

  #append(row: StoreRow): void {
    this.#pending.set(row.key, { value: row.value, revision: row.revision });
    this.#rows.push(row);
    if (this.#inFlight !== undefined || this.#flushScheduled) return;
    this.#flushScheduled = true;
    // All writes of this turn of the loop share one transaction.
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (this.#rows.length === 0 || this.#inFlight !== undefined) return;
    const rows = this.#rows;
    this.#rows = [];
    this.#inFlight = { batch: ++this.#batch, rows };
    this.#options.channel.postMessage({ type: "commit", batch: this.#batch, rows });
  }

  #receive(message: StoreToControl): void {
    if (message.type === "committed") this.#committed();
    else if (message.type === "closed") this.#onClosed?.();
    else if (message.type === "failed") this.#fail(new Error(message.error));
  }

  #committed(): void {
    const batch = this.#inFlight;
    this.#inFlight = undefined;
    if (batch === undefined) return;
    for (const row of batch.rows) {
      if (this.#pending.get(row.key)?.revision === row.revision) this.#pending.delete(row.key);
    }
    this.#durable = batch.rows[batch.rows.length - 1]?.revision ?? this.#durable;
    this.#flush();
    const done = this.#waiters.filter((waiter) => waiter.revision <= this.#durable);
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#durable);
    for (const waiter of done) waiter.resolve();
    this.#window.advance(this.#durable);
  }

  #onDisk(revision: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ revision, resolve, reject }));
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#options.logger.error("the store failed", { err: error });
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters = [];
    this.#options.onFailure(error);
  }
}

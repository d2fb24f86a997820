// The log of a data folder: streams of records of any meaning, their subscribers' cursors, all in one sequence of files.
import { assert, type Clock, type Logger } from "#core";
import type { Cursor } from "./cursor.ts";
import type { Disk } from "./disk.ts";
import { FRAME_KINDS } from "./frame.ts";
import { Journal, type JournalLimits } from "./journal.ts";
import { recordOf, type LogRecord } from "./reader.ts";
import { recover } from "./recover.ts";
import { Retention } from "./retention.ts";
import { State, type AtLimit, type StreamState } from "./state.ts";
import { Stream, type From } from "./stream.ts";
import { Summaries } from "./summaries.ts";

const DEFAULTS: LogLimits = {
  segmentBytes: 32 << 20,
  allocateBytes: 1 << 20,
  pendingBytesMax: 64 << 20,
  recentBytes: 8 << 20,
  blockedMs: 10_000,
  bytesMax: 10 * 2 ** 30,
  keepMs: 7 * 24 * 3_600_000,
};
/** Changes of cursors and notes with which nothing else is written wait so long for others. */
const CURSORS_MS = 10;
const NAME_BYTES_MAX = 512;

export interface LogLimits extends JournalLimits {
  /** What is finished is kept so long, as far as the size allows, and may be looked at and replayed. */
  readonly keepMs: number;
}

export interface LogOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<LogLimits>;
}

/** Reads what is there, repairs a torn end, and serves. Rejects with LogError when the folder was written by a newer version. */
export async function openLog(options: LogOptions): Promise<Log> {
  const dirty: DirtyState = { cursors: new Set(), streams: new Set(), change: () => undefined };
  let state = new State(() => undefined);
  const allocateBytes = options.limits?.allocateBytes ?? DEFAULTS.allocateBytes;
  const { segments, position } = await recover({ ...options, allocateBytes }, () => {
    state = new State((cursor) => {
      dirty.cursors.add(cursor);
      dirty.change();
    });
    return (frame) => state.apply(frame);
  });
  return new Log(options, { state, dirty, segments, position });
}

/** What the disk does not know yet. */
interface DirtyState {
  readonly cursors: Set<Cursor>;
  readonly streams: Set<StreamState>;
  change: () => void;
}

interface Beginning {
  readonly state: State;
  readonly dirty: DirtyState;
  readonly segments: ConstructorParameters<typeof Journal>[0]["segments"];
  readonly position: number;
}

export class Log {
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #summaries: Summaries;
  readonly #retention: Retention;
  readonly #state: State;
  readonly #dirty: DirtyState;
  /** What joined the group under way, and what was in a checkpoint of it. */
  readonly #joined = { cursors: new Set<Cursor>(), streams: new Set<StreamState>(), all: false };
  /** Cursors of which the disk may know anything. */
  readonly #unknown = new Set<Cursor>();
  /** Streams with records that their readers have not been told of. */
  #touched = new Set<StreamState>();
  readonly #bells = new Map<number, Set<() => void>>();
  readonly #closing = new AbortController();
  readonly #keeping: Promise<void>;
  readonly #bytesMax: number;
  #lingering = false;

  /** By `openLog`. */
  constructor({ disk, clock, logger, limits }: LogOptions, { state, dirty, segments, position }: Beginning) {
    this.#clock = clock;
    this.#state = state;
    this.#dirty = dirty;
    dirty.change = () => this.#linger();
    const within = { ...DEFAULTS, ...limits };
    this.#journal = new Journal({
      disk,
      clock,
      limits: within,
      segments,
      position,
      checkpoint: () => this.#checkpoint(),
      join: () => this.#join(),
      lost: () => this.#lost(),
      damaged: (where) =>
        logger.error("a part of the event log is damaged: its events are lost to whoever has not got them, the rest is read on", { ...where }),
      advanced: () => this.#advanced(),
    });
    this.#bytesMax = within.bytesMax;
    const journal = this.#journal;
    const summaries = new Summaries(disk, journal, logger);
    this.#summaries = summaries;
    const changed = (stream: StreamState): void => void dirty.streams.add(stream);
    this.#retention = new Retention({ clock, logger, journal, summaries, state, limits: within, sync: () => this.sync(), changed });
    this.#keeping = this.#retention.run(this.#closing.signal);
  }

  get streams(): readonly string[] {
    return [...this.#state.streams.values()].map(({ name }) => name);
  }

  /** The stream of this name, made when it is missing; resolves once it is on disk. */
  async stream(name: string, options: { readonly atLimit?: AtLimit } = {}): Promise<Stream> {
    assert(Buffer.byteLength(name) <= NAME_BYTES_MAX, "a stream's name is short");
    this.#journal.admit(NAME_BYTES_MAX);
    let state = this.#state.named(name);
    const atLimit = options.atLimit ?? state?.atLimit ?? "refuse";
    if (state === undefined) state = this.#state.addStream(name, atLimit);
    else if (state.atLimit === atLimit && !this.#dirty.streams.has(state) && !this.#joined.streams.has(state)) return this.#streamOf(state);
    state.atLimit = atLimit;
    this.#dirty.streams.add(state);
    await this.sync();
    return this.#streamOf(state);
  }

  /** It and its cursors are no more; its records go with their segments. */
  async removeStream(name: string): Promise<void> {
    const state = this.#state.named(name);
    if (state === undefined) return;
    this.#state.removeStream(state);
    this.#dirty.streams.add(state);
    await this.sync();
  }

  /** A record by its offset; undefined when there is none, or none any more. */
  async read(offset: number): Promise<(LogRecord & { readonly stream: string | undefined }) | undefined> {
    const frame = await this.#journal.frameAt(offset);
    if (frame?.kind !== FRAME_KINDS.record) return undefined;
    return { ...recordOf(frame), stream: this.#state.streams.get(frame.stream)?.name };
  }

  /** Octets that the log takes of the disk, and how many it may. */
  get size(): { readonly bytes: number; readonly bytesMax: number } {
    return { bytes: this.#journal.bytes, bytesMax: this.#bytesMax };
  }

  /** Resolves once all changes so far are on disk; rejects with LogError when they are not, and they join the next group. */
  async sync(): Promise<void> {
    if (this.#journal.position === this.#journal.durable && this.#dirty.cursors.size + this.#dirty.streams.size === 0) return;
    this.#join();
    await this.#journal.settled(this.#journal.position - 1);
  }

  /** What was appended is on the disk or refused; nothing is taken any more. */
  async close(): Promise<void> {
    await this.sync().catch(() => undefined);
    this.#closing.abort();
    await this.#keeping;
    await this.#retention.ended();
    await this.#summaries.close();
    await this.#journal.close();
  }

  #streamOf(state: StreamState): Stream {
    let bells = this.#bells.get(state.id);
    if (bells === undefined) this.#bells.set(state.id, (bells = new Set()));
    return new Stream({
      state,
      journal: this.#journal,
      clock: this.#clock,
      bells,
      summaries: this.#summaries,
      retention: this.#retention,
      touched: () => this.#touched.add(state),
      linger: () => this.#linger(),
      addCursor: (name, from) => this.#addCursor(state, name, from),
      removeCursor: (name) => this.#removeCursor(state, name),
    });
  }

  async #addCursor(stream: StreamState, name: string, from: From): Promise<Cursor> {
    assert(Buffer.byteLength(name) <= NAME_BYTES_MAX, "a cursor's name is short");
    this.#journal.admit(NAME_BYTES_MAX);
    const next = from === "end" ? this.#journal.durable : from === "start" ? this.#journal.first : from;
    const known = stream.cursors.get(name);
    const cursor = known ?? this.#state.addCursor(stream, name, next);
    if (known !== undefined && !this.#dirty.cursors.has(known) && !this.#joined.cursors.has(known)) return known;
    this.#dirty.cursors.add(cursor);
    await this.sync();
    return cursor;
  }

  async #removeCursor(stream: StreamState, name: string): Promise<void> {
    const cursor = stream.cursors.get(name);
    if (cursor === undefined) return;
    this.#state.removeCursor(cursor);
    this.#dirty.cursors.add(cursor);
    await this.sync();
  }

  /** Changes of cursors, and notes, go with the next group; when none comes they make one. */
  #linger(): void {
    if (this.#lingering) return;
    this.#lingering = true;
    const signal = this.#closing.signal;
    void this.#clock.sleep(CURSORS_MS, signal).then(
      () => {
        this.#lingering = false;
        this.#join();
        this.#journal.commit();
      },
      () => undefined,
    );
  }

  #checkpoint(): void {
    this.#joined.all = true;
    for (const frame of this.#state.frames(this.#clock.wallMs())) this.#journal.put(frame);
  }

  #join(): void {
    const { cursors, streams } = this.#dirty;
    if (cursors.size + streams.size === 0) return;
    const timeMs = this.#clock.wallMs();
    for (const stream of [...streams]) {
      this.#journal.append(this.#state.streamFrame(stream, timeMs));
      this.#joined.streams.add(stream);
    }
    for (const cursor of [...cursors]) {
      this.#journal.append(this.#state.cursorFrame(cursor, this.#unknown.has(cursor), timeMs));
      this.#joined.cursors.add(cursor);
    }
    streams.clear();
    cursors.clear();
  }

  #lost(): void {
    const { cursors, streams, all } = this.#joined;
    for (const stream of all ? [...this.#state.streams.values(), ...streams] : streams) this.#dirty.streams.add(stream);
    for (const cursor of all ? [...this.#state.cursors.values(), ...cursors] : cursors) {
      this.#dirty.cursors.add(cursor);
      this.#unknown.add(cursor);
    }
    for (const stream of this.#touched) stream.last = Math.min(stream.last, this.#journal.durable - 1);
    this.#forgetJoined();
  }

  #forgetJoined(): void {
    this.#joined.cursors.clear();
    this.#joined.streams.clear();
    this.#joined.all = false;
  }

  #advanced(): void {
    if (this.#journal.durable === this.#journal.position) {
      for (const cursor of this.#joined.cursors) this.#unknown.delete(cursor);
      this.#forgetJoined();
    }
    const touched = this.#touched;
    this.#touched = new Set();
    for (const stream of touched) {
      if (stream.last >= this.#journal.durable) this.#touched.add(stream);
      for (const wake of this.#bells.get(stream.id) ?? []) wake();
    }
    if (this.#summaries.advanced()) void this.#retention.soon();
  }
}

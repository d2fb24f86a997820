// One stream of the log: appends, reads, looks for records, and has the cursors of its subscribers.
import type { Clock } from "#core";
import type { Cursor } from "./cursor.ts";
import { encodeKeys, FRAME_KINDS, frameLength, NO_KEYS, type FrameParts } from "./frame.ts";
import type { Journal } from "./journal.ts";
import { LogError } from "./log-error.ts";
import { encodeNote, type LogNote } from "./note.ts";
import { Reader, type LogRecord } from "./reader.ts";
import { notesAbout, search, type Page, type Search, type SearchParts } from "./search.ts";
import type { Retention } from "./retention.ts";
import type { StreamState } from "./state.ts";
import type { Summaries } from "./summaries.ts";

export interface Appended {
  readonly value: Uint8Array;
  /** What the record is found by, for instance `type=com.example`. */
  readonly keys?: readonly string[];
  /** Wall-clock time; now when left out. */
  readonly timeMs?: number;
}

/** Where a new cursor begins. */
export type From = "start" | "end" | number;

interface StreamParts {
  readonly state: StreamState;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly bells: Set<() => void>;
  readonly summaries: Summaries;
  readonly retention: Retention;
  /** A record was put. */
  readonly touched: () => void;
  /** What was put goes with the next group, or soon. */
  readonly linger: () => void;
  readonly addCursor: (name: string, from: From) => Promise<Cursor>;
  readonly removeCursor: (name: string) => Promise<void>;
}

/** Records in order. At rest it is an entry of a table: no file, no timer. */
export class Stream {
  readonly #parts: StreamParts;

  #notesLost = 0;

  /** By `Log.stream`. */
  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.state.name;
  }

  /** Resolves with the offset once the record is on disk; rejects with LogError, `blocked` meaning that it may yet be kept. */
  async append(record: Appended): Promise<number> {
    const frame = this.#frame(record);
    const length = frameLength(frame);
    this.#parts.journal.admit(length);
    if (!this.#parts.journal.hasRoom(length)) await this.#makeRoom([length]);
    const offset = this.#put(frame);
    await this.#settled([offset]);
    return offset;
  }

  /** All of them in one group or, when a limit stands in the way, none. */
  async appendAll(records: readonly Appended[]): Promise<number[]> {
    const frames = records.map((record) => this.#frame(record));
    const lengths = frames.map(frameLength);
    this.#parts.journal.admit(...lengths);
    if (!this.#parts.journal.hasRoom(sum(lengths))) await this.#makeRoom(lengths);
    const offsets = frames.map((frame) => this.#put(frame));
    await this.#settled(offsets);
    return offsets;
  }

  async #settled(offsets: readonly number[]): Promise<void> {
    const last = offsets.at(-1);
    if (last === undefined) return;
    try {
      await this.#parts.journal.settled(last);
    } catch (error) {
      if (!(error instanceof LogError) || error.reason !== "blocked") throw error;
      throw new LogError(error.reason, error.message, { cause: error, offsets });
    }
  }

  /** At the log's size: something that is finished goes, or the oldest, or nothing is taken. */
  async #makeRoom(lengths: readonly number[]): Promise<void> {
    const { retention, state, journal } = this.#parts;
    await retention.room(sum(lengths), state);
    if (state.removed) throw new LogError("closed", `the stream ${state.name} was removed`);
    journal.admit(...lengths);
  }

  #frame({ value, keys, timeMs }: Appended): Omit<FrameParts, "offset"> {
    const { state, clock } = this.#parts;
    if (state.removed) throw new LogError("closed", `the stream ${state.name} was removed`);
    const encoded = keys === undefined ? NO_KEYS : encodeKeys(keys);
    if (encoded === undefined) throw new LogError("tooLarge", "the index keys of a record are too many or too long");
    return { kind: FRAME_KINDS.record, stream: state.id, timeMs: timeMs ?? clock.wallMs(), keys: encoded, value };
  }

  #put(frame: Omit<FrameParts, "offset">): number {
    const { journal, state, touched } = this.#parts;
    const offset = journal.append(frame);
    state.last = offset;
    touched();
    return offset;
  }

  /**
   * Says something of a record, to be found by its offset as long as both are kept. It goes with the next group, or soon; nobody is told
   * when it does not get to the disk, and when the log takes nothing it is counted as lost.
   */
  note(about: number, value: Uint8Array): void {
    const { state, journal, clock, linger } = this.#parts;
    const frame = { kind: FRAME_KINDS.note, stream: state.id, timeMs: clock.wallMs(), keys: NO_KEYS, value: encodeNote(about, value) };
    try {
      if (state.removed) throw new LogError("closed", `the stream ${state.name} was removed`);
      journal.admit(frameLength(frame));
      if (!journal.hasRoom(frameLength(frame))) throw new LogError("limit", "the event log has reached its size");
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#notesLost++;
      return;
    }
    journal.append(frame);
    linger();
  }

  /** Offset of its newest record; -1 before the first. */
  get last(): number {
    return this.#parts.state.last;
  }

  /** Records that were dropped at the log's size before all were done with them. */
  get dropped(): number {
    return this.#parts.state.dropped;
  }

  /** Notes that the log refused. */
  get notesLost(): number {
    return this.#notesLost;
  }

  /** The notes about a record that are on the disk, as they came; rejects when the signal aborts. */
  notes(about: number, page: { readonly at?: number; readonly limit: number }, signal: AbortSignal): Promise<Page<LogNote>> {
    return notesAbout(this.#searched, { about, at: page.at ?? about, limit: page.limit }, signal);
  }

  /** A page of the records that are on the disk, by time and keys; rejects when the signal aborts. */
  search(query: Search, signal: AbortSignal): Promise<Page<LogRecord>> {
    return search(this.#searched, query, signal);
  }

  get #searched(): SearchParts {
    const { journal, summaries, state } = this.#parts;
    return { journal, summaries, stream: state.id };
  }

  /** Reads from there on: `start` is the oldest record that is still there. */
  reader(from: From): Reader {
    const { journal, state, bells } = this.#parts;
    const at = from === "end" ? journal.durable : from === "start" ? journal.first : from;
    return new Reader(journal, state, { at, bells });
  }

  /** The cursor of this name, made when it is missing; resolves once it is on disk. */
  cursor(name: string, from: From): Promise<Cursor> {
    return this.#parts.addCursor(name, from);
  }

  get cursors(): readonly string[] {
    return [...this.#parts.state.cursors.keys()];
  }

  hasCursor(name: string): boolean {
    return this.#parts.state.cursors.has(name);
  }

  removeCursor(name: string): Promise<void> {
    return this.#parts.removeCursor(name);
  }
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((all, length) => all + length, 0);
}

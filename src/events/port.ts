// What this room wants of the log: a part of what `#log` offers.
import type { EventTrace } from "./observe/event-tracer.ts";
import type { StoredEvent } from "./stored-event.ts";

export interface LogRecord {
  readonly offset: number;
  /** Where the next record begins. */
  readonly end: number;
  readonly value: Uint8Array;
}

/** As it is found again. */
export interface FoundRecord extends LogRecord {
  readonly timeMs: number;
  readonly keys: readonly string[];
}

export interface RecordSearch {
  readonly fromMs?: number;
  readonly beforeMs?: number;
  /** All of them are keys of the record. */
  readonly keys?: readonly string[];
  readonly first?: "oldest" | "newest";
  /** The `next` of the page before. */
  readonly at?: number;
  readonly limit: number;
}

export interface LogPage<T> {
  readonly found: readonly T[];
  /** Undefined: nothing more was there. */
  readonly next: number | undefined;
}

/** How far one subscriber is; kept on disk in groups. What was finished since the last group is delivered once more after a crash. */
export interface DeliveryCursor {
  /** Nothing from here on was looked at. */
  readonly next: number;
  /** Nothing more may be taken until something is finished. */
  readonly full: boolean;
  /** Wall-clock time of the earliest retry; undefined when none waits. */
  readonly nextDueMs: number | undefined;
  /** Taken and not finished. */
  readonly openCount: number;
  /** Its `next` is from now on that place, which only grows, or its own while that is ahead. */
  follow(place: { readonly at: number }): void;
  /** It stays where it is. */
  unfollow(): void;
  take(offset: number): void;
  /** Takes the record for later: its first attempt is due then. */
  defer(offset: number, dueMs: number): void;
  pass(next: number): void;
  finish(offset: number): void;
  retry(offset: number, next: { readonly attempt: number; readonly dueMs: number }): void;
  park(offset: number, attempt: number): void;
  /** Due retries, the earliest first; they are in flight from now on. */
  takeDue(nowMs: number, max: number): readonly { readonly offset: number; readonly attempt: number }[];
  /** A parked or waiting record is taken for an attempt now; undefined when it is neither. */
  resume(offset: number): { readonly offset: number; readonly attempt: number } | undefined;
  /** Taken and not finished, in no order; `dueMs` is Infinity for what is parked. */
  open(): Iterable<{ readonly offset: number; readonly attempt: number; readonly dueMs: number | undefined }>;
}

/** Reads one stream in order, as far as its reader asks. */
export interface StreamReader {
  /** Nothing of the stream from here on was given out. */
  readonly at: number;
  /** The next records that are on the disk, at least one; waits for it, and gives none only when the signal aborts. */
  next(signal: AbortSignal): Promise<readonly FoundRecord[]>;
  /** Gives what can be had with one read, nothing at the head, until a record is refused: that one comes again. */
  visit(take: (record: FoundRecord) => boolean): Promise<void>;
}

export interface StreamLog {
  /** Resolves with the offset once the record is on the disk; rejects with a `LogError`. */
  append(record: { readonly keys?: readonly string[]; readonly value: Uint8Array }): Promise<number>;
  /** All of them or none. */
  appendAll(records: readonly { readonly keys?: readonly string[]; readonly value: Uint8Array }[]): Promise<number[]>;
  reader(from: number | "end"): StreamReader;
  search(query: RecordSearch, signal: AbortSignal): Promise<LogPage<FoundRecord>>;
  /** Says something of a record; it gets to the disk soon, or is lost with the process. Never throws. */
  note(about: number, value: Uint8Array): void;
  /** What was said of a record, as it came. */
  notes(about: number, page: { readonly at?: number; readonly limit: number }, signal: AbortSignal): Promise<LogPage<{ readonly value: Uint8Array }>>;
  /** Offset of its newest record; -1 before the first. */
  readonly last: number;
  /** Records that went at the log's size before all were done with them. */
  readonly dropped: number;
  /** Notes that the log refused. */
  readonly notesLost: number;
  readonly cursors: readonly string[];
  hasCursor(name: string): boolean;
  /** The cursor of that name; a new one begins there, and is on the disk when it resolves. */
  cursor(name: string, from: "end"): Promise<DeliveryCursor>;
  removeCursor(name: string): Promise<void>;
}

export interface EventLog {
  readonly streams: readonly string[];
  /** Made when it is new; at the log's size it refuses what comes, or its oldest records go. Without options it stays as it is. */
  stream(name: string, options?: { readonly atLimit?: "refuse" | "dropOldest" }): Promise<StreamLog>;
  /** Its cursors go with it. */
  removeStream(name: string): Promise<void>;
  /** Resolves once everything so far is on the disk, or was cut off; rejects with a `LogError`. */
  sync(): Promise<void>;
  /** Undefined: it is gone. */
  read(offset: number): Promise<(FoundRecord & { readonly stream: string | undefined }) | undefined>;
}

/** One attempt, for the event time machine; the log keeps it as a note about its record. */
export interface AttemptNote {
  readonly stream: string;
  readonly subscriber: string;
  readonly offset: number;
  readonly leg: "subscriber" | "deadLetter" | "replay";
  /** 1 is the first. */
  readonly attempt: number;
  readonly atMs: number;
  readonly tookMs: number;
  /** Absent: nobody answered. */
  readonly status?: number;
  readonly why?: string;
  readonly next: "delivered" | "deadLettered" | "gaveUp" | "retry" | "deadLetter" | "park";
  /** Offset of the reply in its stream. */
  readonly reply?: number;
}

/** Must not throw, and not wait. `trace`: the attempt's span, when it is sampled. */
export type NoteAttempt = (note: AttemptNote, event: StoredEvent, trace?: EventTrace) => void;

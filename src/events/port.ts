// What this room wants of the log: a part of what `#log` offers.

export interface LogRecord {
  readonly offset: number;
  /** Where the next record begins. */
  readonly end: number;
  readonly value: Uint8Array;
}

/** How far one subscriber is; kept on disk in groups. What was finished since the last group is delivered once more after a crash. */
export interface DeliveryCursor {
  /** Nothing from here on was looked at. */
  readonly next: number;
  /** Nothing more may be taken until something is finished. */
  readonly full: boolean;
  /** Wall-clock time of the earliest retry; undefined when none waits. */
  readonly nextDueMs: number | undefined;
  take(offset: number): void;
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
  next(signal: AbortSignal): Promise<readonly LogRecord[]>;
}

export interface StreamLog {
  /** Resolves with the offset once the record is on the disk; rejects with a `LogError`. */
  append(record: { readonly keys?: readonly string[]; readonly value: Uint8Array }): Promise<number>;
  /** All of them or none. */
  appendAll(records: readonly { readonly keys?: readonly string[]; readonly value: Uint8Array }[]): Promise<number[]>;
  reader(from: number): StreamReader;
  readonly cursors: readonly string[];
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
  /** Undefined: it is gone. */
  read(offset: number): Promise<LogRecord | undefined>;
}

/** One attempt, for the event time machine. */
export interface AttemptNote {
  readonly stream: string;
  readonly subscriber: string;
  readonly offset: number;
  readonly leg: "subscriber" | "deadLetter";
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

/** Must not throw, and not wait. */
export type NoteAttempt = (note: AttemptNote) => void;

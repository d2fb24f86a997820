// Finds records by time and key, and the notes about a record. Segments whose summary says that they hold none are not read.
import { assert } from "#core";
import { eachKey, FRAME_KINDS, type Frame } from "./frame.ts";
import type { Journal } from "./journal.ts";
import { noted, noteOf, placeOctets, type LogNote } from "./note.ts";
import { recordOf, type LogRecord } from "./reader.ts";
import { framesBetween } from "./scan.ts";
import type { Segment } from "./segments.ts";
import type { Summaries } from "./summaries.ts";
import type { Summary } from "./summary.ts";

/** Of one page. */
export const PAGE_RECORDS_MAX = 1_000;
const PAGE_BYTES_MAX = 4 << 20;

export interface Search {
  /** Records from this moment on … */
  readonly fromMs?: number;
  /** … and before this one. */
  readonly beforeMs?: number;
  /** All of them are keys of the record. */
  readonly keys?: readonly string[];
  /** `oldest` when left out. */
  readonly first?: "oldest" | "newest";
  /** The `next` of the page before. */
  readonly at?: number;
  /** Most records of the page, at most 1,000; fewer come when they are long. */
  readonly limit: number;
}

export interface Page<T> {
  readonly found: readonly T[];
  /** Where the next page begins; undefined when nothing more was there. */
  readonly next: number | undefined;
}

export interface SearchParts {
  readonly journal: Journal;
  readonly summaries: Summaries;
  readonly stream: number;
}

/** A page of what is found; rejects when the signal aborts. */
export function search(parts: SearchParts, query: Search, signal: AbortSignal): Promise<Page<LogRecord>> {
  assert(query.limit > 0, "a page has room for a record");
  return new Searching(parts, query, signal).page();
}

class Searching {
  readonly #parts: SearchParts;
  readonly #query: Search;
  readonly #signal: AbortSignal;
  readonly #limit: number;
  readonly #keys: readonly Buffer[];
  readonly #found: LogRecord[] = [];
  #bytes = 0;

  constructor(parts: SearchParts, query: Search, signal: AbortSignal) {
    this.#parts = parts;
    this.#query = query;
    this.#signal = signal;
    this.#limit = Math.min(query.limit, PAGE_RECORDS_MAX);
    this.#keys = (query.keys ?? []).map((key) => Buffer.from(key));
  }

  async page(): Promise<Page<LogRecord>> {
    const { segments, durable } = this.#parts.journal;
    const newest = this.#query.first === "newest";
    const at = this.#query.at ?? (newest ? durable : 0);
    const all = newest ? segments.all.toReversed() : [...segments.all];
    for (const segment of all) {
      this.#signal.throwIfAborted();
      const from = newest ? segment.base : Math.max(segment.base, at);
      const to = Math.min(segment.end ?? durable, newest ? at : durable);
      if (from >= to || !(await this.#mayHave(segment))) continue;
      const next = newest ? await this.#backwards(from, to) : await this.#forwards(from, to);
      if (next !== undefined) return { found: this.#found, next };
    }
    return { found: this.#found, next: undefined };
  }

  async #mayHave(segment: Segment): Promise<boolean> {
    const { fromMs = -Infinity, beforeMs = Infinity } = this.#query;
    const { summaries, stream } = this.#parts;
    const summary = await summaries.of(segment);
    if (summary === undefined) return true;
    return summary.lastMs >= fromMs && summary.firstMs < beforeMs && this.#keys.every((key) => summary.keys.mayHave(key, stream));
  }

  #matches({ kind, stream, timeMs, keys }: Frame): boolean {
    const { fromMs = -Infinity, beforeMs = Infinity } = this.#query;
    if (kind !== FRAME_KINDS.record || stream !== this.#parts.stream || timeMs < fromMs || timeMs >= beforeMs) return false;
    if (this.#keys.length === 0) return true;
    const missing = new Set(this.#keys);
    eachKey(keys, (key) => {
      for (const wanted of missing) if (wanted.equals(key)) missing.delete(wanted);
    });
    return missing.size === 0;
  }

  /** Where the next page begins, when this one is full. */
  async #forwards(from: number, to: number): Promise<number | undefined> {
    for await (const frames of framesBetween(this.#parts.journal, from, to)) {
      this.#signal.throwIfAborted();
      for (const frame of frames) {
        if (!this.#matches(frame)) continue;
        if (this.#full) return this.#found.at(-1)?.end;
        this.#take(frame);
      }
    }
    return undefined;
  }

  /** Frames can be read forwards only: the places of the last that match are kept, and read once more. */
  async #backwards(from: number, to: number): Promise<number | undefined> {
    const room = this.#limit - this.#found.length + 1;
    let places: number[] = [];
    for await (const frames of framesBetween(this.#parts.journal, from, to)) {
      this.#signal.throwIfAborted();
      for (const frame of frames) if (this.#matches(frame)) places.push(frame.offset);
      if (places.length > room) places = places.slice(-room);
    }
    for (const place of places.toReversed()) {
      if (this.#full) return this.#found.at(-1)?.offset;
      const frame = await this.#parts.journal.frameAt(place);
      if (frame !== undefined) this.#take(frame);
    }
    return undefined;
  }

  get #full(): boolean {
    return this.#found.length >= this.#limit || this.#bytes >= PAGE_BYTES_MAX;
  }

  /** A copy: a small record does not hold on to all that was read with it. */
  #take(frame: Frame): void {
    this.#found.push({ ...recordOf(frame), value: Buffer.from(frame.value) });
    this.#bytes += frame.value.length;
  }
}

/** The notes about a record, as they came. Notes come behind their record. */
export async function notesAbout(
  { journal, summaries, stream }: SearchParts,
  { about, at, limit }: { readonly about: number; readonly at: number; readonly limit: number },
  signal: AbortSignal,
): Promise<Page<LogNote>> {
  const found: LogNote[] = [];
  let bytes = 0;
  const { segments, durable } = journal;
  const place = placeOctets(about);
  // Reading begins at a frame, and nowhere else.
  if ((await journal.frameAt(at)) === undefined) return { found, next: undefined };
  for (const segment of [...segments.all]) {
    signal.throwIfAborted();
    const end = segment.end ?? durable;
    const from = Math.max(segment.base, at);
    if (from >= end || !mayBeNoted(await summaries.of(segment), { about, place, stream })) continue;
    for await (const frames of framesBetween(journal, from, end)) {
      signal.throwIfAborted();
      for (const frame of frames) {
        if (frame.kind !== FRAME_KINDS.note || frame.stream !== stream || noted(frame.value) !== about) continue;
        if (found.length >= Math.min(limit, PAGE_RECORDS_MAX) || bytes >= PAGE_BYTES_MAX) return { found, next: frame.offset };
        found.push({ ...noteOf(frame), value: Buffer.from(noteOf(frame).value) });
        bytes += frame.value.length;
      }
    }
  }
  return { found, next: undefined };
}

function mayBeNoted(summary: Summary | undefined, { about, place, stream }: { about: number; place: Uint8Array; stream: number }): boolean {
  if (summary === undefined) return true;
  return summary.notedFirst <= about && about <= summary.notedLast && summary.notes.mayHave(place, stream);
}

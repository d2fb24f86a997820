// How far one subscriber is: below `next` everything is finished but for what is open, in flight or waiting for its next attempt.
import { assert } from "#core";
import { DueQueue } from "./due-queue.ts";

/** The due time of what waits for a person: its attempts and its dead letter failed. */
export const PARKED = Infinity;
const IN_FLIGHT = -1;

/** Of one subscriber, in flight and waiting together; its state on disk is 20 octets each. */
export const OPEN_MAX = 10_000;

export interface Due {
  readonly offset: number;
  /** Attempts made so far. */
  readonly attempt: number;
}

export interface OpenRecord extends Due {
  /** Wall-clock time of the next attempt; `PARKED`, or undefined while it is in flight. */
  readonly dueMs: number | undefined;
}

interface Open {
  attempt: number;
  dueMs: number;
  /** The due time on disk; undefined when the disk knows nothing of this record. */
  written: number | undefined;
}

/** One change of a cursor as it is written; `dueMs` undefined when the record is finished. */
export interface CursorEntry {
  readonly offset: number;
  readonly attempt: number;
  readonly dueMs: number | undefined;
}

export interface CursorState {
  readonly next: number;
  readonly entries: readonly CursorEntry[];
  /** These are all that is open; otherwise what changed. */
  readonly whole: boolean;
}

/** A place that cursors share: whatever lies below it was offered to each of them. It only grows while anybody follows it. */
export interface Place {
  readonly at: number;
}

/**
 * Changes are in memory at once and on disk with the next group; after a crash what was finished since is delivered once more.
 * Never the other way: the disk knows nothing as finished that was not.
 */
export class Cursor {
  readonly id: number;
  readonly stream: number;
  readonly name: string;
  readonly #open = new Map<number, Open>();
  readonly #changed = new Set<number>();
  readonly #due = new DueQueue();
  readonly #onChange: (cursor: Cursor) => void;
  /** While it follows a place, what it is without it. */
  #next: number;
  #follows: Place | undefined;
  #parked = 0;
  #inFlight = 0;

  constructor(is: { id: number; stream: number; name: string; next: number }, onChange: (cursor: Cursor) => void) {
    this.id = is.id;
    this.stream = is.stream;
    this.name = is.name;
    this.#next = is.next;
    this.#onChange = onChange;
  }

  /** Nothing from here on was looked at. */
  get next(): number {
    return this.#follows === undefined ? this.#next : Math.max(this.#next, this.#follows.at);
  }

  /** Its `next` moves with the place from now on, and costs nothing when it does. A cursor that is ahead waits for the place. */
  follow(place: Place): void {
    this.#next = this.next;
    this.#follows = place;
  }

  /** It stays where the place is now. */
  unfollow(): void {
    this.#next = this.next;
    this.#follows = undefined;
  }

  /** Taken and not finished, of every sort. */
  get openCount(): number {
    return this.#open.size;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get parked(): number {
    return this.#parked;
  }

  /** Waiting for their next attempt. */
  get retrying(): number {
    return this.#open.size - this.#inFlight - this.#parked;
  }

  /** Nothing more may be taken until something is finished. */
  get full(): boolean {
    return this.#open.size >= OPEN_MAX;
  }

  /** The lowest offset that is not finished. */
  get low(): number {
    let low = this.next;
    for (const offset of this.#open.keys()) if (offset < low) low = offset;
    return low;
  }

  /** The record is in flight; it stays open until `finish`, `retry` or `park`. Not below `next`, in order, and not while full. */
  take(offset: number): void {
    assert(offset >= this.next && !this.full, "a record is taken once, in order, within the limit");
    this.#open.set(offset, { attempt: 0, dueMs: IN_FLIGHT, written: undefined });
    this.#changed.add(offset);
    this.#inFlight++;
  }

  /** Takes the record for later: nobody has room for it now, and its first attempt is due at once. */
  defer(offset: number, dueMs: number): void {
    this.take(offset);
    this.#wait(offset, this.#leave(offset), dueMs);
  }

  /** Everything below `next` was looked at: what was not taken is finished. */
  pass(next: number): void {
    if (next > this.next) this.#next = next;
  }

  finish(offset: number): void {
    const open = this.#leave(offset);
    this.#open.delete(offset);
    if (open.written === undefined) this.#changed.delete(offset);
    else this.#changed.add(offset);
    this.#onChange(this);
  }

  /** The attempt failed; the next is at `dueMs` of the wall clock. */
  retry(offset: number, { attempt, dueMs }: { readonly attempt: number; readonly dueMs: number }): void {
    const open = this.#leave(offset);
    open.attempt = attempt;
    this.#wait(offset, open, dueMs);
    this.#changed.add(offset);
    this.#onChange(this);
  }

  /** Nothing more is tried by itself; the record is kept until `resume`. */
  park(offset: number, attempt: number): void {
    this.retry(offset, { attempt, dueMs: PARKED });
  }

  /** Wall-clock time of the earliest retry; undefined when none waits. */
  get nextDueMs(): number | undefined {
    return this.#due.first((offset) => this.#open.get(offset)?.dueMs)?.dueMs;
  }

  /** Retries that are due, the earliest first; they are in flight from now on. */
  takeDue(nowMs: number, max: number): Due[] {
    const taken: Due[] = [];
    while (taken.length < max) {
      const first = this.#due.first((offset) => this.#open.get(offset)?.dueMs);
      if (first === undefined || first.dueMs > nowMs) break;
      this.#due.shift();
      taken.push(this.#toFlight(first.offset));
    }
    return taken;
  }

  /** A parked or waiting record is taken for an attempt now; undefined when it is neither. */
  resume(offset: number): Due | undefined {
    const open = this.#open.get(offset);
    return open === undefined || open.dueMs === IN_FLIGHT ? undefined : this.#toFlight(offset);
  }

  #toFlight(offset: number): Due {
    const open = this.#open.get(offset);
    assert(open !== undefined && open.dueMs !== IN_FLIGHT, "what is due waits");
    if (open.dueMs === PARKED) this.#parked--;
    open.dueMs = IN_FLIGHT;
    this.#inFlight++;
    return { offset, attempt: open.attempt };
  }

  #leave(offset: number): Open {
    const open = this.#open.get(offset);
    assert(open !== undefined, `offset ${offset} is not open in ${this.name}`);
    if (open.dueMs === IN_FLIGHT) this.#inFlight--;
    else if (open.dueMs === PARKED) this.#parked--;
    return open;
  }

  #wait(offset: number, open: Open, dueMs: number): void {
    open.dueMs = dueMs;
    if (dueMs === PARKED) this.#parked++;
    else this.#due.add(offset, dueMs);
  }

  /** It is not finished. */
  isHolding(offset: number): boolean {
    return offset >= this.next || this.#open.has(offset);
  }

  /**
   * The records from there to there were dropped: what is parked of them is nobody's any more. What is in flight or waits ends by itself,
   * once whoever delivers it finds nothing to read.
   */
  drop(from: number, to: number): void {
    for (const [offset, { dueMs }] of [...this.#open]) if (dueMs === PARKED && offset >= from && offset < to) this.finish(offset);
  }

  /** Everything that is open, in no order. */
  *open(): Generator<OpenRecord> {
    for (const [offset, { attempt, dueMs }] of this.#open) yield { offset, attempt, dueMs: dueMs === IN_FLIGHT ? undefined : dueMs };
  }

  /** What the disk does not know yet; from now on it is taken as known. Records in flight are written as due at once. */
  changes(): CursorState {
    const { next } = this;
    const offsets = [...this.#changed].filter((offset) => offset < next);
    for (const offset of offsets) this.#changed.delete(offset);
    return { next, entries: offsets.map((offset) => this.#entry(offset)), whole: false };
  }

  /** All of it, as a checkpoint holds it. */
  whole(): CursorState {
    const { next } = this;
    const offsets = [...this.#open.keys()].filter((offset) => offset < next);
    this.#changed.clear();
    for (const offset of this.#open.keys()) if (offset >= next) this.#changed.add(offset);
    return { next, entries: offsets.map((offset) => this.#entry(offset)), whole: true };
  }

  #entry(offset: number): CursorEntry {
    const open = this.#open.get(offset);
    if (open === undefined) return { offset, attempt: 0, dueMs: undefined };
    open.written = open.dueMs === IN_FLIGHT ? 0 : open.dueMs;
    return { offset, attempt: open.attempt, dueMs: open.written };
  }

  /** Takes over what was written, at the start. */
  restore({ next, entries, whole }: CursorState): void {
    this.#next = next;
    if (whole) {
      this.#open.clear();
      this.#parked = 0;
    }
    for (const { offset, attempt, dueMs } of entries) {
      const before = this.#open.get(offset);
      if (before?.dueMs === PARKED) this.#parked--;
      this.#open.delete(offset);
      if (dueMs === undefined) continue;
      const open = { attempt, dueMs, written: dueMs };
      this.#open.set(offset, open);
      this.#wait(offset, open, dueMs);
    }
  }
}

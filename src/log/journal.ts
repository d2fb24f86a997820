// Group commit: frames get their places at once, one write brings all that arrived meanwhile to the disk, and their writers hear of it.
import type { Clock } from "#core";
import { Blocks } from "./blocks.ts";
import type { Disk } from "./disk.ts";
import { decodeFrame, FRAME_HEAD, FRAME_KINDS, frameLength, NO_KEYS, type Frame, type FrameParts } from "./frame.ts";
import { diskRefusal, LogError } from "./log-error.ts";
import { Segments, type Segment } from "./segments.ts";

export const LOG_FORMAT = 1;

/** What a segment's first frame says. */
export interface SegmentMark {
  readonly format: number;
  /** The segments before it that were there: base, end, time of the end. */
  readonly before?: readonly (readonly [base: number, end: number, endedMs: number])[];
}

/** What one read of a single record takes along. */
const READ_BYTES = 4 << 10;
/** How often somebody looks whether the disk still answers, while anything waits for it. */
const PATIENCE_MS = 1_000;

export interface JournalLimits {
  readonly segmentBytes: number;
  /** A file grows by so many zeros at a time: most writes change no length and cost no second write of the file system's own. */
  readonly allocateBytes: number;
  /** Octets that wait for the disk. */
  readonly pendingBytesMax: number;
  /** Octets kept in memory for readers at the head. */
  readonly recentBytes: number;
  /** After so long an append that waits for the disk is refused. */
  readonly blockedMs: number;
  /** Octets of the disk, with what is allocated ahead. */
  readonly bytesMax: number;
}

/** What cannot be read of a segment. */
export interface Damage {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
}

export interface JournalParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly limits: JournalLimits;
  readonly segments: readonly Segment[];
  /** Where the last segment ends. */
  readonly position: number;
  /** Puts all state that lives in no record into a new segment; what is older can then go. */
  readonly checkpoint: () => void;
  /** A group is about to be written: what is not yet written of the state goes with it. */
  readonly join: () => void;
  /** A group did not get to the disk: what joined it joins the next. */
  readonly lost: () => void;
  /** Records that were acknowledged cannot be read any more. */
  readonly damaged: (where: Damage) => void;
  /** Everything below the durable position can be read. */
  readonly advanced: () => void;
}

interface Waiter {
  readonly offset: number;
  readonly sinceMs: number;
  readonly done: (error?: LogError) => void;
}

export class Journal {
  readonly #parts: JournalParts;
  readonly #zeros: Buffer;
  readonly #blocks: Blocks;
  readonly segments: Segments;
  #durable: number;
  #waiters: Waiter[] = [];
  #committing = false;
  #watching = false;
  /** The disk failed: what lies behind the durable position is cut off before anything else is written. */
  #suspect = false;
  /** Segments that were begun and never acknowledged; what there is of their files goes first. */
  #abandoned: Segment[] = [];
  #closed = false;
  #idle: (() => void)[] = [];
  readonly #closing = new AbortController();

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#zeros = Buffer.alloc(parts.limits.allocateBytes);
    this.segments = new Segments(parts.disk, parts.segments);
    this.#blocks = new Blocks(parts.position, parts.limits.recentBytes);
    this.#durable = parts.position;
  }

  /** Everything below is on the disk. */
  get durable(): number {
    return this.#durable;
  }

  get position(): number {
    return this.#blocks.position;
  }

  /** The first place from there on that lies in a segment; the durable end when there is none. */
  placeFrom(offset: number): number {
    if (this.segments.holding(offset) !== undefined) return offset;
    return Math.min(this.#durable, this.segments.all.find(({ base }) => base > offset)?.base ?? this.#durable);
  }

  /** From here on a segment that is there cannot be read: somebody is told, once. Where reading goes on: with the next segment. */
  behindDamage(offset: number): number {
    const next = Math.min(this.#durable, this.segments.all.find(({ base }) => base > offset)?.base ?? this.#durable);
    const segment = this.segments.holding(offset);
    if (segment === undefined || segment.isDamaged === true || offset >= this.#durable) return next;
    segment.isDamaged = true;
    this.#parts.damaged({ segment: segment.base, from: offset, to: segment.end ?? this.#durable });
    return next;
  }

  /** Of the oldest record that is still there. */
  get first(): number {
    return this.segments.all[0]?.base ?? this.#durable;
  }

  /** Refuses what the log cannot take now; throws LogError. */
  admit(...lengths: readonly number[]): void {
    const { pendingBytesMax, segmentBytes } = this.#parts.limits;
    if (this.#closed) throw new LogError("closed", "the event log is closed");
    let bytes = 0;
    for (const length of lengths) {
      if (length > segmentBytes)
        throw new LogError("tooLarge", `a record of ${length} octets does not fit into the event log: it takes at most ${segmentBytes}`);
      bytes += length;
    }
    if (this.position - this.#durable + bytes > pendingBytesMax) throw new LogError("overloaded", "too many events wait for the disk: try again");
  }

  /** Octets of the disk that the log takes. */
  get bytes(): number {
    return this.segments.bytes(this.position);
  }

  /** Octets more fit below the log's size. What is known beside records may pass it: without it nothing would ever be finished. */
  hasRoom(bytes: number): boolean {
    const { allocateBytes, bytesMax } = this.#parts.limits;
    return this.bytes + bytes + allocateBytes <= bytesMax;
  }

  /** Puts a frame behind all others; its place, which counts once `settled` resolves. */
  append(frame: Omit<FrameParts, "offset">): number {
    const { last } = this.segments;
    if (last === undefined || this.position - last.body + frameLength(frame) > this.#parts.limits.segmentBytes) this.#beginSegment();
    return this.#blocks.append(frame);
  }

  /** A frame of a checkpoint: no segment's end comes before it. */
  put(frame: Omit<FrameParts, "offset">): void {
    this.#blocks.append(frame);
  }

  /** Resolves once everything up to and with this offset is on the disk; rejects with LogError when it is not. */
  settled(offset: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new LogError("closed", "the event log is closed"));
      this.#waiters.push({ offset, sinceMs: this.#parts.clock.monotonicMs(), done: (error) => (error === undefined ? resolve() : reject(error)) });
      this.commit();
    });
  }

  /** Writes what there is, with all that arrives in this turn of the loop. */
  commit(): void {
    if (this.#committing || this.#closed) return;
    this.#committing = true;
    if (!this.#watching) void this.#watch();
    setImmediate(() => void this.#run());
  }

  #beginSegment(): void {
    const { clock, checkpoint } = this.#parts;
    const mark = { stream: 0, timeMs: clock.wallMs(), keys: NO_KEYS };
    const segment = this.segments.begin(this.position, mark.timeMs);
    const before: SegmentMark["before"] = this.segments.all.flatMap(({ base, end, endedMs }) =>
      end === undefined ? [] : [[base, end, endedMs ?? mark.timeMs]],
    );
    this.put({ ...mark, kind: FRAME_KINDS.segment, value: Buffer.from(JSON.stringify({ format: LOG_FORMAT, before } satisfies SegmentMark)) });
    checkpoint();
    this.put({ ...mark, kind: FRAME_KINDS.begun, value: NO_KEYS });
    segment.body = this.position;
  }

  async #run(): Promise<void> {
    this.#parts.join();
    while (this.position > this.#durable && !this.#closed) {
      try {
        if (this.#suspect) await this.#repair();
        await this.#write(this.position);
      } catch (error) {
        this.#fail(diskRefusal(error));
        break;
      }
      this.#parts.join();
    }
    this.#committing = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #write(to: number): Promise<void> {
    for (const segment of this.segments.all.slice(-this.#unwritten())) {
      const from = Math.max(segment.base, this.#durable);
      const until = Math.min(to, segment.end ?? to);
      const file = await this.segments.writer(segment);
      const buffers: Buffer[] = this.#blocks.slices(from, until);
      const end = until - segment.base;
      const allocate = end > segment.allocated;
      if (allocate) buffers.push(this.#zeros);
      await file.write(buffers, from - segment.base);
      if (allocate) segment.allocated = end + this.#zeros.length;
      this.#advance(until);
    }
  }

  /** How many of the last segments end behind the durable position. */
  #unwritten(): number {
    const { all } = this.segments;
    return all.length - all.findLastIndex(({ base }) => base <= this.#durable);
  }

  #advance(to: number): void {
    this.#durable = to;
    let count = 0;
    while (count < this.#waiters.length && (this.#waiters[count] as Waiter).offset < to) count++;
    const settled = this.#waiters.slice(0, count);
    this.#waiters = this.#waiters.slice(count);
    this.#blocks.trim(to);
    for (const { done } of settled) done();
    this.#parts.advanced();
  }

  /** Nothing that was not acknowledged is kept: its place is used again, once the disk can. */
  #fail(error: LogError): void {
    this.#suspect = true;
    this.#blocks.rewind(this.#durable);
    this.#abandoned.push(...this.segments.rewind(this.#durable));
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#parts.lost();
    for (const { done } of waiters) done(error);
  }

  /** Cuts off what a failed write may have left, so that it can never be taken for something later. */
  async #repair(): Promise<void> {
    for (const segment of this.#abandoned) await this.segments.remove(segment);
    if (this.#abandoned.length > 0) await this.#parts.disk.syncFolder();
    this.#abandoned = [];
    const last = this.segments.all.findLast(({ base }) => base < this.#durable);
    if (last !== undefined) {
      const file = await this.segments.writer(last);
      await file.truncate(this.#durable - last.base);
      await file.datasync();
      last.allocated = this.#durable - last.base;
    }
    this.#suspect = false;
  }

  async #watch(): Promise<void> {
    const { clock, limits } = this.#parts;
    this.#watching = true;
    while (this.#committing && !this.#closed) {
      await clock.sleep(PATIENCE_MS, this.#closing.signal).catch(() => undefined);
      const lateMs = clock.monotonicMs() - limits.blockedMs;
      const late = this.#waiters.filter(({ sinceMs }) => sinceMs <= lateMs);
      if (late.length === 0) continue;
      this.#waiters = this.#waiters.slice(late.length);
      for (const { done } of late) done(new LogError("blocked", "the disk of the event log does not answer: the event may or may not be kept"));
    }
    this.#watching = false;
  }

  /** The octets from an offset on, as far as one piece of memory or one read has them; empty at the durable end, and where there is no segment any more. */
  async octets(offset: number, bytes: number): Promise<Buffer> {
    const segment = offset >= this.#durable ? undefined : this.segments.holding(offset);
    if (segment === undefined) return Buffer.alloc(0);
    const length = Math.min(this.#durable, segment.end ?? Infinity) - offset;
    const recent = this.#blocks.at(offset);
    if (recent !== undefined) return recent.length > length ? recent.subarray(0, length) : recent;
    const buffer = Buffer.allocUnsafeSlow(Math.min(bytes, length));
    const read = await this.segments.read(segment, buffer, offset - segment.base);
    return buffer.subarray(0, read);
  }

  /** The frame at an offset; undefined when there is none, or none any more. */
  async frameAt(offset: number): Promise<Frame | undefined> {
    for (let bytes = READ_BYTES; ;) {
      const octets = await this.octets(offset, bytes);
      const frame = octets.length < FRAME_HEAD ? undefined : decodeFrame(octets, 0, offset);
      if (frame === undefined || !("short" in frame)) return frame;
      if (frame.short <= bytes) return undefined;
      bytes = frame.short;
    }
  }

  /** What was appended is on the disk or refused; nothing is taken any more. */
  async close(): Promise<void> {
    if (this.#committing) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#closed = true;
    this.#closing.abort(new LogError("closed", "the event log is closed"));
    await this.segments.close();
  }
}

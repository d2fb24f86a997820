// Reads one stream in order, as far as its reader asks: nothing is read ahead, and at the head nothing runs.
import { decodeFrame, decodeKeys, FRAME_KINDS, type Frame } from "./frame.ts";
import type { Journal } from "./journal.ts";
import type { StreamState } from "./state.ts";

/** One read of the disk. */
const READ_BYTES = 256 << 10;
const BATCH_BYTES_MAX = 1 << 20;
/** Frames, of whatever stream. */
const BATCH_FRAMES_MAX = 4_000;

/** A record. Its octets are a view: who keeps it for long copies them. */
export interface LogRecord {
  readonly offset: number;
  /** The first offset behind it: where a cursor that has looked at it goes on. */
  readonly end: number;
  readonly timeMs: number;
  readonly value: Uint8Array;
  readonly keys: readonly string[];
}

export function recordOf({ offset, end, timeMs, value, keys }: Frame): LogRecord {
  return { offset, end, timeMs, value, keys: decodeKeys(keys) };
}

export class Reader {
  readonly #journal: Journal;
  readonly #stream: StreamState;
  readonly #bells: Set<() => void>;
  #at: number;

  constructor(journal: Journal, stream: StreamState, from: { at: number; bells: Set<() => void> }) {
    this.#journal = journal;
    this.#stream = stream;
    this.#at = from.at;
    this.#bells = from.bells;
  }

  /** Nothing of the stream from here on was given out. */
  get at(): number {
    return this.#at;
  }

  /** The next records, at least one; waits for it when there is none, and gives none only when the signal aborts. */
  async next(signal: AbortSignal): Promise<LogRecord[]> {
    while (!signal.aborted) {
      const records = await this.poll();
      if (records.length > 0) return records;
      if (this.#atHead()) await this.#bell(signal);
    }
    return [];
  }

  /** What can be had with one read; none at the head, and none where others' records lie. */
  async poll(): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    await this.visit((record) => records.push(record) > 0);
    return records;
  }

  /** Gives what can be had with one read, until a record is refused: that one comes again. What is not given is not decoded. */
  async visit(take: (record: LogRecord) => boolean): Promise<void> {
    if (this.#atHead()) {
      this.#at = this.#journal.durable;
      return;
    }
    const from = this.#journal.placeFrom(this.#at);
    this.#at = from;
    const octets = await this.#journal.octets(from, READ_BYTES);
    if (octets.length === 0) return this.#behindDamage();
    const end = from + Math.min(octets.length, BATCH_BYTES_MAX);
    for (let frames = 0; this.#at < end && frames < BATCH_FRAMES_MAX; frames++) {
      const frame = decodeFrame(octets, this.#at - from, this.#at);
      if (frame === undefined) return this.#behindDamage();
      if ("short" in frame) return this.#at > from ? undefined : this.#long(take);
      if (!this.#give(frame, take)) return;
    }
  }

  #atHead(): boolean {
    return this.#at >= this.#journal.durable || this.#stream.last < this.#at;
  }

  /** Others' records and all else is passed over. */
  #give(frame: Frame, take: (record: LogRecord) => boolean): boolean {
    if (frame.kind === FRAME_KINDS.record && frame.stream === this.#stream.id && !take(recordOf(frame))) return false;
    this.#at = frame.end;
    return true;
  }

  /** A record longer than one read. */
  async #long(take: (record: LogRecord) => boolean): Promise<void> {
    const frame = await this.#journal.frameAt(this.#at);
    if (frame === undefined) this.#behindDamage();
    else this.#give(frame, take);
  }

  /** What cannot be read, or is gone, ends with its segment. */
  #behindDamage(): void {
    this.#at = this.#journal.behindDamage(this.#at);
  }

  async #bell(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        this.#bells.delete(wake);
        resolve();
      };
      this.#bells.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}

// What is known of a sealed segment without reading it: its records' times, which keys may be in it, which records its notes may be about.
import { crc32 } from "node:zlib";
import { Bloom } from "./bloom.ts";
import { eachKey, FRAME_KINDS, type Frame } from "./frame.ts";
import { noted, placeOctets } from "./note.ts";

/** Before they are folded. 256 kB hold the keys of some 200,000 records with four keys each, one of them its own. */
const KEYS_BYTES = 256 << 10;
const NOTES_BYTES = 128 << 10;
const FORMAT = 1;
const HEAD_BYTES = 56;

export interface Summary {
  readonly base: number;
  readonly end: number;
  /** Of its records; Infinity and -Infinity when it has none. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** The records that its notes are about lie from here … */
  readonly notedFirst: number;
  /** … to here. */
  readonly notedLast: number;
  /** With the stream as seed. */
  readonly keys: Bloom;
  readonly notes: Bloom;
}

/** Is given the segment's frames, in any order. */
export class SummaryBuilder {
  readonly #keys = new Bloom(new Uint8Array(KEYS_BYTES));
  readonly #notes = new Bloom(new Uint8Array(NOTES_BYTES));
  #firstMs = Infinity;
  #lastMs = -Infinity;
  #notedFirst = Infinity;
  #notedLast = -Infinity;

  add(frame: Frame): void {
    if (frame.kind === FRAME_KINDS.record) this.#record(frame);
    else if (frame.kind === FRAME_KINDS.note) this.#note(frame);
  }

  #record({ stream, timeMs, keys }: Frame): void {
    if (timeMs < this.#firstMs) this.#firstMs = timeMs;
    if (timeMs > this.#lastMs) this.#lastMs = timeMs;
    eachKey(keys, (key) => this.#keys.add(key, stream));
  }

  #note({ stream, value }: Frame): void {
    const about = noted(value);
    if (about < this.#notedFirst) this.#notedFirst = about;
    if (about > this.#notedLast) this.#notedLast = about;
    this.#notes.add(placeOctets(about), stream);
  }

  build(base: number, end: number): Summary {
    const [firstMs, lastMs, notedFirst, notedLast] = [this.#firstMs, this.#lastMs, this.#notedFirst, this.#notedLast];
    return { base, end, firstMs, lastMs, notedFirst, notedLast, keys: this.#keys.folded(), notes: this.#notes.folded() };
  }
}

/** `u32 CRC-32 of what follows · u16 format · u16 0 · f64 base, end, first and last time, first and last noted · keys · notes · u32 octets of the keys` */
export function encodeSummary({ base, end, firstMs, lastMs, notedFirst, notedLast, keys, notes }: Summary): Buffer {
  const octets = Buffer.alloc(HEAD_BYTES + keys.octets.length + notes.octets.length + 4);
  octets.writeUInt16LE(FORMAT, 4);
  for (const [index, value] of [base, end, firstMs, lastMs, notedFirst, notedLast].entries()) octets.writeDoubleLE(value, 8 + index * 8);
  octets.set(keys.octets, HEAD_BYTES);
  octets.set(notes.octets, HEAD_BYTES + keys.octets.length);
  octets.writeUInt32LE(keys.octets.length, octets.length - 4);
  octets.writeUInt32LE(crc32(octets.subarray(4)), 0);
  return octets;
}

/** Undefined when it is not whole, or of another format: it is made again. */
export function decodeSummary(octets: Buffer): Summary | undefined {
  if (octets.length < HEAD_BYTES + 4 || octets.readUInt32LE(0) !== crc32(octets.subarray(4)) || octets.readUInt16LE(4) !== FORMAT) return undefined;
  const keysEnd = HEAD_BYTES + octets.readUInt32LE(octets.length - 4);
  const number = (index: number): number => octets.readDoubleLE(8 + index * 8);
  return {
    base: number(0),
    end: number(1),
    firstMs: number(2),
    lastMs: number(3),
    notedFirst: number(4),
    notedLast: number(5),
    keys: new Bloom(octets.subarray(HEAD_BYTES, keysEnd)),
    notes: new Bloom(octets.subarray(keysEnd, octets.length - 4)),
  };
}

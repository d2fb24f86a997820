// Notes: what is said of a record later, in a frame of its own that begins with the record's offset.
import type { Frame } from "./frame.ts";

const PLACE_BYTES = 8;

export interface LogNote {
  /** Its own place. */
  readonly offset: number;
  readonly timeMs: number;
  readonly value: Uint8Array;
}

export function placeOctets(offset: number): Buffer {
  const octets = Buffer.allocUnsafe(PLACE_BYTES);
  octets.writeDoubleLE(offset, 0);
  return octets;
}

export function encodeNote(about: number, value: Uint8Array): Buffer {
  return Buffer.concat([placeOctets(about), value]);
}

/** The record that a note's frame is about. */
export function noted(value: Uint8Array): number {
  return value.length < PLACE_BYTES ? -1 : Buffer.from(value.buffer, value.byteOffset, PLACE_BYTES).readDoubleLE(0);
}

export function noteOf({ offset, timeMs, value }: Frame): LogNote {
  return { offset, timeMs, value: value.subarray(PLACE_BYTES) };
}

// A frame: what the log's files are made of, one record of any kind each. A frame names its own place, so that no stale octets pass for it.
import { crc32 } from "node:zlib";

/**
 * ```
 *  0 u32 length of the whole frame     4 u32 CRC-32 of what follows
 *  8 f64 offset (its own place)       16 f64 time, ms since the epoch
 * 24 u32 stream, 0 for none           28 u8 kind   29 u8 0   30 u16 length of the keys
 * 32 keys: each u16 length and UTF-8  … value to the end
 * ```
 */
export const FRAME_HEAD = 32;
export const KEYS_MAX = 32;
export const KEYS_BYTES_MAX = 4096;

export const FRAME_KINDS = { segment: 1, stream: 2, cursor: 3, run: 4, begun: 5, record: 6, note: 7 } as const;
export type FrameKind = keyof typeof FRAME_KINDS;

/** A frame in octets that somebody else owns: valid as long as they are. */
export interface Frame {
  readonly offset: number;
  /** Where the next frame begins. */
  readonly end: number;
  readonly kind: number;
  readonly stream: number;
  readonly timeMs: number;
  readonly keys: Uint8Array;
  readonly value: Uint8Array;
}

export interface FrameParts {
  readonly offset: number;
  readonly kind: number;
  readonly stream: number;
  readonly timeMs: number;
  /** As `encodeKeys` makes them. */
  readonly keys: Uint8Array;
  readonly value: Uint8Array;
}

export function frameLength(parts: { readonly keys: Uint8Array; readonly value: Uint8Array }): number {
  return FRAME_HEAD + parts.keys.length + parts.value.length;
}

/** Writes the frame into `into` at `at`, where there is room for it; where it ends. */
export function encodeFrame(into: Buffer, at: number, { offset, kind, stream, timeMs, keys, value }: FrameParts): number {
  const end = at + FRAME_HEAD + keys.length + value.length;
  into.writeUInt32LE(end - at, at);
  into.writeDoubleLE(offset, at + 8);
  into.writeDoubleLE(timeMs, at + 16);
  into.writeUInt32LE(stream, at + 24);
  into[at + 28] = kind;
  into[at + 29] = 0;
  into.writeUInt16LE(keys.length, at + 30);
  if (keys.length > 0) into.set(keys, at + FRAME_HEAD);
  into.set(value, at + FRAME_HEAD + keys.length);
  into.writeUInt32LE(crc32(into.subarray(at + 8, end)), at + 4);
  return end;
}

/**
 * The frame that begins at `at` and claims to be at `offset`; `short` when it may go on behind the octets at hand, with the length it
 * wants; undefined when there is none.
 */
export function decodeFrame(from: Buffer, at: number, offset: number): Frame | { readonly short: number } | undefined {
  const left = from.length - at;
  if (left < 4) return { short: FRAME_HEAD };
  const length = from.readUInt32LE(at);
  if (length < FRAME_HEAD) return undefined;
  if (length > left) return { short: length };
  if (from.readDoubleLE(at + 8) !== offset || crc32(from.subarray(at + 8, at + length)) !== from.readUInt32LE(at + 4)) return undefined;
  const keysEnd = at + FRAME_HEAD + from.readUInt16LE(at + 30);
  if (keysEnd > at + length) return undefined;
  return {
    offset,
    end: offset + length,
    kind: from[at + 28] ?? 0,
    stream: from.readUInt32LE(at + 24),
    timeMs: from.readDoubleLE(at + 16),
    keys: from.subarray(at + FRAME_HEAD, keysEnd),
    value: from.subarray(keysEnd, at + length),
  };
}

export const NO_KEYS = new Uint8Array(0);

/** Index keys as octets; undefined when they are too many or too long. */
export function encodeKeys(keys: readonly string[]): Uint8Array | undefined {
  if (keys.length === 0) return NO_KEYS;
  if (keys.length > KEYS_MAX) return undefined;
  let length = 0;
  for (const key of keys) length += 2 + Buffer.byteLength(key);
  if (length > KEYS_BYTES_MAX) return undefined;
  const encoded = Buffer.allocUnsafe(length);
  let at = 0;
  for (const key of keys) {
    const bytes = encoded.write(key, at + 2);
    encoded.writeUInt16LE(bytes, at);
    at += 2 + bytes;
  }
  return encoded;
}

/** Each key of a frame, as octets. */
export function eachKey(octets: Uint8Array, each: (key: Uint8Array) => void): void {
  for (let at = 0; at + 2 <= octets.length;) {
    const end = at + 2 + (octets[at] ?? 0) + ((octets[at + 1] ?? 0) << 8);
    each(octets.subarray(at + 2, end));
    at = end;
  }
}

export function decodeKeys(octets: Uint8Array): string[] {
  const keys: string[] = [];
  eachKey(octets, (key) => keys.push(Buffer.from(key.buffer, key.byteOffset, key.length).toString()));
  return keys;
}

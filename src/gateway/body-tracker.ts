// Follows a message body through the bytes that pass: counts, never copies, never re-encodes (RFC 9112 6 and 7).
import { isTokenOctet, isValueOctet } from "./head-scan.ts";
import type { Framing } from "./request-head.ts";

/** Longest chunk-size line with its extensions. */
const CHUNK_LINE_BYTES_MAX = 4096;
/** Longest trailer section. */
const TRAILER_BYTES_MAX = 16 * 1024;
/** 2^52 in hexadecimal has 14 digits. */
const CHUNK_DIGITS_MAX = 13;

const SIZE_START = 0;
const SIZE = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILER_START = 7;
const TRAILER_NAME = 8;
const TRAILER_VALUE = 9;
const TRAILER_LF = 10;
const END_LF = 11;

const CR = 13;
const LF = 10;
const SEMICOLON = 59;
const COLON = 58;

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** One tracker serves all messages of one direction of a connection, one after the other. */
export class BodyTracker {
  /** The body is complete. */
  done = true;
  /** The framing is invalid: the connection cannot be used any more. */
  failed = false;
  /** Octets of the body that are known to come: of the whole by length, of the present chunk otherwise. */
  remaining = 0;
  #chunked = false;
  #untilClose = false;
  #state = SIZE_START;
  #lineBytes = 0;
  #digits = 0;

  begin(framing: Framing): void {
    this.#chunked = framing === "chunked";
    this.#untilClose = framing === "close";
    this.remaining = typeof framing === "number" ? framing : 0;
    this.done = framing === 0;
    this.failed = false;
    this.#state = SIZE_START;
    this.#lineBytes = 0;
  }

  /** True where a chunk may begin: between two chunks. */
  get betweenChunks(): boolean {
    return this.#chunked && !this.done && this.#state === SIZE_START;
  }

  /** True inside the data of a chunk, `remaining` octets before its end. */
  get insideChunk(): boolean {
    return this.#chunked && this.#state === DATA;
  }

  get untilClose(): boolean {
    return this.#untilClose;
  }

  /** Takes `bytes[from, to)`; answers the index after the last octet that belongs to this body. */
  feed(bytes: Buffer, from: number, to: number): number {
    if (this.done || this.failed) return from;
    if (this.#untilClose) return to;
    if (this.#chunked) return this.#feedChunks(bytes, from, to);
    const taken = Math.min(this.remaining, to - from);
    this.remaining -= taken;
    this.done = this.remaining === 0;
    return from + taken;
  }

  #feedChunks(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to) {
      if (this.#state === DATA) {
        const taken = Math.min(this.remaining, to - at);
        this.remaining -= taken;
        at += taken;
        if (this.remaining === 0) this.#state = DATA_CR;
        continue;
      }
      if (!this.#step(bytes[at++] ?? 0)) {
        this.failed = true;
        return at;
      }
      if (this.done) return at;
    }
    return at;
  }

  /** One octet outside of chunk data; false when it may not stand here. */
  #step(code: number): boolean {
    switch (this.#state) {
      case SIZE_START:
      case SIZE:
      case EXTENSION:
      case SIZE_LF:
        return this.#sizeLine(code);
      case DATA_CR:
        this.#state = DATA_LF;
        return code === CR;
      case DATA_LF:
        this.#state = SIZE_START;
        return code === LF;
      default:
        return this.#trailer(code);
    }
  }

  #sizeLine(code: number): boolean {
    if (this.#state === SIZE_START) {
      this.#lineBytes = 0;
      this.#digits = 0;
      this.remaining = 0;
    }
    if (++this.#lineBytes > CHUNK_LINE_BYTES_MAX) return false;
    if (this.#state === SIZE_LF) {
      this.#lineBytes = 0;
      this.#state = this.remaining === 0 ? TRAILER_START : DATA;
      return code === LF;
    }
    if (this.#state !== EXTENSION) {
      const digit = hexValue(code);
      if (digit >= 0) {
        this.#state = SIZE;
        this.remaining = this.remaining * 16 + digit;
        return ++this.#digits <= CHUNK_DIGITS_MAX;
      }
      if (this.#state === SIZE_START || (code !== CR && code !== SEMICOLON)) return false;
    }
    this.#state = code === CR ? SIZE_LF : EXTENSION;
    return code === CR || isValueOctet(code);
  }

  #trailer(code: number): boolean {
    if (++this.#lineBytes > TRAILER_BYTES_MAX) return false;
    switch (this.#state) {
      case TRAILER_START:
        this.#state = code === CR ? END_LF : TRAILER_NAME;
        return code === CR || isTokenOctet(code);
      case TRAILER_NAME:
        if (code === COLON) this.#state = TRAILER_VALUE;
        return code === COLON || isTokenOctet(code);
      case TRAILER_VALUE:
        if (code === CR) this.#state = TRAILER_LF;
        return code === CR || isValueOctet(code);
      case TRAILER_LF:
        this.#state = TRAILER_START;
        return code === LF;
      default:
        this.done = code === LF;
        return this.done;
    }
  }
}

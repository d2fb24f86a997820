// Follows a message body through the bytes that pass: counts, never copies, never re-encodes (RFC 9112 6 and 7).
import { isTokenOctet, isValueOctet } from "./head-scan.ts";
import type { Framing } from "./request-head.ts";
import { mayTrail } from "./trailers.ts";

/** Longest chunk-size line with its extensions. */
const CHUNK_LINE_BYTES_MAX = 4096;
/** Octets of all extensions of a body: nobody uses them, and a chunk an octet would carry four thousand for each. */
const EXTENSION_BYTES_MAX = 16 * 1024;
/** Longest trailer section. */
const TRAILER_BYTES_MAX = 16 * 1024;
/** 2^52 in hexadecimal has 14 digits. */
const CHUNK_DIGITS_MAX = 13;

const SIZE_START = 0;
const SIZE = 1;
const EXTENSION_START = 2;
const EXTENSION_NAME = 3;
const EXTENSION_VALUE_START = 4;
const EXTENSION_VALUE = 5;
const EXTENSION_QUOTED = 6;
const EXTENSION_ESCAPED = 7;
const EXTENSION_CLOSED = 8;
const SIZE_LF = 9;
const DATA = 10;
const DATA_CR = 11;
const DATA_LF = 12;
const TRAILER_START = 13;
const TRAILER_NAME = 14;
const TRAILER_VALUE = 15;
const TRAILER_LF = 16;
const END_LF = 17;

const CR = 13;
const LF = 10;
const SEMICOLON = 59;
const COLON = 58;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

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
  /** Octets of content that were announced: of the whole by length, of the chunks so far otherwise. */
  announced = 0;
  /** More content than this fails; set anew for each body. */
  limit = Infinity;
  #chunked = false;
  #untilClose = false;
  #state = SIZE_START;
  #lineBytes = 0;
  #digits = 0;
  #extensionBytes = 0;
  /** Name of the trailer field that is being read. */
  #name = "";

  begin(framing: Framing): void {
    this.#chunked = framing === "chunked";
    this.#untilClose = framing === "close";
    this.remaining = typeof framing === "number" ? framing : 0;
    this.announced = this.remaining;
    this.limit = Infinity;
    this.done = framing === 0;
    this.failed = false;
    this.#state = SIZE_START;
    this.#lineBytes = 0;
    this.#extensionBytes = 0;
  }

  /** More content was announced than `limit` allows. */
  get tooLarge(): boolean {
    return this.announced > this.limit;
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
      case SIZE_LF:
        return this.#sizeLine(code);
      case DATA_CR:
        this.#state = DATA_LF;
        return code === CR;
      case DATA_LF:
        this.#state = SIZE_START;
        return code === LF;
      case TRAILER_START:
      case TRAILER_NAME:
      case TRAILER_VALUE:
      case TRAILER_LF:
      case END_LF:
        return this.#trailer(code);
      default:
        return this.#extension(code);
    }
  }

  #sizeLine(code: number): boolean {
    if (this.#state === SIZE_START) {
      this.#lineBytes = 0;
      this.#digits = 0;
      this.remaining = 0;
    }
    if (this.#state === SIZE_LF) {
      this.#lineBytes = 0;
      this.announced += this.remaining;
      this.#state = this.remaining === 0 ? TRAILER_START : DATA;
      return code === LF && !this.tooLarge;
    }
    this.#lineBytes++;
    const digit = hexValue(code);
    if (digit >= 0) {
      this.#state = SIZE;
      this.remaining = this.remaining * 16 + digit;
      return ++this.#digits <= CHUNK_DIGITS_MAX;
    }
    if (this.#state === SIZE_START) return false;
    return this.#extensionEnd(code);
  }

  /** `;name`, `;name=token` or `;name="text"`, without white space: no other form is understood alike by all (RFC 9112 7.1.1). */
  #extension(code: number): boolean {
    if (++this.#lineBytes > CHUNK_LINE_BYTES_MAX || ++this.#extensionBytes > EXTENSION_BYTES_MAX) return false;
    switch (this.#state) {
      case EXTENSION_START:
        this.#state = EXTENSION_NAME;
        return isTokenOctet(code);
      case EXTENSION_NAME:
        if (code === EQUALS) this.#state = EXTENSION_VALUE_START;
        return code === EQUALS || isTokenOctet(code) || this.#extensionEnd(code);
      case EXTENSION_VALUE_START:
        this.#state = code === QUOTE ? EXTENSION_QUOTED : EXTENSION_VALUE;
        return code === QUOTE || isTokenOctet(code);
      case EXTENSION_VALUE:
        return isTokenOctet(code) || this.#extensionEnd(code);
      case EXTENSION_QUOTED:
        if (code === QUOTE) this.#state = EXTENSION_CLOSED;
        else if (code === BACKSLASH) this.#state = EXTENSION_ESCAPED;
        return isValueOctet(code);
      case EXTENSION_ESCAPED:
        this.#state = EXTENSION_QUOTED;
        return isValueOctet(code);
      default:
        return this.#extensionEnd(code);
    }
  }

  #extensionEnd(code: number): boolean {
    this.#state = code === CR ? SIZE_LF : EXTENSION_START;
    return code === CR || code === SEMICOLON;
  }

  #trailer(code: number): boolean {
    if (++this.#lineBytes > TRAILER_BYTES_MAX) return false;
    switch (this.#state) {
      case TRAILER_START:
        this.#state = code === CR ? END_LF : TRAILER_NAME;
        this.#name = String.fromCharCode(code);
        return code === CR || isTokenOctet(code);
      case TRAILER_NAME:
        if (code === COLON) {
          this.#state = TRAILER_VALUE;
          return mayTrail(this.#name);
        }
        this.#name += String.fromCharCode(code);
        return isTokenOctet(code);
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

// Protobuf's wire format, read: every length is checked against what is there before it is believed.
import { badRequest, type StatusError } from "#core";
import { FIXED64, LENGTH_DELIMITED, VARINT } from "./writer.ts";

const START_GROUP = 3;
const END_GROUP = 4;
const FIXED32 = 5;

/** No object of any kind nests deeper, and readers recurse. */
const DEPTH_MAX = 500;
/** Numbers take at most so many bytes on the wire. */
const VARINT_BYTES_MAX = 10;

const unexpectedEnd = (): StatusError => badRequest("unexpected EOF");

/** Reads `bytes` from the start; all failures are `BadRequest` with Go's texts. */
export class ProtoReader {
  readonly #bytes: Buffer;
  #at = 0;
  #end: number;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
  }

  /** Whether the message that is being read has no more fields. */
  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** A number below 2^53; a larger one fails with `tooLarge`. Negative numbers come as such. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      if (this.#at >= this.#end) throw unexpectedEnd();
      const byte = this.#bytes[this.#at++] ?? 0;
      // From the eighth byte on, doubles would lose bits.
      if (count === 7) return this.#large(value, byte);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    throw badRequest("proto: integer overflow");
  }

  #large(low: number, eighth: number): number {
    let value = BigInt(low) | (BigInt(eighth & 0x7f) << 49n);
    let byte = eighth;
    for (let count = 8; byte >= 0x80; count++) {
      if (count >= VARINT_BYTES_MAX) throw badRequest("proto: integer overflow");
      if (this.#at >= this.#end) throw unexpectedEnd();
      byte = this.#bytes[this.#at++] ?? 0;
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
    }
    const signed = BigInt.asIntN(64, value);
    const number = Number(signed);
    if (!Number.isSafeInteger(number)) throw badRequest(`number ${signed} is beyond 2^53 and cannot be kept exactly`);
    return number;
  }

  /** The field and wire type of the next value; `owner` is the message's name for complaints. */
  tag(owner: string): { readonly field: number; readonly wire: number } {
    const head = this.varint();
    const field = Math.floor(head / 8);
    const wire = head & 7;
    if (wire === END_GROUP) throw badRequest(`proto: ${owner}: wiretype end group for non-group`);
    if (field <= 0 || field > 0x1fff_ffff) throw badRequest(`proto: ${owner}: illegal tag ${field} (wire type ${wire})`);
    return { field, wire };
  }

  #length(): number {
    const length = this.varint();
    if (length < 0) throw badRequest("proto: negative length found during unmarshaling");
    if (length > this.#end - this.#at) throw unexpectedEnd();
    return length;
  }

  text(): string {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return this.#bytes.toString("utf8", start, this.#at);
  }

  double(): number {
    const start = this.#at;
    this.#pass(8);
    return this.#bytes.readDoubleLE(start);
  }

  /** A view into what is read, not a copy. */
  bytes(): Buffer {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  /** Runs `read` over the content of a message: `done` is true at its end. */
  message(read: () => void): void {
    const length = this.#length();
    if (++this.#depth > DEPTH_MAX) throw badRequest("proto: exceeded max depth");
    const outer = this.#end;
    this.#end = this.#at + length;
    read();
    this.#at = this.#end;
    this.#end = outer;
    this.#depth--;
  }

  /** Passes over the value of a field that nobody knows. */
  skip(wire: number): void {
    let groups = 0;
    for (let type = wire; ; type = this.varint() & 7) {
      if (type === VARINT) this.#skipVarint();
      else if (type === FIXED64) this.#pass(8);
      else if (type === LENGTH_DELIMITED) this.#pass(this.#length());
      else if (type === START_GROUP) groups++;
      else if (type === END_GROUP) {
        if (groups === 0) throw badRequest("proto: unexpected end of group");
        groups--;
      } else if (type === FIXED32) this.#pass(4);
      else throw badRequest(`proto: illegal wireType ${type}`);
      if (groups === 0) return;
    }
  }

  #skipVarint(): void {
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      if (this.#at >= this.#end) throw unexpectedEnd();
      if ((this.#bytes[this.#at++] ?? 0) < 0x80) return;
    }
    throw badRequest("proto: integer overflow");
  }

  #pass(size: number): void {
    if (size > this.#end - this.#at) throw unexpectedEnd();
    this.#at += size;
  }
}

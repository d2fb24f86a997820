// Protobuf's wire format, written from the end to the start: the length of a message is known when its head is written.

/** Enough for most objects; doubled when it is not. */
const INITIAL_BYTES = 4 << 10;
/** Shorter texts are copied char by char: a call out of JavaScript costs more. */
const SHORT = 48;

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH_DELIMITED = 2;

/** Grows towards the front; what is written first comes last. One writer makes one message. */
export class ProtoWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #at = INITIAL_BYTES;

  /** Bytes written so far; remember it before a message's content to tell the length afterwards. */
  get length(): number {
    return this.#buffer.length - this.#at;
  }

  /** Makes room for `size` bytes and returns where they begin: in a new buffer, perhaps, so that it is asked for afterwards. */
  #take(size: number): number {
    if (size > this.#at) {
      const { length } = this;
      const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, length + size * 2));
      this.#buffer.copy(grown, grown.length - length, this.#at);
      this.#buffer = grown;
      this.#at = grown.length - length;
    }
    this.#at -= size;
    return this.#at;
  }

  /** A whole number; negative ones take ten bytes, as Go writes them. */
  varint(value: number): void {
    if (value >= 0 && value < 0x80) {
      const at = this.#take(1);
      this.#buffer[at] = value;
      return;
    }
    let rest = value < 0 ? BigInt.asUintN(64, BigInt(value)) : value;
    if (typeof rest === "bigint") {
      let at = this.#take(10);
      for (let index = 0; index < 9; index++, rest >>= 7n) this.#buffer[at++] = Number(rest & 0x7fn) | 0x80;
      this.#buffer[at] = Number(rest);
      return;
    }
    let size = 1;
    for (let left = rest; left >= 0x80; left = Math.floor(left / 0x80)) size++;
    let at = this.#take(size);
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#buffer[at++] = (rest % 0x80) | 0x80;
    this.#buffer[at] = rest;
  }

  /** The head of a field; numbers of fields are small. */
  tag(field: number, wire: number): void {
    this.varint((field << 3) | wire);
  }

  /** The head of what was written since `length` was `before`. */
  endMessage(field: number, before: number): void {
    this.varint(this.length - before);
    this.tag(field, LENGTH_DELIMITED);
  }

  double(value: number): void {
    const at = this.#take(8);
    this.#buffer.writeDoubleLE(value, at);
  }

  /** A text with its length. */
  text(value: string): void {
    const { length } = value;
    if (length > SHORT || !this.#ascii(value)) {
      const size = Buffer.byteLength(value);
      const at = this.#take(size);
      this.#buffer.write(value, at, size, "utf8");
      this.varint(size);
    } else this.varint(length);
  }

  /** Writes a text of one byte a char; false, and nothing written, when it is none. */
  #ascii(value: string): boolean {
    const at = this.#take(value.length);
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) {
        this.#at += value.length;
        return false;
      }
      this.#buffer[at + index] = code;
    }
    return true;
  }

  /** Bytes with their length. */
  bytes(value: Uint8Array): void {
    const at = this.#take(value.length);
    this.#buffer.set(value, at);
    this.varint(value.length);
  }

  /** Bytes as they are. */
  raw(value: Uint8Array): void {
    const at = this.#take(value.length);
    this.#buffer.set(value, at);
  }

  /** All that was written; the writer must not be used afterwards. */
  finish(): Uint8Array {
    return this.#buffer.subarray(this.#at);
  }
}

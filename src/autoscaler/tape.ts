// Rows of numbers packed into few bytes: what a busy revision's recording is kept as.

const FIRST_BYTES = 512;
const FLOAT_BYTES = 8;
/** Whole numbers below this are packed as such, of either sign. */
const WHOLE_MAX = 2 ** 40;
/** A packed number: seven bits a byte of a whole one, or a mark and eight bytes. */
const NUMBER_BYTES_MAX = 9;

/** Only grows; a number comes out as it went in, bit for bit. Undefined is a value, too. */
export class Tape {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes that it occupies. */
  get size(): number {
    return this.#bytes.length;
  }

  row(numbers: readonly (number | undefined)[]): void {
    this.#reserve((numbers.length + 1) * NUMBER_BYTES_MAX);
    this.#number(numbers.length);
    for (const number of numbers) this.#number(number);
  }

  /** Gives back what was reserved. */
  trim(): void {
    if (this.#length === this.#bytes.length) return;
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    this.#bytes.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
  }

  *rows(): Iterable<(number | undefined)[]> {
    const at = { offset: 0 };
    while (at.offset < this.#length) {
      const count = this.#read(at) ?? 0;
      yield Array.from({ length: count }, () => this.#read(at));
    }
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#length + bytes));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }

  /** The lowest two bits of the first byte tell the form: 0 whole, 1 negative whole, 2 any other, 3 undefined. */
  #number(value: number | undefined): void {
    if (value === undefined) this.#bytes[this.#length++] = 3;
    else if (Number.isInteger(value) && Math.abs(value) < WHOLE_MAX && !Object.is(value, -0)) this.#whole(Math.abs(value), value < 0 ? 1 : 0);
    else {
      this.#bytes[this.#length++] = 2;
      this.#bytes.writeDoubleLE(value, this.#length);
      this.#length += FLOAT_BYTES;
    }
  }

  /** Five bits in the first byte, seven in each other one; the highest bit says that another follows. */
  #whole(value: number, form: number): void {
    let rest = Math.floor(value / 32);
    this.#bytes[this.#length++] = form | ((value % 32) << 2) | (rest > 0 ? 128 : 0);
    while (rest > 0) {
      const next = Math.floor(rest / 128);
      this.#bytes[this.#length++] = (rest % 128) | (next > 0 ? 128 : 0);
      rest = next;
    }
  }

  #read(at: { offset: number }): number | undefined {
    const first = this.#bytes[at.offset++] ?? 3;
    const form = first & 3;
    if (form === 3) return undefined;
    if (form === 2) {
      at.offset += FLOAT_BYTES;
      return this.#bytes.readDoubleLE(at.offset - FLOAT_BYTES);
    }
    let value = (first >> 2) & 31;
    let scale = 32;
    for (let byte = first; byte >= 128; scale *= 128) {
      byte = this.#bytes[at.offset++] ?? 0;
      value += (byte & 127) * scale;
    }
    return form === 1 ? -value : value;
  }
}

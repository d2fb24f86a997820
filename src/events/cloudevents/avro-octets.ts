// Avro's binary encoding, as far as the schema of CloudEvents has it. Whatever is read has to be there: no count is believed that the octets cannot hold.
import { TextDecoder } from "node:util";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Records inside one another in the data. */
const DEPTH_MAX = 100;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Branches of the union of the data; of a value in its map (which has a record where arrays and maps would be); of a value in a record. */
const TOP = { boolean: 2, map: 3, array: 4, double: 5, string: 6 } as const;
const MEMBER = { null: 0, boolean: 1, record: 2, double: 3, string: 4 } as const;
const INNER = { null: 0, boolean: 1, map: 2, array: 3, double: 4, string: 5 } as const;

/** Throws for octets that do not fit. */
export class AvroReader {
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  }

  end(): void {
    if (this.#at !== this.#octets.length) throw new Error("octets behind the record");
  }

  boolean(): boolean {
    return this.#octet() !== 0;
  }

  /** Of 32 bits, zigzag. */
  int(): number {
    let raw = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const octet = this.#octet();
      raw += (octet & 0x7f) * 2 ** shift;
      if (octet < 0x80) {
        if (raw > 0xffff_ffff) break;
        return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
      }
    }
    throw new Error("an integer of more than 32 bits");
  }

  double(): number {
    const at = this.#take(8);
    return this.#view.getFloat64(at, true);
  }

  bytes(): Uint8Array {
    const length = this.int();
    const at = this.#take(length);
    return this.#octets.subarray(at, at + length);
  }

  string(): string {
    return UTF8.decode(this.bytes());
  }

  /** Items of a map or an array, each of which has at least one octet. */
  blocks(item: () => void): void {
    for (let count = this.int(); count !== 0; count = this.int()) {
      // A negative count has the block's size behind it.
      if (count < 0) this.int();
      const items = Math.abs(count);
      if (items > this.#octets.length - this.#at) throw new Error("a block of more items than there are octets");
      for (let index = 0; index < items; index++) item();
    }
  }

  /** The JSON text of data of this branch. */
  jsonText(branch: number): string {
    switch (branch) {
      case TOP.boolean:
        return String(this.boolean());
      case TOP.map:
        return this.#object(() => this.#member());
      case TOP.array:
        return this.#array(() => this.#record(1));
      case TOP.double:
        return numberText(this.double());
      default:
        throw new Error(`no branch ${branch} of the data`);
    }
  }

  #member(): string {
    const branch = this.int();
    if (branch === MEMBER.null) return "null";
    if (branch === MEMBER.boolean) return String(this.boolean());
    if (branch === MEMBER.record) return this.#record(1);
    if (branch === MEMBER.double) return numberText(this.double());
    if (branch === MEMBER.string) return JSON.stringify(this.string());
    throw new Error(`no branch ${branch} of a member of the data`);
  }

  /** A record has one field, a map. */
  #record(depth: number): string {
    if (depth > DEPTH_MAX) throw new Error(`more than ${DEPTH_MAX} records inside one another`);
    return this.#object(() => this.#inner(depth));
  }

  #inner(depth: number): string {
    const branch = this.int();
    if (branch === INNER.null) return "null";
    if (branch === INNER.boolean) return String(this.boolean());
    if (branch === INNER.map) return this.#object(() => this.#record(depth + 1));
    if (branch === INNER.array) return this.#array(() => this.#record(depth + 1));
    if (branch === INNER.double) return numberText(this.double());
    if (branch === INNER.string) return JSON.stringify(this.string());
    throw new Error(`no branch ${branch} of a value of the data`);
  }

  #object(value: () => string): string {
    const members: string[] = [];
    this.blocks(() => void members.push(`${JSON.stringify(this.string())}:${value()}`));
    return `{${members.join(",")}}`;
  }

  #array(value: () => string): string {
    const items: string[] = [];
    this.blocks(() => void items.push(value()));
    return `[${items.join(",")}]`;
  }

  #octet(): number {
    return this.#octets[this.#take(1)] ?? 0;
  }

  #take(length: number): number {
    const at = this.#at;
    if (length < 0 || at + length > this.#octets.length) throw new Error("it ends too early");
    this.#at += length;
    return at;
  }
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new Error(`${value} is no number of JSON`);
  return Object.is(value, -0) ? "-0" : String(value);
}

export class AvroWriter {
  readonly #parts: Uint8Array[] = [];

  finish(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  /** Zigzag; of up to 33 bits here: lengths and integers. */
  long(value: number): this {
    const octets: number[] = [];
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) octets.push((rest % 128) | 0x80);
    octets.push(rest);
    return this.#put(Uint8Array.from(octets));
  }

  boolean(value: boolean): this {
    return this.#put(Uint8Array.of(value ? 1 : 0));
  }

  double(value: number): this {
    const octets = Buffer.alloc(8);
    octets.writeDoubleLE(value);
    return this.#put(octets);
  }

  bytes(octets: Uint8Array): this {
    return this.long(octets.length).#put(octets);
  }

  string(text: string): this {
    return this.bytes(Buffer.from(text));
  }

  /** How many items follow; 0 ends a map or an array. */
  block(items: number): this {
    return this.long(items);
  }

  /** Data with its branch. False, and nothing is written: the schema has no place for such a value (null, and what is inside arrays but objects). */
  json(value: Json): boolean {
    const plan = new AvroWriter();
    if (!plan.#top(value)) return false;
    this.#parts.push(...plan.#parts);
    return true;
  }

  #top(value: Json): boolean {
    if (typeof value === "boolean") return this.long(TOP.boolean).boolean(value).#done();
    if (typeof value === "number") return this.long(TOP.double).double(value).#done();
    if (typeof value === "string") return this.long(TOP.string).string(value).#done();
    if (value === null) return false;
    if (isArray(value)) return this.long(TOP.array).#items(value, 1);
    return this.long(TOP.map).#object(value, (member) => this.#member(member));
  }

  #member(value: Json): boolean {
    if (value === null) return this.long(MEMBER.null).#done();
    if (typeof value === "boolean") return this.long(MEMBER.boolean).boolean(value).#done();
    if (typeof value === "number") return this.long(MEMBER.double).double(value).#done();
    if (typeof value === "string") return this.long(MEMBER.string).string(value).#done();
    return !isArray(value) && this.long(MEMBER.record).#record(value, 1);
  }

  #record(value: Json, depth: number): boolean {
    return isObject(value) && depth <= DEPTH_MAX && this.#object(value, (inner) => this.#inner(inner, depth));
  }

  #inner(value: Json, depth: number): boolean {
    if (value === null) return this.long(INNER.null).#done();
    if (typeof value === "boolean") return this.long(INNER.boolean).boolean(value).#done();
    if (typeof value === "number") return this.long(INNER.double).double(value).#done();
    if (typeof value === "string") return this.long(INNER.string).string(value).#done();
    if (isArray(value)) return this.long(INNER.array).#items(value, depth + 1);
    return this.long(INNER.map).#object(value, (member) => this.#record(member, depth + 1));
  }

  #items(items: readonly Json[], depth: number): boolean {
    if (items.length > 0) this.block(items.length);
    return items.every((item) => this.#record(item, depth)) && this.block(0).#done();
  }

  #object(object: Readonly<Record<string, Json>>, write: (value: Json) => boolean): boolean {
    const members = Object.entries(object);
    if (members.length > 0) this.block(members.length);
    return members.every(([name, value]) => write.call(this.string(name), value)) && this.block(0).#done();
  }

  #done(): boolean {
    return true;
  }

  #put(octets: Uint8Array): this {
    this.#parts.push(octets);
    return this;
  }
}

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);
const isObject = (value: Json): value is Readonly<Record<string, Json>> => typeof value === "object" && value !== null && !isArray(value);

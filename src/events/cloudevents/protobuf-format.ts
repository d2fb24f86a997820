// The protobuf format (1.0), single and in batches: messages CloudEvent, CloudEventBatch and what is inside them, by field number.
import { TextDecoder } from "node:util";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { AttributeValue, CloudEvent, EventData, EventFault, TypedText } from "./event.ts";
import { BATCH_EVENTS_MAX } from "./json-format.ts";
import { shownAs } from "./shown-as.ts";
import { nanosecondsOf, timestampOf } from "./timestamp.ts";
import { attributeName, isUnset, validated } from "./validate.ts";

/** Attributes that have fields of their own. */
const FIELDS: ReadonlyMap<number, string> = new Map([
  [1, "id"],
  [2, "source"],
  [3, "specversion"],
  [4, "type"],
]);
const ATTRIBUTES_FIELD = 5;
const DATA_FIELDS = { binary: 6, text: 7, proto: 8 } as const;
const VALUE_FIELDS = { boolean: 1, integer: 2, string: 3, binary: 4, uri: 5, uriReference: 6, timestamp: 7 } as const;
/** What an attribute is where nothing has told its type. */
const DEFAULT_TYPES: ReadonlyMap<string, TypedText> = new Map([
  ["time", "timestamp"],
  ["dataschema", "uri"],
]);

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const readerOf = (octets: Uint8Array): BinaryReader => new BinaryReader(octets, (part) => UTF8.decode(part));

export function decodeProtobuf(octets: Uint8Array): CloudEvent | EventFault {
  try {
    return eventOf(octets);
  } catch (error) {
    return { fault: `the body is no protobuf message of an event: ${(error as Error).message}` };
  }
}

/** All events, or why one of them is none. */
export function decodeProtobufBatch(octets: Uint8Array): readonly CloudEvent[] | EventFault {
  const events: CloudEvent[] = [];
  try {
    for (const [field, reader] of fieldsOf(octets)) {
      if (field !== 1) continue;
      if (events.length === BATCH_EVENTS_MAX) return { fault: `a batch of more than ${BATCH_EVENTS_MAX} events` };
      const event = eventOf(reader.bytes());
      if ("fault" in event) return { fault: `event ${events.length}: ${event.fault}` };
      events.push(event);
    }
    return events;
  } catch (error) {
    return { fault: `the body is no protobuf message of a batch: ${(error as Error).message}` };
  }
}

/** Fields that are not read by whoever asks for the next one are skipped. */
function* fieldsOf(octets: Uint8Array): Generator<readonly [field: number, reader: BinaryReader, wire: WireType]> {
  const reader = readerOf(octets);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    const { pos } = reader;
    yield [field, reader, wire];
    if (reader.pos === pos) reader.skip(wire, field);
  }
}

/** Throws for octets that are no message. */
function eventOf(octets: Uint8Array): CloudEvent | EventFault {
  const attributes = new Map<string, AttributeValue>();
  const types = new Map<string, TypedText>();
  let data: EventData | undefined;
  for (const [field, reader, wire] of fieldsOf(octets)) {
    const known = FIELDS.get(field);
    if (known === undefined && field !== ATTRIBUTES_FIELD && (field < DATA_FIELDS.binary || field > DATA_FIELDS.proto)) continue;
    if (wire !== WireType.LengthDelimited) throw new Error(`field ${field} has another type`);
    if (known !== undefined) attributes.set(known, reader.string());
    else if (field !== ATTRIBUTES_FIELD) data = dataOf(field, reader.bytes());
    else {
      const { name, value, type } = entryOf(reader.bytes());
      const kept = attributeName(name);
      if (kept === undefined) return { fault: `${JSON.stringify(name)} cannot be the name of an attribute: lower-case letters and digits are` };
      if (value === undefined || isUnset(kept, value)) continue;
      attributes.set(kept, value);
      if (type !== undefined) types.set(kept, type);
    }
  }
  return validated({ form: "protobuf", attributes, ...(types.size === 0 ? {} : { types }), ...(data === undefined ? {} : { data }) });
}

function dataOf(field: number, octets: Uint8Array): EventData {
  if (field === DATA_FIELDS.binary) return { octets, is: "binary" };
  if (field === DATA_FIELDS.text) {
    UTF8.decode(octets);
    return { octets, is: "text" };
  }
  let typeUrl = "";
  let value: Uint8Array = new Uint8Array();
  for (const [part, reader] of fieldsOf(octets)) {
    if (part === 1) typeUrl = reader.string();
    if (part === 2) value = reader.bytes();
  }
  return { octets: value, is: "proto", typeUrl };
}

interface Entry {
  readonly name: string;
  readonly value: AttributeValue | undefined;
  readonly type: TypedText | undefined;
}

function entryOf(octets: Uint8Array): Entry {
  let name = "";
  let value: Pick<Entry, "value" | "type"> = { value: undefined, type: undefined };
  for (const [field, reader] of fieldsOf(octets)) {
    if (field === 1) name = reader.string();
    if (field === 2) value = valueOf(reader.bytes());
  }
  return { name, ...value };
}

function valueOf(octets: Uint8Array): Pick<Entry, "value" | "type"> {
  let value: AttributeValue | undefined;
  let type: TypedText | undefined;
  for (const [field, reader] of fieldsOf(octets)) {
    type = undefined;
    if (field === VALUE_FIELDS.boolean) value = reader.bool();
    else if (field === VALUE_FIELDS.integer) value = reader.int32();
    else if (field === VALUE_FIELDS.string) value = reader.string();
    else if (field === VALUE_FIELDS.binary) [value, type] = [Buffer.from(reader.bytes()).toString("base64"), "binary"];
    else if (field === VALUE_FIELDS.uri) [value, type] = [reader.string(), "uri"];
    else if (field === VALUE_FIELDS.uriReference) [value, type] = [reader.string(), "uriReference"];
    else if (field === VALUE_FIELDS.timestamp) [value, type] = [instantOf(reader.bytes()), "timestamp"];
  }
  return { value, type };
}

function instantOf(octets: Uint8Array): string {
  let seconds = 0n;
  let nanos = 0;
  for (const [field, reader] of fieldsOf(octets)) {
    if (field === 1) seconds = BigInt(reader.int64());
    if (field === 2) nanos = reader.int32();
  }
  const text = timestampOf(seconds, nanos);
  if (text === undefined) throw new Error("a timestamp is outside of the years 1 to 9999");
  return text;
}

export function encodeProtobuf(event: CloudEvent): Uint8Array {
  const { attributes, types, data } = event;
  const writer = new BinaryWriter();
  for (const [field, name] of FIELDS) writer.tag(field, WireType.LengthDelimited).string(String(attributes.get(name) ?? ""));
  const names = new Set(FIELDS.values());
  for (const [name, value] of attributes) if (!names.has(name)) writeEntry(writer, name, value, types?.get(name) ?? DEFAULT_TYPES.get(name));
  // What the JSON format leaves unsaid has to be said here.
  if (data?.is === "json" && !attributes.has("datacontenttype")) writeEntry(writer, "datacontenttype", "application/json", undefined);
  if (data !== undefined) writeData(writer, data, attributes.get("datacontenttype"));
  return writer.finish();
}

function writeEntry(writer: BinaryWriter, name: string, value: AttributeValue, type: TypedText | undefined): void {
  writer.tag(ATTRIBUTES_FIELD, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(name);
  writer.tag(2, WireType.LengthDelimited).fork();
  if (typeof value === "boolean") writer.tag(VALUE_FIELDS.boolean, WireType.Varint).bool(value);
  else if (typeof value === "number") writer.tag(VALUE_FIELDS.integer, WireType.Varint).int32(value);
  else writeText(writer, value, type);
  writer.join().join();
}

function writeText(writer: BinaryWriter, text: string, type: TypedText | undefined): void {
  if (type === "binary") {
    const octets = Buffer.from(text, "base64");
    if (octets.toString("base64") === text) return void writer.tag(VALUE_FIELDS.binary, WireType.LengthDelimited).bytes(octets);
  }
  if (type === "timestamp") {
    const instant = nanosecondsOf(text);
    if (instant !== undefined) {
      writer.tag(VALUE_FIELDS.timestamp, WireType.LengthDelimited).fork();
      if (instant.seconds !== 0n) writer.tag(1, WireType.Varint).int64(instant.seconds);
      if (instant.nanos !== 0) writer.tag(2, WireType.Varint).int32(instant.nanos);
      return void writer.join();
    }
  }
  const field = type === "uri" || type === "uriReference" ? VALUE_FIELDS[type] : VALUE_FIELDS.string;
  writer.tag(field, WireType.LengthDelimited).string(text);
}

function writeData(writer: BinaryWriter, { octets, is, typeUrl = "" }: EventData, type: AttributeValue | undefined): void {
  if (is === "proto") {
    writer.tag(DATA_FIELDS.proto, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(typeUrl);
    writer.tag(2, WireType.LengthDelimited).bytes(octets);
    return void writer.join();
  }
  const isText = is === "text" || is === "json" || (is === "opaque" && shownAs(octets, type) !== "binary");
  writer.tag(isText ? DATA_FIELDS.text : DATA_FIELDS.binary, WireType.LengthDelimited).bytes(octets);
}

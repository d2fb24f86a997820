// The Avro format (1.0): a record of a map of attributes and the data, which is octets or a JSON value as far as its schema can tell one.
// Read and written here: libraries believe the counts of blocks, and a few octets of a stranger would keep the thread busy for hours.
import { TextDecoder } from "node:util";
import { AvroReader, AvroWriter, type Json } from "./avro-octets.ts";
import type { AttributeValue, CloudEvent, EventData, EventFault } from "./event.ts";
import { isJson } from "./media-type.ts";
import { writtenAs } from "./shown-as.ts";
import { attributeName, isUnset, validated } from "./validate.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Branches of the union of an attribute's value. */
const VALUE = { null: 0, boolean: 1, int: 2, string: 3, bytes: 4 } as const;
/** Branches of the union of the data. */
const DATA = { bytes: 0, null: 1, string: 6 } as const;

export function decodeAvro(octets: Uint8Array): CloudEvent | EventFault {
  try {
    return eventOf(new AvroReader(octets));
  } catch (error) {
    return { fault: `the body is no Avro record of an event: ${(error as Error).message}` };
  }
}

function eventOf(reader: AvroReader): CloudEvent | EventFault {
  const attributes = new Map<string, AttributeValue>();
  const types = new Map<string, "binary">();
  let fault: string | undefined;
  reader.blocks(() => {
    const text = reader.string();
    const branch = reader.int();
    const value = valueOf(reader, branch);
    const name = attributeName(text);
    if (name === undefined) fault ??= `${JSON.stringify(text)} cannot be the name of an attribute: lower-case letters and digits are`;
    else if (value !== undefined && !isUnset(name, value)) {
      attributes.set(name, value);
      if (branch === VALUE.bytes) types.set(name, "binary");
    }
  });
  if (fault !== undefined) return { fault };
  const data = dataOf(reader, attributes.get("datacontenttype"));
  if (data !== undefined && "fault" in data) return data;
  reader.end();
  return validated({ form: "avro", attributes, ...(types.size === 0 ? {} : { types }), ...(data === undefined ? {} : { data }) });
}

function valueOf(reader: AvroReader, branch: number): AttributeValue | undefined {
  switch (branch) {
    case VALUE.null:
      return undefined;
    case VALUE.boolean:
      return reader.boolean();
    case VALUE.int:
      return reader.int();
    case VALUE.string:
      return reader.string();
    case VALUE.bytes:
      return Buffer.from(reader.bytes()).toString("base64");
    default:
      throw new Error(`no branch ${branch} of an attribute's value`);
  }
}

function dataOf(reader: AvroReader, type: AttributeValue | undefined): EventData | EventFault | undefined {
  const branch = reader.int();
  if (branch === DATA.bytes) return { octets: reader.bytes(), is: "binary" };
  if (branch === DATA.null) return undefined;
  const isValue = typeof type !== "string" || isJson(type);
  if (branch === DATA.string) {
    const text = reader.string();
    return isValue ? { octets: Buffer.from(JSON.stringify(text)), is: "json" } : { octets: Buffer.from(text), is: "text" };
  }
  if (!isValue) return { fault: `data: MUST be a string or octets, for datacontenttype ${JSON.stringify(type)} is not JSON` };
  return { octets: Buffer.from(reader.jsonText(branch)), is: "json" };
}

export function encodeAvro(event: CloudEvent): Uint8Array {
  const { attributes, types, data } = event;
  const writer = new AvroWriter();
  // What the JSON format leaves unsaid has to be said here.
  const isUnsaid = data?.is === "json" && event.form !== "avro" && !attributes.has("datacontenttype");
  const entries = isUnsaid ? [...attributes, ["datacontenttype", "application/json"] as const] : [...attributes];
  writer.block(entries.length);
  for (const [name, value] of entries) {
    writer.string(name);
    writeValue(writer, value, types?.get(name) === "binary");
  }
  if (entries.length > 0) writer.block(0);
  writeData(writer, event, data);
  return writer.finish();
}

function writeValue(writer: AvroWriter, value: AttributeValue, isBinary: boolean): void {
  if (typeof value === "boolean") writer.long(VALUE.boolean).boolean(value);
  else if (typeof value === "number") writer.long(VALUE.int).long(value);
  else if (isBinary && Buffer.from(value, "base64").toString("base64") === value) writer.long(VALUE.bytes).bytes(Buffer.from(value, "base64"));
  else writer.long(VALUE.string).string(value);
}

function writeData(writer: AvroWriter, event: CloudEvent, data: EventData | undefined): void {
  if (data === undefined) return void writer.long(DATA.null);
  const { octets } = data;
  const is = writtenAs(data, event.attributes.get("datacontenttype"));
  if (is === "text") return void writer.long(DATA.string).string(UTF8.decode(octets));
  const value = is === "json" ? sameValue(UTF8.decode(octets), event.form === "avro") : undefined;
  if (value === undefined || !writer.json(value)) writer.long(DATA.bytes).bytes(octets);
}

/** Undefined: its text would not come back (blanks, numbers with more digits than a double has, nests too deep to be written), so it goes as octets. */
function sameValue(text: string, isKnown: boolean): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return isKnown || JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

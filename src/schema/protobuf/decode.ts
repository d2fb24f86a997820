// Reads protobuf messages into the objects that their JSON would give, zero values included: typed decoding drops those that Go leaves out.
import { badRequest, formatDurationMs } from "#core";
import { isObject, nodeCompiler } from "../compile-nodes.ts";
import type { Node } from "../node.ts";
import { messageFields, wireShapeOf } from "./message.ts";
import type { ProtoReader } from "./reader.ts";
import { FIXED64, LENGTH_DELIMITED, VARINT } from "./writer.ts";

/** Reads the rest of a message into `into`: as in Go, later occurrences of a field win, messages are merged. */
export type DecodeMessage = (reader: ProtoReader, into: Record<string, unknown>) => void;

/** Reads one value; `before` is what an earlier occurrence left. */
interface Value {
  readonly wire: number;
  readonly read: (reader: ProtoReader, before: unknown) => unknown;
}

/** Reads one occurrence of a field into the object. */
interface Field {
  readonly label: string;
  readonly wire: number;
  readonly read: (reader: ProtoReader, into: Record<string, unknown>) => void;
  /** Reads a whole list of numbers in one piece. */
  readonly readPacked?: (reader: ProtoReader, into: Record<string, unknown>) => void;
}

/** Not by assignment: `__proto__` is a legal key of data. */
function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

/** The texts and numbers of a small message by their field numbers. */
function parts(reader: ProtoReader, owner: string): Map<number, string | number> {
  const found = new Map<number, string | number>();
  reader.message(() => {
    while (!reader.done) {
      const { field, wire } = reader.tag(owner);
      if (wire === VARINT) found.set(field, reader.varint());
      else if (wire === LENGTH_DELIMITED) found.set(field, reader.text());
      else reader.skip(wire);
    }
  });
  return found;
}

const YEAR_10000_SECONDS = 253_402_300_800;
const YEAR_0_SECONDS = -62_167_219_200;

/** RFC 3339 up to seconds, without the zone; null stands for Go's zero time. */
function readTime(reader: ProtoReader): { readonly text: string; readonly nanos: number } | null {
  const found = parts(reader, "Timestamp");
  if (found.size === 0) return null;
  const [seconds, nanos] = [Number(found.get(1) ?? 0), Number(found.get(2) ?? 0)];
  if (!(seconds >= YEAR_0_SECONDS && seconds < YEAR_10000_SECONDS)) throw badRequest("Time.MarshalJSON: year outside of range [0,9999]");
  return { text: new Date(seconds * 1000).toISOString().slice(0, 19), nanos };
}

function readJson(reader: ProtoReader): unknown {
  const text = parts(reader, "JSON").get(1);
  if (text === undefined || text === "") return undefined;
  try {
    return JSON.parse(String(text));
  } catch (cause) {
    throw badRequest("json parse error: the JSON inside the protobuf message is not valid", { cause });
  }
}

const NANOS_PER_MS = 1e6;

const READERS: Readonly<Record<string, Value>> = {
  text: { wire: LENGTH_DELIMITED, read: (reader) => reader.text() },
  bytes: { wire: LENGTH_DELIMITED, read: (reader) => reader.bytes().toString("base64") },
  boolean: { wire: VARINT, read: (reader) => reader.varint() !== 0 },
  int32: { wire: VARINT, read: (reader) => reader.varint() | 0 },
  int64: { wire: VARINT, read: (reader) => reader.varint() },
  double: { wire: FIXED64, read: (reader) => reader.double() },
  time: {
    wire: LENGTH_DELIMITED,
    read: (reader) => {
      const time = readTime(reader);
      return time === null ? null : `${time.text}Z`;
    },
  },
  "micro-time": {
    wire: LENGTH_DELIMITED,
    read: (reader) => {
      const time = readTime(reader);
      return time === null ? null : `${time.text}.${String(Math.floor(time.nanos / 1000)).padStart(6, "0")}Z`;
    },
  },
  duration: { wire: LENGTH_DELIMITED, read: (reader) => formatDurationMs(Number(parts(reader, "Duration").get(1) ?? 0) / NANOS_PER_MS) },
  quantity: { wire: LENGTH_DELIMITED, read: (reader) => parts(reader, "Quantity").get(1) ?? "0" },
  "int-or-string": {
    wire: LENGTH_DELIMITED,
    read: (reader) => {
      const found = parts(reader, "IntOrString");
      return Number(found.get(1) ?? 0) === 0 ? Number(found.get(2) ?? 0) | 0 : String(found.get(3) ?? "");
    },
  },
  json: { wire: LENGTH_DELIMITED, read: readJson },
};

/** What JSON has in place of a type, protobuf has beside it: a boolean, a list of the type, a list of texts. */
function readOr(or: Node["x-eider-or"], fields: DecodeMessage, reader: ProtoReader): unknown {
  let single: unknown;
  let flag = false;
  const list: unknown[] = [];
  const object = (): unknown => {
    const made = {};
    reader.message(() => fields(reader, made));
    return made;
  };
  reader.message(() => {
    while (!reader.done) {
      const { field, wire } = reader.tag("JSONSchemaProps");
      if (or === "boolean" && field === 1 && wire === VARINT) flag = reader.varint() !== 0;
      else if (wire === LENGTH_DELIMITED && field === (or === "boolean" ? 2 : 1)) single = object();
      else if (wire === LENGTH_DELIMITED && field === 2) list.push(or === "array" ? object() : reader.text());
      else reader.skip(wire);
    }
  });
  return single ?? (or === "boolean" ? flag : list);
}

function valueOf(node: Node, next: (node: Node) => DecodeMessage): Value {
  const shape = wireShapeOf(node);
  const scalar = READERS[shape === "number" ? (node.format ?? "int64") : shape];
  if (scalar !== undefined) return scalar;
  const fields = next(node);
  if (shape === "or") return { wire: LENGTH_DELIMITED, read: (reader) => readOr(node["x-eider-or"], fields, reader) };
  return {
    wire: LENGTH_DELIMITED,
    read: (reader, before) => {
      const object = isObject(before) ? before : {};
      reader.message(() => fields(reader, object));
      return object;
    },
  };
}

function listField(name: string, items: Value): Pick<Field, "read" | "readPacked"> {
  const listOf = (into: Record<string, unknown>): unknown[] => {
    const present = into[name];
    if (Array.isArray(present)) return present as unknown[];
    const made: unknown[] = [];
    into[name] = made;
    return made;
  };
  const read = (reader: ProtoReader, into: Record<string, unknown>): void => void listOf(into).push(items.read(reader, undefined));
  if (items.wire !== VARINT) return { read };
  const readPacked = (reader: ProtoReader, into: Record<string, unknown>): void => {
    const list = listOf(into);
    reader.message(() => {
      while (!reader.done) list.push(items.read(reader, undefined));
    });
  };
  return { read, readPacked };
}

/** An entry without a key or a value has the empty ones. */
function mapField(name: string, values: Value, empty: () => unknown): Field["read"] {
  return (reader, into) => {
    const map = isObject(into[name]) ? into[name] : {};
    into[name] = map;
    let key = "";
    let value: unknown;
    reader.message(() => {
      while (!reader.done) {
        const { field, wire } = reader.tag(name);
        if (field === 1 && wire === LENGTH_DELIMITED) key = reader.text();
        else if (field === 2 && wire === values.wire) value = values.read(reader, undefined);
        else reader.skip(wire);
      }
    });
    put(map, key, value ?? empty());
  };
}

/** Go's name of a property, as its complaints have it. */
function labelOf(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

function fieldOf(name: string, node: Node, next: (node: Node) => DecodeMessage): Field {
  const shape = wireShapeOf(node);
  const label = labelOf(name);
  if (shape === "list") {
    const items = valueOf(node.items ?? {}, next);
    return { label, wire: items.wire, ...listField(name, items) };
  }
  if (shape === "map") {
    const inner = node.additionalProperties ?? {};
    const empty = wireShapeOf(inner) === "message" ? (): unknown => ({}) : (): unknown => (wireShapeOf(inner) === "quantity" ? "0" : "");
    return { label, wire: LENGTH_DELIMITED, read: mapField(name, valueOf(inner, next), empty) };
  }
  const { wire, read } = valueOf(node, next);
  return {
    label,
    wire,
    read: (reader, into) => {
      into[name] = read(reader, into[name]);
    },
  };
}

function compile(node: Node, next: (node: Node) => DecodeMessage, owner: string): DecodeMessage {
  const fields = new Map<number, Field>();
  for (const { name, number, node: child } of messageFields(node)) {
    if (name !== undefined) fields.set(number, fieldOf(name, child, next));
    else {
      const inner = next(child);
      fields.set(number, { label: "", wire: LENGTH_DELIMITED, read: (reader, into) => reader.message(() => inner(reader, into)) });
    }
  }
  return (reader, into) => {
    while (!reader.done) {
      const { field: number, wire } = reader.tag(owner);
      const field = fields.get(number);
      if (field === undefined) reader.skip(wire);
      else if (wire === field.wire) field.read(reader, into);
      else if (wire === LENGTH_DELIMITED && field.readPacked !== undefined) field.readPacked(reader, into);
      else throw badRequest(`proto: wrong wireType = ${wire} for field ${field.label}`);
    }
  };
}

/** Compiles the decoders of messages; those of named types are made when a message first needs them. */
export function messageDecoder(
  definitions: Readonly<Record<string, Node>>,
  root: { readonly node: Node; readonly name: string },
): (node: Node) => DecodeMessage {
  const compileNamed = (node: Node, next: (node: Node) => DecodeMessage): DecodeMessage => compile(node, next, node === root.node ? root.name : "message");
  return nodeCompiler<DecodeMessage>(definitions, compileNamed, (get) => (reader, into) => get()(reader, into));
}

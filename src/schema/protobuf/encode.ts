// Writes objects as protobuf messages, field by field as Go's generated code does: the same bytes for the same object.
import { parseDurationNs } from "#core";
import { isObject, nodeCompiler } from "../compile-nodes.ts";
import type { Node } from "../node.ts";
import { messageFields, wireShapeOf } from "./message.ts";
import { FIXED64, LENGTH_DELIMITED, type ProtoWriter, VARINT } from "./writer.ts";

/** Writes the fields of a message, last one first. */
export type EncodeMessage = (value: unknown, out: ProtoWriter) => void;

/** Writes one field of an object, head included; nothing when there is nothing to write. */
type EncodeField = (value: unknown, out: ProtoWriter) => void;

/** Writes one value with its length but without the head of its field. */
interface Value {
  readonly wire: number;
  readonly write: (value: unknown, out: ProtoWriter) => void;
}

function textField(out: ProtoWriter, field: number, text: string): void {
  out.text(text);
  out.tag(field, LENGTH_DELIMITED);
}

function varintField(out: ProtoWriter, field: number, value: number): void {
  out.varint(value);
  out.tag(field, VARINT);
}

/** A message of which `fields` writes the content. */
function messageValue(fields: EncodeMessage): Value {
  const write = (value: unknown, out: ProtoWriter): void => {
    const before = out.length;
    fields(value, out);
    out.varint(out.length - before);
  };
  return { wire: LENGTH_DELIMITED, write };
}

const MS_PER_SECOND = 1000;

/** Seconds and nanoseconds; Go writes no fractions of `Time`, and nothing at all for the time that is none. */
const timeFields: EncodeMessage = (value, out) => {
  if (typeof value !== "string") return;
  varintField(out, 2, 0);
  varintField(out, 1, Math.floor(Date.parse(value) / MS_PER_SECOND));
};

const microTimeFields: EncodeMessage = (value, out) => {
  if (typeof value !== "string") return;
  const micros = Number((/\.(\d{1,6})/.exec(value)?.[1] ?? "").padEnd(6, "0"));
  varintField(out, 2, micros * 1000);
  varintField(out, 1, Math.floor(Date.parse(value) / MS_PER_SECOND));
};

/** Go's `Duration`, in nanoseconds. */
const durationFields: EncodeMessage = (value, out) => varintField(out, 1, typeof value === "string" ? Number(parseDurationNs(value) ?? 0n) : 0);

const quantityFields: EncodeMessage = (value, out) => textField(out, 1, typeof value === "string" || typeof value === "number" ? String(value) : "0");

const intOrStringFields: EncodeMessage = (value, out) => {
  const isText = typeof value === "string";
  textField(out, 3, isText ? value : "");
  varintField(out, 2, typeof value === "number" ? value : 0);
  varintField(out, 1, isText ? 1 : 0);
};

/** JSON inside protobuf: its text. */
const jsonFields: EncodeMessage = (value, out) => {
  if (value !== undefined && value !== null) textField(out, 1, JSON.stringify(value));
};

const SCALARS: Readonly<Record<string, Value>> = {
  text: { wire: LENGTH_DELIMITED, write: (value, out) => out.text(typeof value === "string" ? value : "") },
  bytes: { wire: LENGTH_DELIMITED, write: (value, out) => out.bytes(Buffer.from(typeof value === "string" ? value : "", "base64")) },
  number: { wire: VARINT, write: (value, out) => out.varint(typeof value === "number" ? value : 0) },
  boolean: { wire: VARINT, write: (value, out) => out.varint(value === true ? 1 : 0) },
  double: { wire: FIXED64, write: (value, out) => out.double(typeof value === "number" ? value : 0) },
  time: messageValue(timeFields),
  "micro-time": messageValue(microTimeFields),
  duration: messageValue(durationFields),
  quantity: messageValue(quantityFields),
  "int-or-string": messageValue(intOrStringFields),
  json: messageValue(jsonFields),
};

/** What JSON has in place of a type, protobuf has beside it: a boolean, a list of the type, a list of texts. */
function orFields(or: Node["x-eider-or"], fields: EncodeMessage): EncodeMessage {
  const single = (value: unknown, out: ProtoWriter, number: number): void => {
    const before = out.length;
    fields(value, out);
    out.endMessage(number, before);
  };
  if (or === "boolean") {
    return (value, out) => {
      if (isObject(value)) single(value, out, 2);
      varintField(out, 1, value === false ? 0 : 1);
    };
  }
  return (value, out) => {
    if (!Array.isArray(value)) single(value, out, 1);
    else if (or === "array") for (const item of value.toReversed() as unknown[]) single(item, out, 2);
    else for (const item of value.toReversed() as unknown[]) textField(out, 2, String(item));
  };
}

function valueOf(node: Node, next: (node: Node) => EncodeMessage): Value {
  const shape = wireShapeOf(node);
  return SCALARS[shape] ?? messageValue(shape === "or" ? orFields(node["x-eider-or"], next(node)) : next(node));
}

function listField(number: number, items: Value): EncodeField {
  return (value, out) => {
    if (!Array.isArray(value)) return;
    for (let index = value.length - 1; index >= 0; index--) {
      items.write(value[index], out);
      out.tag(number, items.wire);
    }
  };
}

/** Entries in order of their keys, each a message of key and value. */
function mapField(number: number, values: Value): EncodeField {
  return (value, out) => {
    if (!isObject(value)) return;
    const keys = Object.keys(value);
    if (keys.length > 1) keys.sort();
    for (let index = keys.length - 1; index >= 0; index--) {
      const key = keys[index] ?? "";
      const before = out.length;
      values.write(value[key], out);
      out.tag(2, values.wire);
      textField(out, 1, key);
      out.endMessage(number, before);
    }
  };
}

/** Go's pointers are left out when they are nil; everything else is written, empty or not. Nil bytes count as a pointer. */
function fieldOf(node: Node, number: number, next: (node: Node) => EncodeMessage): EncodeField {
  const shape = wireShapeOf(node);
  if (shape === "list") return listField(number, valueOf(node.items ?? {}, next));
  if (shape === "map") return mapField(number, valueOf(node.additionalProperties ?? {}, next));
  const { wire, write } = valueOf(node, next);
  const optional = node["x-eider-pointer"] === true || shape === "bytes";
  return (value, out) => {
    if (optional && (value === undefined || value === null)) return;
    write(value, out);
    out.tag(number, wire);
  };
}

const NOTHING: Readonly<Record<string, unknown>> = {};

function compile(node: Node, next: (node: Node) => EncodeMessage): EncodeMessage {
  const fields = messageFields(node)
    .toReversed()
    .map(({ name, number, node: child }) => ({ name, encode: fieldOf(child, number, next) }));
  return (value, out) => {
    const object = isObject(value) ? value : NOTHING;
    for (const { name, encode } of fields) encode(name === undefined ? object : object[name], out);
  };
}

/** Compiles the encoders of messages; those of named types are made when a message first needs them. */
export function messageEncoder(definitions: Readonly<Record<string, Node>>): (node: Node) => EncodeMessage {
  return nodeCompiler<EncodeMessage>(definitions, compile, (get) => (value, out) => get()(value, out));
}

// How a schema's object looks as a protobuf message: its fields by number, with the messages that only protobuf has.
import type { Node } from "../node.ts";

/** One field of a message. `name` is undefined for a message that JSON does not have: its members stand in the object around it. */
export interface MessageField {
  readonly name: string | undefined;
  readonly number: number;
  readonly node: Node;
}

/** What a value is on the wire. Lists and maps are fields that occur more than once. */
export type WireShape =
  | "text"
  | "bytes"
  | "number"
  | "boolean"
  | "time"
  | "micro-time"
  | "duration"
  | "quantity"
  | "int-or-string"
  | "json"
  | "double"
  | "or"
  | "list"
  | "map"
  | "message";

/** The fields of a message in order of their numbers; properties without a number stay out. */
export function messageFields(node: Node): readonly MessageField[] {
  const fields: MessageField[] = [];
  const within = new Map<number, Record<string, Node>>();
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const { "x-eider-proto": number, "x-eider-proto-in": outer, ...marks } = child;
    if (number === undefined) continue;
    if (outer === undefined) fields.push({ name, number, node: child });
    else within.set(outer, { ...within.get(outer), [name]: { ...marks, "x-eider-proto": number } });
  }
  for (const [number, properties] of within) fields.push({ name: undefined, number, node: { type: "object", properties } });
  return fields.sort((a, b) => a.number - b.number);
}

/** Texts that protobuf has in another form, by their format. */
const TEXTS: Readonly<Record<string, WireShape>> = { byte: "bytes", "date-time": "time", "micro-time": "micro-time", duration: "duration" };

export function wireShapeOf(node: Node): WireShape {
  if (node["x-eider-or"] !== undefined) return "or";
  if (node.$ref !== undefined) return "message";
  if (node["x-kubernetes-preserve-unknown-fields"] === true) return "json";
  if (node["x-kubernetes-int-or-string"] === true) return node.format === "quantity" ? "quantity" : "int-or-string";
  if (node.additionalProperties !== undefined) return "map";
  switch (node.type) {
    case "array":
      return "list";
    case "integer":
      return "number";
    case "number":
      return "double";
    case "boolean":
      return "boolean";
    case "string":
      return TEXTS[node.format ?? ""] ?? "text";
    case "object":
      return "message";
    default:
      // No type that is served as protobuf has values of any type but JSON's.
      throw new Error(`a schema without a protobuf form: ${JSON.stringify(node)}`);
  }
}

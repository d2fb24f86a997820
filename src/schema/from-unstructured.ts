// What a strategic merge patch makes is not decoded from JSON but moved into Go's types value by value: other rules, other words.
import { isObject, nodeCompiler } from "./compile-nodes.ts";
import type { Node } from "./node.ts";

/** A value that does not fit; the message is Kubernetes'. */
export class Misfit extends Error {}

/** The value as its type holds it; throws `Misfit`. */
export type Restore = (value: unknown) => unknown;

/** `reflect.Kind` of a decoded JSON value. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "slice";
  if (isObject(value)) return "map";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : "string";
}

function restoreInteger(node: Node): Restore {
  const type = node.format ?? "int64";
  return (value) => {
    if (typeof value !== "number") throw new Misfit(`unrecognized type: ${type}`);
    if (!Number.isInteger(value)) throw new Misfit(`cannot convert float64 to ${type}`);
    // Go cuts what does not fit.
    return type === "int32" && Number.isSafeInteger(value) ? Number(BigInt.asIntN(32, BigInt(value))) : value;
  };
}

const restoreString: Restore = (value) => {
  if (typeof value === "string") return value;
  throw new Misfit(typeof value === "number" && Number.isInteger(value) ? "cannot convert int64 to string" : "unrecognized type: string");
};

function restoreBytes(value: unknown): unknown {
  if (typeof value !== "string") throw new Misfit(`cannot restore slice from ${kindOf(value)}`);
  const wrong = /[^A-Za-z0-9+/=\r\n]/.exec(value)?.index ?? (value.replaceAll(/[\r\n]/g, "").length % 4 === 0 ? -1 : value.length);
  if (wrong >= 0) throw new Misfit(`error decoding from json: illegal base64 data at input byte ${wrong}`);
  return value;
}

const isNull = (value: unknown): boolean => value === null || value === undefined;

function restoreList(items: Restore): Restore {
  return (value) => {
    if (!Array.isArray(value)) throw new Misfit(`cannot restore slice from ${kindOf(value)}`);
    return value.map((item: unknown) => (isNull(item) ? item : items(item)));
  };
}

function restoreMap(values: Restore): Restore {
  return (value) => {
    if (!isObject(value)) throw new Misfit(`cannot restore map from ${kindOf(value)}`);
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, isNull(member) ? member : values(member)]));
  };
}

function restoreStruct(node: Node, next: (node: Node) => Restore): Restore {
  const members = Object.entries(node.properties ?? {}).map(([name, child]) => [name, next(child)] as const);
  return (value) => {
    if (!isObject(value)) throw new Misfit(`cannot restore struct from: ${kindOf(value)}`);
    const out = new Map(Object.entries(value));
    // In the order of the type: the first that does not fit is told.
    for (const [name, restore] of members) if (!isNull(out.get(name))) out.set(name, restore(out.get(name)));
    return Object.fromEntries(out);
  };
}

function compile(node: Node, named: (node: Node) => Restore): Restore {
  // Also what may stand in place of an object, which its mark beside the reference says.
  const next = (child: Node): Restore => (child["x-eider-or"] === undefined ? named(child) : (value) => value);
  // Types that read JSON themselves (quantities, times, raw objects) are left to the decoder.
  const readsItself = node["x-kubernetes-int-or-string"] === true || node["x-kubernetes-preserve-unknown-fields"] === true;
  if (readsItself || node.type === undefined || node.type === "number") return (value) => value;
  if (node.type === "array") return restoreList(next(node.items ?? {}));
  if (node.additionalProperties !== undefined) return restoreMap(next(node.additionalProperties));
  if (node.type === "object") return restoreStruct(node, next);
  if (node.type === "integer") return restoreInteger(node);
  if (node.type === "string") return node.format === "byte" ? restoreBytes : node.format === undefined ? restoreString : (value) => value;
  return (value) => {
    if (typeof value !== "boolean") throw new Misfit("unrecognized type: bool");
    return value;
  };
}

/** The restorer of a built-in kind's objects. */
export function restorer(definitions: Readonly<Record<string, Node>>): (node: Node) => Restore {
  return nodeCompiler<Restore>(definitions, compile, (get) => (value) => get()(value), { lazily: true });
}

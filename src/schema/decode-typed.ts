// Decodes built-in kinds as Go would: values of a wrong type are refused, empty ones dropped or kept, texts made canonical.
import { badRequest } from "#core";
import { isObject, nodeCompiler } from "./compile-nodes.ts";
import { base64Error } from "./base64.ts";
import type { Node } from "./node.ts";
import { beyondExact, NumberLiteral, withExactNumbers } from "./number-literal.ts";
import { formatQuantity, parseQuantity } from "./quantity.ts";

/** Where decoding is: the path with indices, and the name of the type around it. */
export interface Place {
  readonly path: string;
  readonly owner: string;
  /** The path without keys of maps, where it is another. */
  readonly fields?: string;
}

const below = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

/** The place of a property. */
function inField({ path, owner, fields }: Place, name: string): Place {
  return { path: below(path, name), owner, ...(fields === undefined ? {} : { fields: below(fields, name) }) };
}

function isStruct(value: unknown): value is Record<string, unknown> {
  return isObject(value) && !(value instanceof NumberLiteral);
}

/** Returns the canonical value; adds unknown fields to `unknown`. Throws StatusError `BadRequest` with Go's text. */
export type Decode = (value: unknown, place: Place, unknown: string[]) => unknown;

function found(value: unknown): string {
  if (value instanceof NumberLiteral) return "number";
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return typeof value === "boolean" ? "bool" : typeof value;
}

const shortName = (ref: string): string => ref.slice(ref.lastIndexOf(".") + 1);

/** The Go type that an error names. */
function goType(node: Node): string {
  if (node["x-eider-type"] !== undefined) return node["x-eider-type"];
  if (node.$ref !== undefined) return `v1.${shortName(node.$ref)}`;
  // Times are read as texts first, numbers or texts as numbers.
  if (node.format === "date-time" || node.format === "micro-time") return "string";
  if (node["x-kubernetes-int-or-string"] === true) return "int32";
  if (node.type === "array") return `[]${node.items === undefined ? "string" : goType(node.items)}`;
  if (node.additionalProperties !== undefined) return `map[string]${goType(node.additionalProperties)}`;
  if (node.format === "byte") return "[]uint8";
  if (node.type === "integer") return node.format ?? "int64";
  return node.type === "boolean" ? "bool" : (node.type ?? "string");
}

function mismatch(value: unknown, node: Node, place: Place): Error {
  const source = value instanceof NumberLiteral ? value.source : typeof value === "number" ? String(value) : undefined;
  const isNumber = node.type === "integer" || node["x-kubernetes-int-or-string"] === true;
  const what = source !== undefined && isNumber ? `number ${source}` : found(value);
  const path = (place.fields ?? place.path).replaceAll(/\[\d+\]/g, "");
  const where = path === "" ? "Go value" : `Go struct field ${place.owner}.${path}`;
  return badRequest(`json: cannot unmarshal ${what} into ${where} of type ${goType(node)}`);
}

const LIMITS: Readonly<Record<string, number>> = { int32: 0x7fff_ffff, int64: Number.MAX_SAFE_INTEGER };

/** Whether Go would take an integer that doubles cannot hold. */
function isKeptByGo(literal: NumberLiteral, node: Node): boolean {
  return literal.isInteger && node.format !== "int32" && BigInt.asIntN(64, BigInt(literal.source)) === BigInt(literal.source);
}

function decodeInteger(node: Node): Decode {
  const limit = LIMITS[node.format ?? "int64"] ?? Number.MAX_SAFE_INTEGER;
  return (value, place) => {
    if (value instanceof NumberLiteral && isKeptByGo(value, node)) throw beyondExact(value.source);
    if (typeof value !== "number" || !Number.isInteger(value) || value > limit || value < -limit - 1) throw mismatch(value, node, place);
    return value;
  };
}

const decodeQuantity: Decode = (value) => {
  const text = value instanceof NumberLiteral ? value.source : value;
  const parsed = typeof text === "string" || typeof text === "number" ? parseQuantity(text) : undefined;
  if (parsed === undefined) throw badRequest("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  return formatQuantity(parsed);
};

function decodeTime(node: Node): Decode {
  const layout = node.format === "micro-time" ? "2006-01-02T15:04:05.000000Z07:00" : "2006-01-02T15:04:05Z07:00";
  return (value, place) => {
    if (typeof value !== "string") throw mismatch(value, node, place);
    const ms = Date.parse(value);
    if (Number.isNaN(ms) || !/^\d{4}-\d\d-\d\dT/.test(value)) {
      throw badRequest(`parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(value)} as "2006"`);
    }
    if (node.format === "date-time") return `${new Date(ms).toISOString().slice(0, 19)}Z`;
    const [, micros, zone = ""] = /^.{19}(?:\.(\d{6}))?(.*)$/s.exec(value) ?? [];
    if (micros === undefined) throw badRequest(`parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(zone)} as ".000000"`);
    return `${new Date(ms).toISOString().slice(0, 19)}.${micros}Z`;
  };
}

function decodeString(node: Node): Decode {
  return (value, place) => {
    if (typeof value !== "string") throw mismatch(value, node, place);
    if (node.format === "byte") {
      const wrong = base64Error(value);
      if (wrong !== undefined) throw badRequest(`illegal base64 data at input byte ${wrong}`);
    }
    return value;
  };
}

function isEmpty(value: unknown): boolean {
  if (value === "" || value === 0 || value === false || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

/** What Go writes for a property that nobody set, where it writes one. */
function zeroOf(node: Node): unknown {
  if (node["x-eider-zero"] !== "keep") return undefined;
  if (node.nullable === true || node["x-eider-pointer"] === true) return null;
  if (node.$ref !== undefined) return {};
  if (node["x-kubernetes-int-or-string"] === true) return node.format === "quantity" ? "0" : 0;
  if (node.type === "string") return "";
  if (node.type === "boolean") return false;
  if (node.type === "array") return null;
  return node.type === "integer" ? 0 : undefined;
}

interface Property {
  readonly decode: Decode;
  readonly drop: boolean;
  /** Any JSON at all: an empty one is as good as another. */
  readonly raw: boolean;
}

const isRaw = (node: Node): boolean => node.type === undefined && node["x-kubernetes-preserve-unknown-fields"] === true;

function decodeStruct(node: Node, next: (node: Node) => Decode): Decode {
  const properties = new Map<string, Property>();
  const zeros: (readonly [string, unknown])[] = [];
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    properties.set(name, { decode: next(child), drop: child["x-eider-zero"] === "drop", raw: isRaw(child) });
    const zero = zeroOf(child);
    if (zero !== undefined) zeros.push([name, zero]);
  }
  return (value, place, unknown) => {
    if (!isStruct(value)) throw mismatch(value, node, place);
    const out: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const property = properties.get(name);
      if (property === undefined) unknown.push(below(place.path, name));
      else if (member !== null && member !== undefined) {
        const decoded = property.decode(member, inField(place, name), unknown);
        if (property.raw || !(property.drop || Array.isArray(decoded)) || !isEmpty(decoded)) out[name] = decoded;
      }
    }
    for (const [name, zero] of zeros) {
      if (out[name] === undefined) out[name] = isObject(zero) ? properties.get(name)?.decode({}, inField(place, name), unknown) : zero;
    }
    return out;
  };
}

function decodeMap(node: Node, values: Decode): Decode {
  return (value, place, unknown) => {
    if (!isStruct(value)) throw mismatch(value, node, place);
    const decode = (name: string, member: unknown): unknown =>
      member === null ? "" : values(member, { path: `${place.path}.${name}`, owner: place.owner, fields: place.fields ?? place.path }, unknown);
    // Not by assignment: `__proto__` is a legal key of data.
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, decode(name, member)]));
  };
}

function decodeList(node: Node, items: Decode): Decode {
  const empty: unknown = node.items?.type === "string" ? "" : node.items?.type === "integer" ? 0 : {};
  return (value, place, unknown) => {
    if (!Array.isArray(value)) throw mismatch(value, node, place);
    return value.map((item, index) => items(item ?? empty, { ...place, path: `${place.path}[${index}]` }, unknown));
  };
}

function compile(node: Node, next: (node: Node) => Decode): Decode {
  if (node["x-kubernetes-preserve-unknown-fields"] === true) return withExactNumbers;
  if (node["x-kubernetes-int-or-string"] === true) {
    if (node.format === "quantity") return decodeQuantity;
    return (value, place) => {
      if (typeof value !== "string" && !(typeof value === "number" && Number.isInteger(value))) throw mismatch(value, node, place);
      return value;
    };
  }
  if (node.type === "array") return decodeList(node, next(node.items ?? {}));
  if (node.additionalProperties !== undefined) return decodeMap(node, next(node.additionalProperties));
  if (node.type === "object") return decodeStruct(node, next);
  if (node.type === "integer") return decodeInteger(node);
  if (node.type === "string") return node.format === "date-time" || node.format === "micro-time" ? decodeTime(node) : decodeString(node);
  if (node.type === undefined) return withExactNumbers;
  const wanted = node.type;
  if (wanted === "number") {
    return (value, place) => {
      const number = withExactNumbers(value);
      if (typeof number !== "number") throw mismatch(value, node, place);
      return number;
    };
  }
  return (value, place) => {
    if (typeof value !== wanted) throw mismatch(value, node, place);
    return value;
  };
}

/** The owner in the texts is the type that a `$ref` on the way names. */
export function typedDecoder(definitions: Readonly<Record<string, Node>>): (node: Node) => Decode {
  const compiler = nodeCompiler<Decode>(
    definitions,
    (node, next) => compile(node, (child) => named(child, next)),
    (get) => (value, place, unknown) => get()(value, place, unknown),
    { lazily: true },
  );
  return (node) => named(node, compiler);
}

function named(node: Node, compiler: (node: Node) => Decode): Decode {
  const decode = compiler(node);
  if (node.$ref === undefined) return decode;
  const owner = shortName(node.$ref);
  const or = node["x-eider-or"];
  return (value, place, unknown) => {
    if (or === "boolean" && typeof value === "boolean") return value;
    if (or === "boolean" && !isObject(value)) throw badRequest("boolean or JSON schema expected");
    if (or === "strings" && Array.isArray(value)) return value;
    if (or === "array" && Array.isArray(value)) return value.map((item, at) => decode(item, { ...place, path: `${place.path}[${at}]`, owner }, unknown));
    if (!isStruct(value)) throw mismatch(value, node, place);
    return decode(value, { ...place, owner }, unknown);
  };
}

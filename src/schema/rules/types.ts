// From a schema to the types and values of CEL: what a rule may read of an object, and as what.
import { Environment } from "@marcbachmann/cel-js";
import { isObject } from "../compile-nodes.ts";
import type { Node } from "../node.ts";
import { parseDurationNs } from "#core";

/** Turns JSON into the value that rules see. */
export type ToCel = (value: unknown) => unknown;

/** A type by its name in the environment, and how values become of it. */
export interface CelType {
  readonly name: string;
  readonly toCel: ToCel;
}

type DurationType = new (seconds: bigint, nanos: number) => object;
const Duration = (new Environment().evaluate('duration("1s")', {}) as object).constructor as DurationType;

const same: ToCel = (value) => value;
const DYN: CelType = { name: "dyn", toCel: dynamic };

/** Without a schema numbers tell themselves what they are. */
function dynamic(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(dynamic);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, dynamic(member)])) : value;
}

const SPECIAL: Readonly<Record<string, string>> = { ".": "__dot__", "-": "__dash__", "/": "__slash__" };
const RESERVED = new Set([
  "true",
  "false",
  "null",
  "in",
  "as",
  "break",
  "const",
  "continue",
  "else",
  "for",
  "function",
  "if",
  "import",
  "let",
  "loop",
  "package",
  "namespace",
  "return",
]);

/** The name of a property in rules; undefined for one that rules cannot name. */
export function escaped(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_][\w./-]*$/.test(name)) return undefined;
  return name.replaceAll("__", "__underscores__").replaceAll(/[./-]/g, (char) => SPECIAL[char] ?? char);
}

function textType(format: string | undefined): CelType {
  switch (format) {
    case "byte":
      return { name: "bytes", toCel: (value) => (typeof value === "string" ? new Uint8Array(Buffer.from(value, "base64")) : value) };
    case "date":
    case "date-time":
      return { name: "google.protobuf.Timestamp", toCel: (value) => (typeof value === "string" ? new Date(value) : value) };
    case "duration":
      return { name: "google.protobuf.Duration", toCel: durationOf };
    default:
      return { name: "string", toCel: same };
  }
}

function durationOf(value: unknown): unknown {
  const ns = typeof value === "string" ? parseDurationNs(value) : undefined;
  if (ns === undefined) return value;
  const whole = BigInt(ns);
  return new Duration(whole / 1_000_000_000n, Number(whole % 1_000_000_000n));
}

const META: Node = { type: "object", properties: { name: { type: "string" }, generateName: { type: "string" } } };
const TEXT: Node = { type: "string" };

/** Deep equality of CEL values of one type. */
function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a instanceof Date || b instanceof Date) return a instanceof Date && b instanceof Date && a.getTime() === b.getTime();
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => equalValues(item, b[index]));
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(x);
  return names.length === Object.keys(y).length && names.every((name) => Object.hasOwn(y, name) && equalValues(x[name], y[name]));
}

/** Names the types of a schema in an environment, each object a type of its own. */
export class TypeBuilder {
  readonly #environment: Environment;
  #count = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Undefined for values that rules cannot see. */
  of(node: Node, isResource: boolean): CelType | undefined {
    if (node["x-kubernetes-int-or-string"] === true) return DYN;
    switch (node.type) {
      case "object":
        return this.#object(node, isResource || node["x-kubernetes-embedded-resource"] === true);
      case "array": {
        const items = node.items === undefined ? undefined : this.of(node.items, false);
        return items === undefined ? undefined : { name: `list<${items.name}>`, toCel: (value) => (Array.isArray(value) ? value.map(items.toCel) : value) };
      }
      case "string":
        return textType(node.format);
      case "integer":
        return { name: "int", toCel: (value) => (typeof value === "number" ? BigInt(Math.trunc(value)) : value) };
      case "number":
        return { name: "double", toCel: same };
      case "boolean":
        return { name: "bool", toCel: same };
      default:
        return undefined;
    }
  }

  #object(node: Node, isResource: boolean): CelType | undefined {
    if (node.additionalProperties !== undefined && !isResource) return this.#map(node.additionalProperties);
    const properties = { ...node.properties, ...(isResource ? { apiVersion: TEXT, kind: TEXT, metadata: META } : {}) };
    const fields: Record<string, string> = {};
    const members = new Map<string, { readonly name: string; readonly toCel: ToCel }>();
    for (const [property, child] of Object.entries(properties)) {
      const name = escaped(property);
      const type = name === undefined ? undefined : this.of(child, false);
      if (name === undefined || type === undefined) continue;
      fields[name] = type.name;
      members.set(property, { name, toCel: type.toCel });
    }
    // The engine tells types apart by their constructors.
    const Shape = class {
      readonly [name: string]: unknown;
    };
    const name = `Object${this.#count++}`;
    this.#environment.registerType(name, { ctor: Shape, fields } as never);
    this.#environment.registerOperator(`${name} == ${name}`, equalValues as never);
    const toCel: ToCel = (value) => {
      if (!isObject(value)) return value;
      const made = new Shape() as Record<string, unknown>;
      for (const [property, member] of members)
        if (value[property] !== undefined && value[property] !== null) made[member.name] = member.toCel(value[property]);
      return made;
    };
    return { name, toCel };
  }

  #map(values: Node): CelType | undefined {
    const type = this.of(values, false);
    if (type === undefined) return undefined;
    const toCel: ToCel = (value) => (isObject(value) ? new Map(Object.entries(value).map(([key, member]) => [key, type.toCel(member)])) : value);
    return { name: `map<string, ${type.name}>`, toCel };
  }
}

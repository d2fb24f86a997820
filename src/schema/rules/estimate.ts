// What a rule may cost at most, from the sizes that its schema allows: an estimate in the units of Kubernetes.
import type { Node } from "../node.ts";
import { escaped } from "./types.ts";

/** No object is larger. */
export const REQUEST_BYTES_MAX = 3 << 20;

/** Cost of reading a text, a character. */
const TEXT_COST = 0.1;

/** Bytes that a value takes as JSON at least. */
export function minimalSize(node: Node): number {
  switch (node.type) {
    case "object": {
      const required = (node.required ?? []).reduce((sum, name) => sum + name.length + 4 + minimalSize(node.properties?.[name] ?? {}), 0);
      return 2 + required;
    }
    case "boolean":
      return 4;
    case "string":
      return 2 + (node.minLength ?? 0);
    case "array":
      return 2;
    default:
      return 1;
  }
}

/** The sizes of values that can be reached from `self`. */
export interface Sizes {
  /** How many items, properties or characters there may be. */
  readonly size: number;
  /** Of items, or of the values of a map. */
  readonly items: Sizes | undefined;
  field(name: string): Sizes | undefined;
}

export function sizesOf(node: Node): Sizes {
  const child = node.items ?? node.additionalProperties;
  const most = (limit: number | undefined, least: number): number => limit ?? Math.floor(REQUEST_BYTES_MAX / least);
  const size =
    node.type === "array"
      ? most(node.maxItems, minimalSize(child ?? {}) + 1)
      : node.additionalProperties !== undefined
        ? most(node.maxProperties, minimalSize(child ?? {}) + 4)
        : node.type === "string"
          ? textSize(node)
          : 1;
  return {
    size,
    get items() {
      return child === undefined ? undefined : sizesOf(child);
    },
    field(name) {
      const property = Object.entries(node.properties ?? {}).find(([given]) => escaped(given) === name)?.[1];
      return property === undefined ? (node.additionalProperties === undefined ? undefined : this.items) : sizesOf(property);
    },
  };
}

function textSize({ format, maxLength, enum: values }: Node): number {
  if (format === "duration" || format === "date" || format === "date-time") return 32;
  if (values !== undefined && values.length > 0) return Math.max(...values.map((value) => String(value).length));
  return maxLength === undefined ? REQUEST_BYTES_MAX - 2 : maxLength * 4;
}

interface Ast {
  readonly op: string;
  readonly args: unknown;
  readonly meta: Readonly<Record<string, unknown>>;
}

interface Estimated {
  readonly cost: number;
  /** Undefined where nobody knows: counts as one. */
  readonly sizes: Sizes | undefined;
}

type Scope = ReadonlyMap<string, Sizes | undefined>;

const sizeOf = ({ sizes }: Estimated): number => sizes?.size ?? 1;

/** Functions that read all of the texts they get. */
const READERS = new Set([
  "contains",
  "endsWith",
  "startsWith",
  "matches",
  "find",
  "findAll",
  "replace",
  "split",
  "indexOf",
  "lastIndexOf",
  "lowerAscii",
  "upperAscii",
  "trim",
  "format",
  "url",
  "quantity",
  "isQuantity",
  "isURL",
  "isIP",
  "ip",
  "isCIDR",
  "cidr",
  "join",
  "substring",
]);
/** Functions that look at every item of a list. */
const WALKERS = new Set(["isSorted", "sum", "min", "max", "indexOf", "lastIndexOf"]);

function ofCall(name: string, parts: readonly Estimated[]): Estimated {
  const own = parts.reduce((sum, { cost }) => sum + cost, 1);
  const [first] = parts;
  if (name === "matches" && parts.length === 2)
    return { cost: own + sizeOf(parts[0] as Estimated) * TEXT_COST * Math.max(1, sizeOf(parts[1] as Estimated) / 4), sizes: undefined };
  if (WALKERS.has(name) && first?.sizes?.items !== undefined) return { cost: own + first.sizes.size, sizes: undefined };
  if (READERS.has(name) && first !== undefined) return { cost: own + sizeOf(first) * TEXT_COST, sizes: first.sizes };
  return { cost: own, sizes: undefined };
}

function ofComprehension(args: unknown, scope: Scope): Estimated {
  const { iterable, iterVarName, step, init } = args as { iterable: Ast; iterVarName: string; step: Ast; init: Ast };
  const range = ofNode(iterable, scope);
  const inner = new Map([...scope, [iterVarName, range.sizes?.items]]);
  const cost = range.cost + ofNode(init, scope).cost + sizeOf(range) * (ofNode(step, inner).cost + 2);
  return { cost, sizes: range.sizes };
}

function literalSize(value: unknown): Sizes | undefined {
  return typeof value === "string" ? { size: value.length, items: undefined, field: () => undefined } : undefined;
}

/** Texts and lists that are compared are read to the end of the shorter one. */
const COMPARED = new Set(["==", "!=", "<", "<=", ">", ">=", "+"]);

function ofNode(node: Ast, scope: Scope): Estimated {
  const { alternate, macro } = node.meta as { alternate?: Ast; macro?: { var?: string; val?: Ast; exp?: Ast } };
  if (alternate !== undefined) return ofNode(alternate, scope);
  if (macro?.var !== undefined && macro.val !== undefined && macro.exp !== undefined) {
    const value = ofNode(macro.val, scope);
    const inner = ofNode(macro.exp, new Map([...scope, [macro.var, value.sizes]]));
    return { cost: value.cost + inner.cost + 1, sizes: inner.sizes };
  }
  const all = (value: unknown): Estimated[] => (Array.isArray(value) ? value.flatMap(all) : isAst(value) ? [ofNode(value, scope)] : []);
  switch (node.op) {
    case "value":
      return { cost: 0, sizes: literalSize(node.args) };
    case "id":
      return { cost: 1, sizes: scope.get(node.args as string) };
    case ".":
    case ".?": {
      const [object, name] = node.args as [Ast, string];
      const inner = ofNode(object, scope);
      return { cost: inner.cost + 1, sizes: inner.sizes?.field(name) };
    }
    case "[]":
    case "[?]": {
      const parts = all(node.args);
      return { cost: parts.reduce((sum, { cost }) => sum + cost, 1), sizes: parts[0]?.sizes?.items };
    }
    case "comprehension":
      return ofComprehension(node.args, scope);
    case "call":
    case "rcall":
      return ofCall((node.args as [string])[0], all((node.args as unknown[]).slice(1)));
    default: {
      const parts = all(node.args);
      const sum = parts.reduce((total, { cost }) => total + cost, 1);
      if (node.op === "+" && parts.length === 2 && isTextual(node)) return ofConcatenation(parts, sum);
      const shorter = COMPARED.has(node.op) && parts.length === 2 ? Math.min(sizeOf(parts[0] as Estimated), sizeOf(parts[1] as Estimated)) * TEXT_COST : 0;
      const walked = node.op === "in" && parts.length === 2 && parts[1]?.sizes?.items !== undefined ? sizeOf(parts[1]) : 0;
      return { cost: sum + shorter + walked, sizes: parts.at(-1)?.sizes };
    }
  }
}

const isTextual = (node: Ast): boolean => /^(string|bytes|list)/.test((node as { checkedType?: { name?: string } }).checkedType?.name ?? "");

/** A part of unknown length makes the whole one that may be as long as anything. */
function ofConcatenation(parts: readonly Estimated[], sum: number): Estimated {
  const size = parts.reduce((total, { sizes }) => total + (sizes?.size ?? Number.MAX_SAFE_INTEGER), 0);
  return { cost: sum + size * TEXT_COST, sizes: { size, items: parts[0]?.sizes?.items, field: () => undefined } };
}

function isAst(value: unknown): value is Ast {
  return typeof value === "object" && value !== null && typeof (value as Partial<Ast>).op === "string";
}

/** `sizes` are those of `self`, and of `oldSelf`. */
export function estimate(ast: unknown, sizes: Sizes): number {
  return isAst(ast)
    ? Math.ceil(
        ofNode(
          ast,
          new Map([
            ["self", sizes],
            ["oldSelf", sizes],
          ]),
        ).cost,
      )
    : 0;
}

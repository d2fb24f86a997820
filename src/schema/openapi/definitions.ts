// Schemas as OpenAPI writes them: version 3 with defaults and alternatives, version 2 without.
import type { Kind } from "../kind.ts";
import type { Node } from "../node.ts";
import { INT_OR_STRING, META_KINDS, metaTypes, MICRO_TIME, objectMembers, QUANTITY, TIME } from "./meta-types.ts";
import { definitionName, META } from "./names.ts";

export type Json = Record<string, unknown>;

/** Definition → path of a field below it ("" is the definition itself) → what it is for. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Dialect {
  readonly version: 2 | 3;
  readonly descriptions: Descriptions;
}

const refPrefix = ({ version }: Dialect): string => (version === 3 ? "#/components/schemas/" : "#/definitions/");

export const refTo = (dialect: Dialect, name: string): Json => ({ $ref: `${refPrefix(dialect)}${name}` });

/** Members of a node that OpenAPI has under the same name. */
const PLAIN = ["description", "type", "format", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "nullable"] as const;
const EXTENSIONS = [
  "x-kubernetes-int-or-string",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-patch-merge-key",
  "x-kubernetes-patch-strategy",
] as const;

/** Kubernetes names some types of its own kinds that our schemas write in place. */
function named(node: Node): string | undefined {
  if (node.$ref !== undefined) return node.$ref;
  if (node["x-kubernetes-int-or-string"] === true) return node.format === "quantity" ? QUANTITY : INT_OR_STRING;
  if (node.format === "date-time") return TIME;
  return node.format === "micro-time" ? MICRO_TIME : undefined;
}

/** One definition on its way into a document. */
class Writer {
  readonly #dialect: Dialect;
  readonly #custom: boolean;
  readonly #texts: Readonly<Record<string, string>>;
  /** Definitions that were referred to. */
  readonly used = new Set<string>();

  constructor(dialect: Dialect, name: string, custom: boolean) {
    this.#dialect = dialect;
    this.#custom = custom;
    this.#texts = dialect.descriptions[name] ?? {};
  }

  /** `zero` is written where Go would write a value that nobody set. The path of an element is that of its list. */
  schema(node: Node, path: string, { zero, isElement = false }: { zero?: unknown; isElement?: boolean } = {}): Json {
    const description = isElement ? undefined : (this.#texts[path] ?? node.description);
    const name = this.#custom && node.$ref === undefined ? undefined : named(node);
    const own = this.#marks(node, zero);
    if (name !== undefined) return this.#reference(name, { ...(description === undefined ? {} : { description }), ...own }, isElement);
    const out: Json = { ...(description === undefined ? {} : { description }) };
    // Version 2 cannot say what is known beside what is not: Kubernetes leaves all of it out there.
    if (this.#custom && this.#dialect.version === 2 && node["x-kubernetes-preserve-unknown-fields"] === true) return { ...out, ...own };
    for (const key of PLAIN) if (key !== "description" && node[key] !== undefined) out[key] = node[key];
    if (this.#dialect.version === 2) delete out["nullable"];
    if (node.required !== undefined && node.required.length > 0) out["required"] = node.required;
    if (node.items !== undefined) out["items"] = this.#element(node.items, path);
    if (node.additionalProperties !== undefined) out["additionalProperties"] = this.#element(node.additionalProperties, path);
    if (node.properties !== undefined) out["properties"] = this.#properties(node.properties, path);
    return { ...out, ...own };
  }

  /** Marks and defaults, which may stand beside a reference. */
  #marks(node: Node, zero: unknown): Json {
    const out: Json = {};
    const value = node.default ?? zero;
    if (this.#dialect.version === 3 && value !== undefined) out["default"] = value;
    for (const key of EXTENSIONS) if (node[key] !== undefined && !(key.endsWith("fields") && !this.#custom)) out[key] = node[key];
    if (!this.#custom) delete out["x-kubernetes-int-or-string"];
    else if (node["x-kubernetes-int-or-string"] === true && this.#dialect.version === 3) out["anyOf"] = [{ type: "integer" }, { type: "string" }];
    return out;
  }

  #reference(name: string, beside: Json, isElement: boolean): Json {
    this.used.add(name);
    const ref = refTo(this.#dialect, name);
    // In version 3 nothing may stand beside a reference; Kubernetes' members always have a description.
    return this.#dialect.version === 3 && !(isElement && Object.keys(beside).length === 0) ? { ...beside, allOf: [ref] } : { ...beside, ...ref };
  }

  #element(node: Node, path: string): Json {
    return this.schema(node, path, { zero: this.#zeroOfElement(node), isElement: true });
  }

  #zeroOfElement(node: Node): unknown {
    if (this.#custom) return undefined;
    const name = named(node);
    if (name !== undefined) return name === TIME || name === QUANTITY || name === INT_OR_STRING ? undefined : {};
    if (node.type === "string" && node.format === undefined) return "";
    return node.type === "integer" ? 0 : undefined;
  }

  #zeroOfMember(node: Node): unknown {
    const zero = node["x-eider-zero"];
    if (this.#custom || zero === undefined) return undefined;
    if (node.$ref !== undefined) return {};
    if (zero === "drop" || named(node) !== undefined) return undefined;
    if (node.type === "string" && node.format === undefined) return "";
    return node.type === "boolean" ? false : node.type === "integer" ? 0 : undefined;
  }

  #properties(properties: Readonly<Record<string, Node>>, path: string): Json {
    const names = Object.keys(properties).sort();
    return Object.fromEntries(names.map((name) => [name, this.#member(properties[name] as Node, path === "" ? name : `${path}.${name}`)]));
  }

  #member(node: Node, path: string): Json {
    return this.schema(node, path, { zero: this.#zeroOfMember(node) });
  }
}

/** A definition as it stands in a document, and the names of those that it refers to. */
export interface Definition {
  readonly name: string;
  readonly schema: Json;
  readonly used: Iterable<string>;
}

const gvk = (kind: Pick<Kind, "group" | "version">, name: string): Json => ({
  "x-kubernetes-group-version-kind": [{ group: kind.group, kind: name, version: kind.version }],
});

/** The definitions of a kind: its objects, and lists of them. */
export function kindDefinitions(kind: Kind, dialect: Dialect): readonly Definition[] {
  const name = definitionName(kind);
  const objects = new Writer(dialect, name, kind.custom);
  const whole: Node = { ...kind.schema, type: "object", properties: { ...objectMembers, ...kind.schema.properties } };
  const body = objects.schema(whole, "");
  const lists = new Writer(dialect, `${name}List`, kind.custom);
  const { apiVersion = {}, kind: kindMember = {} } = objectMembers;
  const list = lists.schema(
    {
      type: "object",
      description: `A list of objects of kind ${kind.kind}.`,
      required: ["items"],
      properties: {
        apiVersion,
        kind: kindMember,
        items: { type: "array", items: { $ref: name }, description: "The objects." },
        metadata: { $ref: `${META}.ListMeta`, "x-eider-zero": "keep", description: "What the list tells about itself." },
      },
    },
    "",
  );
  return [
    { name, schema: { ...body, ...gvk(kind, kind.kind) }, used: objects.used },
    { name: `${name}List`, schema: { ...list, ...gvk(kind, `${kind.kind}List`) }, used: lists.used },
  ];
}

const SCALARS: ReadonlySet<string> = new Set([TIME, MICRO_TIME, QUANTITY, INT_OR_STRING]);

/** A type whose values are texts or numbers; only version 3 can say so. */
function scalar(name: string, node: Node, { version }: Dialect): Json {
  const { type, ...rest } = node;
  if (version === 2 || name === TIME || name === MICRO_TIME) return { ...rest, type };
  const either = name === QUANTITY ? ["string", "number"] : ["integer", "string"];
  return { ...rest, oneOf: either.map((one) => ({ type: one })) };
}

/** The definition of a type that others refer to; undefined for a name that nobody knows. */
export function typeDefinition(name: string, types: Readonly<Record<string, Node>>, dialect: Dialect): Definition | undefined {
  const node = metaTypes[name] ?? types[name];
  if (node === undefined) return undefined;
  if (SCALARS.has(name)) return { name, schema: scalar(name, node, dialect), used: [] };
  const writer = new Writer(dialect, name, false);
  const schema = writer.schema(node, "");
  const kind = META_KINDS[name];
  return { name, schema: kind === undefined ? schema : { ...schema, ...gvk(kind, kind.kind) }, used: writer.used };
}

/** The named types of all kinds. */
export function typesOf(kinds: readonly Kind[]): Readonly<Record<string, Node>> {
  return Object.assign({}, ...kinds.map((kind) => kind.definitions ?? {})) as Record<string, Node>;
}

// The schema language `s`: plain structural nodes that also remember a TypeScript type.
import type { Node } from "./node.ts";

declare const TYPE: unique symbol;
const OPTIONAL: unique symbol = Symbol("optional");

/** A node whose values have the type `V`; the type exists for the compiler only. */
export type Schema<V> = Node & { readonly [TYPE]?: V };

/** A property that may be absent: `?` in the type and not listed as required in the data. */
export type Optional<V> = Schema<V> & { readonly [OPTIONAL]: "absent" };

/** A property that is always there once defaults and admission have run: present in the type, not required in the data. */
export type Filled<V> = Schema<V> & { readonly [OPTIONAL]: "filled" };

/** The type of the values of a schema. */
export type ValueOf<S> = S extends { readonly [TYPE]?: infer V } ? V : never;

type Shape = Readonly<Record<string, Schema<unknown>>>;
type OptionalKeys<P extends Shape> = { [K in keyof P]: P[K] extends { readonly [OPTIONAL]: "absent" } ? K : never }[keyof P];
type Value<S> = Exclude<ValueOf<S>, undefined>;
type Properties<P extends Shape> = { [K in Exclude<keyof P, OptionalKeys<P>>]: Value<P[K]> } & { [K in OptionalKeys<P>]?: Value<P[K]> };
/** The type of an object with the properties `P`. */
export type ShapeOf<P extends Shape> = { [K in keyof Properties<P>]: Properties<P>[K] };

interface Text {
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

interface Range {
  readonly minimum?: number;
  readonly maximum?: number;
}

interface ListOptions<V> {
  /** Keys that tell items apart: list type `map`. Without: `atomic`, unless `plain`. */
  readonly keyedBy?: readonly (keyof V & string)[];
  /** No list type at all, as in Knative's own schemas. */
  readonly plain?: boolean;
}

const markOf = (schema: Node): string | undefined => (schema as { [OPTIONAL]?: string })[OPTIONAL];

/** The node without the mark that `optional` and `filled` leave for `object`. */
function unmarked(schema: Node): Node {
  if (markOf(schema) === undefined) return schema;
  const { [OPTIONAL]: _, ...node } = schema as Node & { [OPTIONAL]?: string };
  return node;
}

/** Properties not marked `optional` or `filled` are required. `open` keeps unknown fields. */
function object<P extends Shape>(properties: P, options: { readonly open?: boolean } = {}): Schema<ShapeOf<P>> {
  const required = Object.keys(properties).filter((name) => markOf(properties[name] as Node) === undefined);
  const nodes = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, unmarked(schema)]));
  return {
    type: "object",
    properties: nodes,
    ...(required.length === 0 ? {} : { required }),
    ...(options.open === true ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
  };
}

function optional<V>(schema: Schema<V>): Optional<V> {
  return { ...schema, [OPTIONAL]: "absent" };
}

function filled<V>(schema: Schema<V>): Filled<V> {
  return { ...schema, [OPTIONAL]: "filled" };
}

/** A value that the schema supplies when the property is absent. */
function withDefault<V>(schema: Schema<V>, value: V): Filled<V> {
  return { ...schema, default: value, [OPTIONAL]: "filled" };
}

function list<V>(items: Schema<V>, options: ListOptions<V> = {}): Schema<V[]> {
  if (options.keyedBy !== undefined) {
    return { type: "array", items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": options.keyedBy };
  }
  return options.plain === true ? { type: "array", items } : { type: "array", items, "x-kubernetes-list-type": "atomic" };
}

const QUANTITY = "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$";

/** The words of the schema language. */
export const s = {
  object,
  optional,
  filled,
  withDefault,
  list,
  map: <V>(values: Schema<V>): Schema<Record<string, V>> => ({ type: "object", additionalProperties: values }),
  set: <V>(items: Schema<V>): Schema<V[]> => ({ type: "array", items, "x-kubernetes-list-type": "set" }),
  string: (text: Text = {}): Schema<string> => ({ type: "string", ...text }),
  oneOf: <const V extends readonly string[]>(values: V): Schema<V[number]> => ({ type: "string", enum: values }),
  int32: (range: Range = {}): Schema<number> => ({ type: "integer", format: "int32", ...range }),
  int64: (range: Range = {}): Schema<number> => ({ type: "integer", format: "int64", ...range }),
  number: (range: Range = {}): Schema<number> => ({ type: "number", ...range }),
  boolean: (): Schema<boolean> => ({ type: "boolean" }),
  /** A resource quantity: `"100m"`, `"1Gi"` or a number. */
  quantity: (): Schema<string | number> => ({ "x-kubernetes-int-or-string": true, pattern: QUANTITY }),
  /** A duration in Go's text form, as a plain string. */
  duration: (): Schema<string> => ({ type: "string" }),
  intOrString: (): Schema<number | string> => ({ "x-kubernetes-int-or-string": true }),
  /** An RFC 3339 time. */
  time: (): Schema<string> => ({ type: "string", format: "date-time" }),
  /** An object of any content; `V` says what our own code expects in it. */
  anything: <V = Record<string, unknown>>(): Schema<V> => ({ type: "object", "x-kubernetes-preserve-unknown-fields": true }),
  /** A whole Kubernetes object inside another one. */
  embedded: <V = Record<string, unknown>>(): Schema<V> => ({
    type: "object",
    "x-kubernetes-embedded-resource": true,
    "x-kubernetes-preserve-unknown-fields": true,
  }),
  /** A node written by hand, for what has no word; `V` is taken on trust. */
  node: <V>(node: Node): Schema<V> => node,
} as const;

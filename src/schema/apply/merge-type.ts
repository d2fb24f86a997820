// How the values of a kind are merged: for each place whether it is a map, a list or a scalar, and whether one owner has it whole.
import { nodeCompiler } from "../compile-nodes.ts";
import type { Node } from "../node.ts";

export type Scalar = "string" | "number" | "boolean" | "untyped";

/** An object. Fields that are neither declared nor of the type `others` are not allowed. */
export interface MapType {
  readonly atomic: boolean;
  readonly fields: ReadonlyMap<string, MergeType>;
  readonly others: MergeType | undefined;
}

/** A list. One that is not atomic is a set, or has items that `keys` tell apart. */
export interface ListType {
  readonly atomic: boolean;
  readonly keys: readonly string[];
  readonly items: MergeType;
  /** Values of keys that an item does not name. */
  readonly defaults: ReadonlyMap<string, unknown>;
}

/** What may stand at a place; several members where the schema leaves the choice to the value. */
export interface MergeType {
  readonly map?: MapType | undefined;
  readonly list?: ListType | undefined;
  readonly scalar?: Scalar | undefined;
}

const NO_FIELDS: ReadonlyMap<string, MergeType> = new Map();

/** Anything, owned whole. */
const WHOLE: MergeType = {
  scalar: "untyped",
  get list() {
    return { atomic: true, keys: [], items: WHOLE, defaults: new Map() };
  },
  get map() {
    return { atomic: true, fields: NO_FIELDS, others: WHOLE };
  },
};

const ATOMIC_LIST: ListType = { atomic: true, keys: [], items: WHOLE, defaults: new Map() };

/** Anything that no schema describes: objects field by field, lists whole. */
export const DEDUCED: MergeType = {
  scalar: "untyped",
  list: ATOMIC_LIST,
  get map() {
    return DEDUCED_MAP;
  },
};

const DEDUCED_MAP: MapType = { atomic: false, fields: NO_FIELDS, others: DEDUCED };

/** Objects of kinds without a schema of their own parts: their content is deduced. */
export function isDeduced(map: MapType): boolean {
  return map.fields.size === 0 && map.others === DEDUCED;
}

/** Patch marks say what list marks do not. */
function isAtomicList(node: Node): boolean {
  const type = node["x-kubernetes-list-type"];
  if (type !== undefined) return type === "atomic";
  return node["x-kubernetes-patch-strategy"]?.startsWith("merge") !== true;
}

function keysOf(node: Node): readonly string[] {
  const type = node["x-kubernetes-list-type"];
  if (type !== undefined) return type === "map" ? (node["x-kubernetes-list-map-keys"] ?? []) : [];
  const key = node["x-kubernetes-patch-merge-key"];
  return key === undefined || isAtomicList(node) ? [] : [key];
}

interface Compiler {
  readonly definitions: Readonly<Record<string, Node>>;
  readonly metadata: MergeType;
  /** A node above keeps unknown fields. */
  readonly open: boolean;
  readonly next: (node: Node, open: boolean) => MergeType;
}

const TEXT: MergeType = { scalar: "string" };

function mapOf(node: Node, { open, metadata, next }: Compiler): MapType {
  const declared = Object.entries(node.properties ?? {}).map(([name, child]) => [name, next(child, open)] as const);
  const embedded = node["x-kubernetes-embedded-resource"] === true;
  const own: readonly (readonly [string, MergeType])[] = embedded ? [["apiVersion", TEXT], ["kind", TEXT], ...declared, ["metadata", metadata]] : declared;
  const fields = new Map(own);
  const others = node.additionalProperties === undefined ? (open || fields.size === 0 ? DEDUCED : undefined) : next(node.additionalProperties, open);
  return { atomic: node["x-kubernetes-map-type"] === "atomic", fields, others };
}

/** What Kubernetes' schema gives as the default of a scalar: that of a field that Go always writes is its zero. */
function defaultOf(node: Node | undefined): unknown {
  if (node === undefined || node.default !== undefined || node["x-eider-zero"] !== "keep") return node?.default;
  if (node.type === "string") return "";
  return node.type === "integer" ? 0 : undefined;
}

function defaultsOf(items: Node | undefined, keys: readonly string[], definitions: Readonly<Record<string, Node>>): ReadonlyMap<string, unknown> {
  const properties = (items?.$ref === undefined ? items : definitions[items.$ref])?.properties;
  return new Map(
    keys.flatMap((key) => {
      const initial = defaultOf(properties?.[key]);
      return initial === undefined ? [] : [[key, initial] as const];
    }),
  );
}

function listOf(node: Node, compiler: Compiler): ListType {
  if (node.items === undefined && node["x-kubernetes-list-type"] === undefined) return ATOMIC_LIST;
  const keys = keysOf(node);
  const items = node.items === undefined ? WHOLE : compiler.next(node.items, compiler.open);
  return { atomic: isAtomicList(node), keys, items, defaults: defaultsOf(node.items, keys, compiler.definitions) };
}

function scalarOf({ type, format }: Node): Scalar {
  if (type === "integer" || type === "number") return "number";
  if (type === "boolean") return "boolean";
  return type === "string" && (format === undefined || format === "" || format === "byte") ? "string" : "untyped";
}

function compile(node: Node, outer: Compiler): MergeType {
  if (node.format === "quantity") return { scalar: "untyped" };
  const compiler = { ...outer, open: outer.open || node["x-kubernetes-preserve-unknown-fields"] === true };
  if (node.type === "object") return { map: mapOf(node, compiler) };
  if (node.type === "array") return { list: listOf(node, compiler) };
  if (node.type !== undefined) return { scalar: scalarOf(node) };
  return { scalar: "untyped", list: listOf(node, compiler), map: mapOf(node, compiler) };
}

/** A named type may be marked where it is used: that goes before its own mark. */
function marked(node: Node, type: MergeType): MergeType {
  // What may also be no object has no type in Kubernetes' schema.
  if (node["x-eider-or"] !== undefined) return DEDUCED;
  const mark = node["x-kubernetes-map-type"];
  if (node.$ref === undefined || mark === undefined) return type;
  return {
    get map() {
      return type.map === undefined ? undefined : { ...type.map, atomic: mark === "atomic" };
    },
    get list() {
      return type.list;
    },
    get scalar() {
      return type.scalar;
    },
  };
}

/** The type of a named node, made when somebody looks: types may refer to themselves. */
function deferred(get: () => MergeType): MergeType {
  return {
    get map() {
      return get().map;
    },
    get list() {
      return get().list;
    },
    get scalar() {
      return get().scalar;
    },
  };
}

/** The type of a schema's values; `metadata` is the schema of the metadata of embedded objects. */
export function mergeTypeOf(root: Node, definitions: Readonly<Record<string, Node>>, metadata: Node): MergeType {
  const meta = metadata === root ? DEDUCED : mergeTypeOf(metadata, {}, metadata);
  const at = (node: Node, open: boolean, next: (node: Node) => MergeType): MergeType => {
    const inner = (child: Node, inside: boolean): MergeType => (child.$ref !== undefined || !inside ? next(child) : at(child, true, next));
    // The metadata of the object itself is of the same type as that of objects inside it.
    const step = (child: Node, inside: boolean): MergeType => (child === metadata ? meta : marked(child, inner(child, inside)));
    return compile(node, { definitions, metadata: meta, open, next: step });
  };
  return nodeCompiler<MergeType>(definitions, (node, next) => at(node, false, next), deferred, { lazily: true })(root);
}

// What strategic merge patches ask of a schema: how a member is merged, in the way that Kubernetes asks its Go types.
import { unknownFailure } from "#core";
import { resolveNode } from "./compile-nodes.ts";
import type { CompiledKind } from "./compiled.ts";
import type { Node } from "./node.ts";

/** A place in the schema with the name that its Go type has, which errors tell. */
export interface PatchSchema {
  readonly node: Node;
  readonly typeName: string;
  readonly definitions: Readonly<Record<string, Node>>;
}

/** How a member is merged. `strategy` is "" where it replaces a list and merges an object. */
export interface MemberMeta {
  readonly schema: PatchSchema;
  readonly strategy: string;
  readonly mergeKey: string;
}

const RETAIN_KEYS = "retainKeys";

/** Types that Kubernetes' names have although our schemas write them in place. */
const NAMED_MEMBERS: Readonly<Record<string, string>> = { metadata: "ObjectMeta", ownerReferences: "OwnerReference", managedFields: "ManagedFieldsEntry" };

export function patchSchemaOf({
  root,
  definitions,
  kind,
}: Pick<CompiledKind, "root" | "definitions"> & { readonly kind: { readonly kind: string } }): PatchSchema {
  return { node: root, typeName: kind.kind, definitions };
}

/** `reflect.Kind` of the Go type behind a node. */
function goKind(node: Node): string {
  if (node.type === "array") return "slice";
  if (node.additionalProperties !== undefined) return "map";
  if (node.type === "integer") return node.format ?? "int64";
  if (node.type === "boolean") return "bool";
  return node.type === "string" && node.format === undefined ? "string" : "struct";
}

function memberNode({ node, typeName, definitions }: PatchSchema, name: string): { readonly raw: Node; readonly node: Node; readonly typeName: string } {
  if (goKind(node) !== "struct") throw unknownFailure(`merging an object in json but data type is not struct, instead is: ${goKind(node)}`);
  const raw = node.properties?.[name];
  if (raw === undefined) throw unknownFailure(`unable to find api field in struct ${typeName} for the json field ${JSON.stringify(name)}`);
  return { raw, node: resolveNode(raw, definitions), typeName: typeNameOf(raw, name) };
}

function typeNameOf(node: Node, name: string): string {
  return node.$ref === undefined ? (NAMED_MEMBERS[name] ?? "") : node.$ref.slice(node.$ref.lastIndexOf(".") + 1);
}

function metaOf(raw: Node, schema: PatchSchema): MemberMeta {
  const strategies = (raw["x-kubernetes-patch-strategy"] ?? "").split(",");
  return { schema, strategy: strategies.find((strategy) => strategy !== RETAIN_KEYS) ?? "", mergeKey: raw["x-kubernetes-patch-merge-key"] ?? "" };
}

/** Of a member that is an object. Throws what Kubernetes says of names that the type does not have. */
export function objectMember(schema: PatchSchema, name: string): MemberMeta {
  const { raw, node, typeName } = memberNode(schema, name);
  return metaOf(raw, { node, typeName, definitions: schema.definitions });
}

/** Of a member that is a list; its schema is that of the items. */
export function listMember(schema: PatchSchema, name: string): MemberMeta {
  const { raw, node } = memberNode(schema, name);
  // A pointer to a struct passes for a pointer to a list; only that a type is none can be told of a plain struct.
  const isPointer = node.type !== "array" && goKind(node) === "struct" && raw["x-eider-zero"] === undefined;
  if (node.type !== "array" && !isPointer) throw unknownFailure("expected slice or array type, but got: struct");
  const items = node.items ?? {};
  return metaOf(raw, { node: resolveNode(items, schema.definitions), typeName: typeNameOf(items, name), definitions: schema.definitions });
}

/** The kind of the items' type, for the one message that names it. */
export function kindName({ node }: PatchSchema): string {
  return goKind(node);
}

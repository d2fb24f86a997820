// Where objects lie in the store, and their texts: the head is fixed, so lists and events are spliced without parsing.
import type { KubeObject, ObjectMeta } from "#schema";
import type { Resource } from "./registry.ts";

/** The key of one object; `namespace` is ignored for cluster-scoped kinds. */
export function keyOf(resource: Resource, namespace: string, name: string): string {
  return resource.namespaced ? `${resource.prefix}${namespace}/${name}` : resource.prefix + name;
}

/** The prefix of all objects of a namespace, or of the kind when `namespace` is "". */
export function prefixOf(resource: Resource, namespace: string): string {
  return resource.namespaced && namespace !== "" ? `${resource.prefix}${namespace}/` : resource.prefix;
}

/** The metadata at a revision, its members in the order in which Kubernetes writes them. */
function metaAt(metadata: ObjectMeta, revision: number): ObjectMeta {
  const { name, generateName, namespace, uid, resourceVersion: _version, ...rest } = metadata;
  return {
    name,
    ...(generateName === undefined ? {} : { generateName }),
    ...(namespace === undefined ? {} : { namespace }),
    uid,
    resourceVersion: String(revision),
    ...rest,
  };
}

/** Most entries of an object stay as they are from write to write, and they are its longest part: their texts are kept. */
function entryText({ entryTexts }: Resource, entry: unknown): string {
  if (typeof entry !== "object" || entry === null) return JSON.stringify(entry);
  let text = entryTexts.get(entry);
  if (text === undefined) {
    text = JSON.stringify(entry);
    entryTexts.set(entry, text);
  }
  return text;
}

/** The stored text of an object at a revision; `object` may come from a client, so its own kind is not trusted. */
export function encode(resource: Resource, object: KubeObject, revision: number): string {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = object;
  const { managedFields, ...meta } = metaAt(metadata, revision);
  const own = JSON.stringify(meta);
  const owned =
    managedFields === undefined ? own : `${own.slice(0, -1)},"managedFields":[${managedFields.map((entry) => entryText(resource, entry)).join(",")}]}`;
  const others = JSON.stringify(rest);
  return `${resource.head}"metadata":${owned}${others === "{}" ? "" : ","}${others.slice(1)}`;
}

/** A stored text at another revision: what a store writes of an object that it expires. */
export function restamp(text: string, revision: number): string {
  const object = decode(text);
  return JSON.stringify({ ...object, metadata: metaAt(object.metadata, revision) });
}

export function decode(text: string): KubeObject {
  return JSON.parse(text) as KubeObject;
}

/** The text as an item of a list: Kubernetes leaves kind and apiVersion out of the items of its built-in lists. */
export function itemText(resource: Resource, text: string): string {
  return resource.kind.custom ? text : `{${text.slice(resource.head.length)}`;
}

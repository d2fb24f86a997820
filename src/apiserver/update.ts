// Changing an object: optimistic locking, what a part of it may change, generations, and removal after the last finalizer.
import { conflict, notFound } from "#core";
import { equal, type KubeObject, type ObjectMeta } from "#schema";
import { isRemovable } from "./deletion-state.ts";
import { invalid } from "./errors.ts";
import { keyOf } from "./keys.ts";
import type { Resource } from "./registry.ts";
import { admitted, ATTEMPTS_MAX, commit, erase, resultText, type Result, type Target, type WriteContext, type WriteTools } from "./writing.ts";

export interface Change {
  /** "" changes all but the status; `status` and `scale` and the kind's own parts change only theirs. */
  readonly subresource: string;
  /** The wanted object, from the current one; called again when somebody else was faster. */
  readonly wanted: (current: KubeObject) => KubeObject;
  /** The wanted object was sent whole: its uid says which object is meant. One that a patch makes may not have another. */
  readonly isWhole: boolean;
}

/** Metadata that clients may change, with what the server owns from `old`. */
function carriedMeta(old: ObjectMeta, wanted: ObjectMeta): ObjectMeta {
  const { labels, annotations, ownerReferences, finalizers } = wanted;
  const { name, generateName, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = old;
  return {
    name,
    ...(generateName === undefined ? {} : { generateName }),
    ...(namespace === undefined ? {} : { namespace }),
    uid,
    resourceVersion,
    ...(generation === undefined ? {} : { generation }),
    creationTimestamp,
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
    ...(finalizers === undefined ? {} : { finalizers }),
  };
}

function withStatusOf(object: KubeObject, source: KubeObject): KubeObject {
  const { status: _status, ...rest } = object as KubeObject & { status?: unknown };
  return "status" in source ? ({ ...rest, status: source.status } as KubeObject) : rest;
}

/** The current object with what this write may change taken over from the wanted one. */
function carryOver(resource: Resource, change: Change, current: KubeObject, wanted: KubeObject): KubeObject {
  if (change.subresource === "status") return withStatusOf(current, wanted);
  const part = resource.served.parts?.[change.subresource];
  if (part !== undefined) return part(current, wanted);
  const object = { ...wanted, metadata: carriedMeta(current.metadata, wanted.metadata) };
  return resource.kind.subresources.status === true ? withStatusOf(object, current) : object;
}

/** Refuses a write that was made from another state, or is about another object of the same name. */
function checkLock({ resource, name }: Target, current: KubeObject, { wanted, isWhole }: { readonly wanted: KubeObject; readonly isWhole: boolean }): void {
  const { resourceVersion = "", uid = "" } = wanted.metadata as Partial<ObjectMeta>;
  if (resourceVersion === "" && resource.kind.custom) {
    const message = "Invalid value: 0: must be specified for an update";
    throw invalid(resource.kind, name, [{ type: "FieldValueInvalid", field: "metadata.resourceVersion", message }]);
  }
  const isOther = uid !== "" && uid !== current.metadata.uid;
  if (isOther && !isWhole) {
    const error = { type: "FieldValueInvalid", field: "metadata.uid", message: `Invalid value: ${JSON.stringify(uid)}: field is immutable` } as const;
    // Kubernetes' general checks and those of the kind both find it.
    throw invalid(resource.kind, name, [error, error]);
  }
  if (isOther) {
    throw conflict(resource.name, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`);
  }
  if (resourceVersion !== "" && resourceVersion !== current.metadata.resourceVersion) throw conflict(resource.name, name);
}

/** All but metadata, and but the status where that is written apart. */
function generationPart(resource: Resource, object: KubeObject): object {
  const { metadata: _metadata, ...rest } = object;
  return resource.kind.subresources.status === true ? withStatusOf(rest as KubeObject, {} as KubeObject) : rest;
}

function withGeneration(resource: Resource, current: KubeObject, next: KubeObject): KubeObject {
  if (!resource.kind.hasGeneration || equal(generationPart(resource, current), generationPart(resource, next))) return next;
  return { ...next, metadata: { ...next.metadata, generation: (current.metadata.generation ?? 0) + 1 } };
}

/** The next state of the object, or undefined when nothing changes. */
async function nextState(target: Target, current: Result, change: Change, context: WriteContext): Promise<KubeObject | undefined> {
  const { resource } = target;
  const wanted = change.wanted(current.object);
  checkLock(target, current.object, { wanted, isWhole: change.isWhole });
  const subresource = change.subresource === "status" || change.subresource === "scale" ? change.subresource : "";
  const carried = carryOver(resource, change, current.object, wanted);
  const admission = { operation: "UPDATE", subresource, old: current.object } as const;
  const next = await admitted(resource, carried, admission, context);
  const { metadata: wantedMeta, ...wantedRest } = next;
  const { managedFields: _managed, ...meta } = wantedMeta;
  const state = { ...wantedRest, metadata: { ...meta, resourceVersion: current.object.metadata.resourceVersion } };
  return equal(state, current.object) ? undefined : withGeneration(resource, current.object, state);
}

/** Throws NotFound and Conflict; equal objects are not written, so their resourceVersion stays. */
export async function update(tools: WriteTools, target: Target, change: Change, context: WriteContext): Promise<Result> {
  const { resource, namespace, name } = target;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const entry = await tools.store.get(keyOf(resource, namespace, name));
    if (entry === undefined) throw notFound(resource.name, name);
    const current = { object: tools.parsed.of(entry.value), text: entry.value };
    const next = await nextState(target, current, change, context);
    if (next === undefined) return current;
    if (!isRemovable(resource, next)) {
      const result = await commit(tools, target, next, entry.revision, context);
      if (result !== undefined) return result;
    } else if ((await erase(tools, target, current.object, entry.revision, context)) !== undefined) {
      // Watchers see what was stored last; who took the last hold away sees the object without it.
      return { object: next, text: resultText(resource, next) };
    }
  }
  throw conflict(resource.name, name);
}

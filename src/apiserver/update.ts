// Changing an object: optimistic locking, what a part of it may change, generations, and removal after the last finalizer.
import { conflict, isReason, notFound, StatusError } from "#core";
import { equal, type KubeObject, type ObjectMeta } from "#schema";
import { createObject, type NewObject } from "./create.ts";
import { isRemovable } from "./deletion-state.ts";
import { invalid } from "./errors.ts";
import { keyOf } from "./keys.ts";
import { asSent, ownersAfter, trackedWrite, withoutNewTimes, withOwners, type Owners } from "./ownership.ts";
import type { Resource } from "./registry.ts";
import { admitted, ATTEMPTS_MAX, commit, erase, resultText, type Result, type Target, type WriteContext, type WriteTools } from "./writing.ts";

export interface Change {
  /** "" changes all but the status; `status` and `scale` and the kind's own parts change only theirs. */
  readonly subresource: string;
  /** The wanted object, from the current one; called again when somebody else was faster. */
  readonly wanted: (current: KubeObject) => NewObject;
  /** What is created when there is nothing; absent: NotFound. */
  readonly created?: (() => NewObject) | undefined;
  /** The server itself acts on what a client has asked for: nobody manages what it changes, and it is no new generation. */
  readonly isAct?: boolean;
  /** The wanted object was sent whole: its uid says which object is meant. One that a patch makes may not have another. */
  readonly isWhole: boolean;
}

/** Metadata that clients may change, with what the server owns from `old`. */
function carriedMeta(old: ObjectMeta, wanted: ObjectMeta): ObjectMeta {
  const { labels, annotations, ownerReferences, finalizers, generateName } = wanted;
  const { name, namespace, resourceVersion, generation, creationTimestamp } = old;
  // A patch may not make another object of it, and deletion is begun by deleting: the checks refuse what a client says of these.
  const uid = wanted.uid === undefined || wanted.uid === "" ? old.uid : wanted.uid;
  const deletionTimestamp = old.deletionTimestamp ?? wanted.deletionTimestamp;
  const grace = wanted.deletionGracePeriodSeconds ?? old.deletionGracePeriodSeconds;
  return {
    name,
    ...(generateName === undefined || generateName === "" ? {} : { generateName }),
    ...(namespace === undefined ? {} : { namespace }),
    uid,
    resourceVersion,
    ...(generation === undefined ? {} : { generation }),
    creationTimestamp,
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(grace === undefined ? {} : { deletionGracePeriodSeconds: grace }),
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

/** A write of the status of a built-in kind may change metadata, too, but for what its kind keeps. */
function statusMeta({ kind }: Resource, old: ObjectMeta, wanted: ObjectMeta): ObjectMeta {
  const keeps = kind.statusKeeps ?? [];
  if (kind.custom || keeps.some((path) => path.length === 1 && path[0] === "metadata")) return old;
  const meta = new Map<string, unknown>(Object.entries(carriedMeta(old, wanted)));
  for (const [first, member] of keeps) {
    if (first !== "metadata" || member === undefined) continue;
    const before = old[member as keyof ObjectMeta];
    if (before === undefined) meta.delete(member);
    else meta.set(member, before);
  }
  return Object.fromEntries(meta) as unknown as ObjectMeta;
}

/** The current object with what this write may change taken over from the wanted one. */
function carryOver(resource: Resource, change: Change, current: KubeObject, wanted: KubeObject): KubeObject {
  if (change.subresource === "status") return { ...withStatusOf(current, wanted), metadata: statusMeta(resource, current.metadata, wanted.metadata) };
  const part = resource.served.parts?.[change.subresource];
  const object = { ...wanted, metadata: carriedMeta(current.metadata, wanted.metadata) };
  if (part !== undefined) return part(current, object);
  if (resource.actions[change.subresource] !== undefined) return object;
  return resource.kind.subresources.status === true ? withStatusOf(object, current) : object;
}

/** The uid of an object that was sent whole says which one is meant. Throws in the words of Kubernetes' store. */
function checkUid({ resource, namespace, name }: Target, uid: string, found: string): void {
  if (uid === "" || uid === found) return;
  const { group, plural, custom } = resource.kind;
  const key = `/registry/${custom ? `${group}/` : ""}${plural}/${resource.namespaced ? `${namespace}/` : ""}${name}`;
  const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${found}`;
  throw conflict(resource.name, name, `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`);
}

/** Refuses a write that was made from another state, or is about another object of the same name. */
function checkLock(target: Target, current: KubeObject, { wanted, isWhole }: { readonly wanted: KubeObject; readonly isWhole: boolean }): void {
  const { resource, name } = target;
  const { resourceVersion = "", uid = "" } = wanted.metadata as Partial<ObjectMeta>;
  if (isWhole) checkUid(target, uid, current.metadata.uid);
  if (!/^\d*$/.test(resourceVersion)) throw new StatusError("Unknown", `strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`);
  const isUnsaid = Number(resourceVersion) === 0;
  if (isUnsaid && (resource.kind.custom || resource.kind.updatesNeedVersion === true)) {
    const message = "Invalid value: 0: must be specified for an update";
    throw invalid({ group: resource.kind.group, kind: resource.kind.plural }, name, [
      { type: "FieldValueInvalid", field: "metadata.resourceVersion", message },
    ]);
  }
  if (!isUnsaid && Number(resourceVersion) !== Number(current.metadata.resourceVersion)) throw conflict(resource.name, name);
}

/** All but metadata, and but the status where that is written apart. */
function generationPart({ kind }: Resource, object: KubeObject): object {
  const { metadata, ...rest } = object;
  const { generationOfMetadata: member } = kind;
  const whole = member === undefined ? rest : { ...rest, metadata: metadata[member] ?? {} };
  return kind.subresources.status === true ? withStatusOf(whole as KubeObject, {} as KubeObject) : whole;
}

/** A write of the status is about no new generation, whatever of the metadata it changes. */
function withGeneration(resource: Resource, subresource: string, current: KubeObject, next: KubeObject): KubeObject {
  if (subresource === "status" || !resource.kind.hasGeneration || equal(generationPart(resource, current), generationPart(resource, next))) return next;
  return { ...next, metadata: { ...next.metadata, generation: (current.metadata.generation ?? 0) + 1 } };
}

/** The next state of the object, or undefined when nothing changes. */
async function nextState(tools: WriteTools, target: Target, current: Result, change: Change, context: WriteContext): Promise<KubeObject | undefined> {
  const { resource } = target;
  const { object: wanted, owners, json, refusal } = change.wanted(current.object);
  checkLock(target, current.object, { wanted, isWhole: change.isWhole });
  if (refusal !== undefined) throw refusal;
  // Who changes a part of an object says nothing of its status: defaults are for objects that are new.
  const isPart = resource.served.parts?.[change.subresource] !== undefined;
  const filled = resource.compiled.applyDefaults(isPart ? withStatusOf(wanted, current.object) : wanted);
  const { resourceVersion, managedFields } = current.object.metadata;
  const entries =
    change.isAct === true
      ? (managedFields as Owners)
      : owners === undefined
        ? ownersAfter(trackedWrite(resource, change.subresource, context, tools.clock), current.object, asSent(filled, json))
        : owners.entries;
  const carried = carryOver(resource, change, current.object, filled);
  const next = await admitted(resource, carried, entries, { operation: "UPDATE", subresource: change.subresource, old: current.object }, context);
  const state = withOwners({ ...next, metadata: { ...next.metadata, resourceVersion } }, withoutNewTimes(entries, managedFields as Owners));
  if (equal(state, current.object)) return undefined;
  const told = withOwners(state, entries);
  return change.isAct === true ? told : withGeneration(resource, change.subresource, current.object, told);
}

/** An object after an update; `isNew`: there was none before. */
export interface Updated extends Result {
  readonly isNew: boolean;
}

/** What an update creates where nothing is; undefined when somebody else was faster. Throws NotFound where nothing is created. */
async function firstState(tools: WriteTools, target: Target, { created, isWhole }: Change, context: WriteContext): Promise<Updated | undefined> {
  const { resource, name } = target;
  if (created === undefined) throw notFound(resource.name, name);
  const draft = created();
  if (isWhole) checkUid(target, draft.object.metadata.uid ?? "", "");
  context.checkCreate();
  try {
    return { ...(await createObject(tools, target, draft, context)), isNew: true };
  } catch (error) {
    if (!isReason(error, "AlreadyExists")) throw error;
    return undefined;
  }
}

/** Throws NotFound and Conflict; equal objects are not written, so their resourceVersion stays. */
export async function update(tools: WriteTools, target: Target, change: Change, context: WriteContext): Promise<Updated> {
  const { resource, namespace, name } = target;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const entry = await tools.store.get(keyOf(resource, namespace, name));
    if (entry === undefined) {
      const first = await firstState(tools, target, change, context);
      if (first === undefined) continue;
      return first;
    }
    const current = { object: tools.parsed.of(entry.value), text: entry.value };
    const next = await nextState(tools, target, current, change, context);
    if (next === undefined) return { ...current, isNew: false };
    if (!isRemovable(resource, next)) {
      const result = await commit(tools, target, next, entry.revision, context);
      if (result !== undefined) return { ...result, isNew: false };
    } else if ((await erase(tools, target, current.object, entry.revision, context)) !== undefined) {
      // Watchers see what was stored last; who took the last hold away sees the object without it.
      return { object: next, text: resultText(resource, next), isNew: false };
    }
  }
  throw conflict(resource.name, name);
}

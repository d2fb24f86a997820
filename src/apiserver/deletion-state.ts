// Where an object stands between the request to delete it and its removal.
import { rfc3339 } from "#core";
import type { KubeObject } from "#schema";
import type { Resource } from "./registry.ts";

export type Propagation = "Background" | "Foreground" | "Orphan";

/** The garbage collector deletes the dependents, then takes the finalizer away. */
const FOREGROUND = "foregroundDeletion";
/** The garbage collector releases the dependents, then takes the finalizer away. */
const ORPHAN = "orphan";

/** Whether something still has to happen before the object may go. */
function isHeld(resource: Resource, object: KubeObject): boolean {
  return (object.metadata.finalizers ?? []).length > 0 || resource.served.holdsDeletion?.(object) === true;
}

/** True for an object whose deletion has begun and that nothing holds any longer. */
export function isRemovable(resource: Resource, object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && !isHeld(resource, object);
}

/** The finalizers after a policy was chosen; without one they stay as they are. */
function finalizersFor(present: readonly string[], policy: Propagation | undefined): string[] {
  if (policy === undefined) return [...present];
  const others = present.filter((finalizer) => finalizer !== FOREGROUND && finalizer !== ORPHAN);
  if (policy === "Background") return others;
  const wanted = policy === "Foreground" ? FOREGROUND : ORPHAN;
  return present.includes(wanted) ? present.filter((finalizer) => finalizer === wanted || others.includes(finalizer)) : [...others, wanted];
}

function withFinalizers(object: KubeObject, policy: Propagation | undefined): KubeObject {
  const { finalizers = [], ...metadata } = object.metadata;
  const next = finalizersFor(finalizers, policy);
  return { ...object, metadata: next.length === 0 ? metadata : { ...metadata, finalizers: next } };
}

/** The object with the given grace; a first deletion counts as a change of generation, as in Kubernetes. */
function marked(object: KubeObject, graceSeconds: number, nowMs: number): KubeObject {
  const { deletionTimestamp, generation } = object.metadata;
  const bumped = deletionTimestamp === undefined && generation !== undefined ? { generation: generation + 1 } : {};
  const metadata = { ...object.metadata, ...bumped, deletionTimestamp: rfc3339(nowMs + graceSeconds * 1000), deletionGracePeriodSeconds: graceSeconds };
  return { ...object, metadata };
}

export type DeletionStep =
  /** Nothing holds the object: it goes. */
  | { readonly do: "remove"; readonly object: KubeObject }
  /** It stays with its new metadata. */
  | { readonly do: "keep"; readonly object: KubeObject }
  /** Its deletion is under way and this request changes nothing. */
  | { readonly do: "nothing" };

export interface DeletionRequest {
  readonly propagationPolicy: Propagation | undefined;
  readonly graceSeconds: number | undefined;
  readonly nowMs: number;
}

/** What a DELETE does to the object as it stands. A second one can only shorten the grace. */
export function deletionStep(resource: Resource, current: KubeObject, request: DeletionRequest): DeletionStep {
  const { served } = resource;
  // A time before now is the shortest there is.
  const asked = request.graceSeconds !== undefined && request.graceSeconds < 0 ? 1 : request.graceSeconds;
  const grace = served.gracefulDeletion?.(current, asked) ?? 0;
  const object = withFinalizers(current, request.propagationPolicy);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = current.metadata;
  if (deletionTimestamp === undefined && served.beginDeletion !== undefined) return { do: "keep", object: served.beginDeletion(object, request.nowMs) };
  // A kind with graces shows that it goes before it is gone, also when there is none left.
  const isGraceful = served.gracefulDeletion !== undefined;
  if (deletionTimestamp === undefined) {
    if (!isGraceful && !isHeld(resource, object)) return { do: "remove", object };
    return { do: "keep", object: marked(object, grace, request.nowMs) };
  }
  const shortened = grace < deletionGracePeriodSeconds && (asked !== undefined || grace === 0);
  const remaining = shortened ? grace : deletionGracePeriodSeconds;
  if (remaining === 0 && !isHeld(resource, object) && !(isGraceful && shortened)) return { do: "remove", object };
  const next = shortened ? marked(object, grace, request.nowMs) : object;
  const sameFinalizers = (next.metadata.finalizers ?? []).join("\n") === (current.metadata.finalizers ?? []).join("\n");
  return shortened || !sameFinalizers ? { do: "keep", object: next } : { do: "nothing" };
}

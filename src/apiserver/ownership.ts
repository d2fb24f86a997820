// From a write to who owns which fields after it: the schema room knows how, this file what is written, by whom and in which part.
import { rfc3339, type Clock } from "#core";
import { equal, trackUpdate, type KubeObject, type ManagedFieldsEntry, type ObjectMeta, type Tracked } from "#schema";
import { isRecord } from "./body.ts";
import type { Resource } from "./registry.ts";
import type { WriteContext } from "./writing.ts";

/** The entries of `metadata.managedFields`; undefined when nobody is told of. */
export type Owners = readonly ManagedFieldsEntry[] | undefined;

/** A write of a part of a resource ("" the object itself), as tracking sees it. */
export function trackedWrite(resource: Resource, subresource: string, context: Pick<WriteContext, "manager">, clock: Clock): Tracked {
  const tracking = subresource === "status" ? resource.tracking.status : resource.tracking.main;
  return { tracking, manager: context.manager, subresource, now: rfc3339(clock.wallMs()) };
}

/**
 * What a client has sent of an object, as Kubernetes looks at it before it is stored: a list that is empty and one that is not
 * there are the same only afterwards. Only lists that are always written count, and of them those of the object itself.
 */
export function asSent(object: KubeObject, json: unknown): KubeObject {
  if (!isRecord(json)) return object;
  const empty = Object.entries(json).filter(
    ([name, value]) => Array.isArray(value) && value.length === 0 && (object as unknown as Record<string, unknown>)[name] === null,
  );
  return empty.length === 0 ? object : { ...object, ...Object.fromEntries(empty) };
}

/** The owners after a write of a whole object. `next` carries the entries that the client sent. */
export function ownersAfter(write: Tracked, live: KubeObject | undefined, next: KubeObject): Owners {
  return trackUpdate(write, { live: live ?? write.tracking.empty, next, sent: next.metadata.managedFields });
}

export function withOwners(object: KubeObject, owners: Owners): KubeObject {
  const { managedFields: _entries, ...metadata } = object.metadata;
  return { ...object, metadata: owners === undefined ? metadata : ({ ...metadata, managedFields: owners } as ObjectMeta) };
}

function withoutTime({ time: _time, ...entry }: ManagedFieldsEntry): object {
  return entry;
}

/** The owners with the times of before, when nothing but times would change. */
export function withoutNewTimes(owners: Owners, before: Owners): Owners {
  if (owners === undefined || before?.length !== owners.length) return owners;
  return equal(owners.map(withoutTime), before.map(withoutTime)) ? before : owners;
}

// Who owns what after a change: the sets of all managers, moved on from one state of an object to the next.
import { compareObjects, without, type Comparison } from "./compare.ts";
import { dropEmpty, withFields, type ManagedFieldsEntry } from "./entries.ts";
import { difference, differenceBelow, intersection, isEmpty, NOTHING, union, type Fields } from "./fields.ts";
import { fieldsOfObject } from "./field-set.ts";
import { mergeObjects } from "./merge.ts";
import type { MergeType } from "./merge-type.ts";
import { reconciled } from "./reconcile.ts";
import { removeFields, withNamedFields } from "./remove.ts";
import { Misfit } from "./walk.ts";

/** An object in one version of its kind. */
export interface Versioned {
  readonly object: unknown;
  readonly type: MergeType;
}

/** The kind of an object in the version in which it is written. */
export interface Tracking {
  readonly apiVersion: string;
  readonly type: MergeType;
  /** An object of the kind with nothing in it, as an object is before it is created. */
  readonly empty: unknown;
  /** Fields that this way of writing resets: nobody comes to own them by it. */
  readonly reset: Fields;
  /** The schema never changes, so no set is older than it. */
  readonly isFixed?: boolean;
  /** The object of this version in another one; undefined when that is no longer served. */
  readonly convert?: ((object: unknown, apiVersion: string) => Versioned | undefined) | undefined;
}

export type Conflicts = ReadonlyMap<string, Fields>;

function versionOf({ apiVersion, type, convert }: Tracking, object: unknown, wanted: string): Versioned | undefined {
  return wanted === apiVersion ? { object, type } : convert?.(object, wanted);
}

/** What does not fit another version says nothing about its managers. */
function comparedIn(before: Versioned, after: Versioned, isOwn: boolean): Comparison {
  try {
    return compareObjects(before.type, before.object, after.object);
  } catch (error) {
    if (isOwn || !(error instanceof Misfit)) throw error;
    return { added: NOTHING, modified: NOTHING, removed: NOTHING };
  }
}

/** What changed, as the managers of each version see it. */
class Changes {
  readonly #tracking: Tracking;
  readonly #states: readonly [unknown, unknown];
  readonly #known = new Map<string, Comparison | undefined>();

  constructor(tracking: Tracking, before: unknown, after: unknown) {
    this.#tracking = tracking;
    this.#states = [before, after];
  }

  /** Undefined for a version that is no longer served. */
  in(apiVersion: string): Comparison | undefined {
    if (this.#known.has(apiVersion)) return this.#known.get(apiVersion);
    const { reset, apiVersion: own } = this.#tracking;
    const [before, after] = this.#states.map((state) => versionOf(this.#tracking, state, apiVersion));
    const found = before === undefined || after === undefined ? undefined : comparedIn(before, after, apiVersion === own);
    const comparison = found === undefined || apiVersion !== own ? found : without(found, reset);
    this.#known.set(apiVersion, comparison);
    return comparison;
  }
}

/** Managers in versions that are no longer served are forgotten; sets are made to fit the schema of today. */
function current(tracking: Tracking, live: unknown, managers: ReadonlyMap<string, ManagedFieldsEntry>): Map<string, ManagedFieldsEntry> {
  const out = new Map<string, ManagedFieldsEntry>();
  for (const [id, entry] of managers) {
    const type = versionOf(tracking, live, entry.apiVersion)?.type;
    if (type === undefined) continue;
    const fields = tracking.isFixed === true ? entry.fieldsV1 : reconciled(type, entry.fieldsV1);
    out.set(id, fields === entry.fieldsV1 ? entry : withFields(entry, fields));
  }
  return out;
}

/** Takes what has changed from all managers but `self`; answers the conflicts instead when there are some and `force` is not set. */
function settle(changes: Changes, managers: Map<string, ManagedFieldsEntry>, self: string, force: boolean): Conflicts | undefined {
  const conflicts = new Map<string, Fields>();
  const next = new Map<string, Fields>();
  for (const [id, entry] of managers) {
    if (id === self) continue;
    const changed = changes.in(entry.apiVersion);
    if (changed === undefined) continue;
    const touched = union(changed.modified, changed.added);
    const lost = intersection(entry.fieldsV1, touched);
    if (!isEmpty(lost)) conflicts.set(id, lost);
    const rest = difference(difference(entry.fieldsV1, lost), changed.removed);
    if (rest !== entry.fieldsV1) next.set(id, rest);
  }
  if (conflicts.size > 0 && !force) return conflicts;
  for (const [id, fields] of next) managers.set(id, withFields(managers.get(id) as ManagedFieldsEntry, fields));
  dropEmpty(managers);
  return undefined;
}

/** The managers after a write of the whole object, and what its sender changed by it. */
export function updated(
  tracking: Tracking,
  managers: ReadonlyMap<string, ManagedFieldsEntry>,
  { before, after }: { readonly before: unknown; readonly after: unknown },
): { readonly managers: Map<string, ManagedFieldsEntry>; readonly taken: Fields } {
  const next = current(tracking, before, managers);
  const changes = new Changes(tracking, before, after);
  settle(changes, next, "", true);
  const own = changes.in(tracking.apiVersion);
  return { managers: next, taken: own === undefined ? NOTHING : union(own.modified, own.added) };
}

/** All that somebody owns, by version. */
function ownedByVersion(managers: ReadonlyMap<string, ManagedFieldsEntry>): Map<string, Fields> {
  const owned = new Map<string, Fields>();
  for (const { apiVersion, fieldsV1 } of managers.values()) owned.set(apiVersion, union(owned.get(apiVersion) ?? NOTHING, fieldsV1));
  return owned;
}

function namedFieldsOf({ type, object }: Versioned): Fields {
  return withNamedFields(type, fieldsOfObject(type, object));
}

/** Puts back what somebody else owns, in one version. */
function withOwned(merged: Versioned, pruned: Versioned, owned: Fields): Versioned {
  const { type } = merged;
  const kept = union(namedFieldsOf(pruned), withNamedFields(type, owned));
  return { type, object: removeFields(type, merged.object, difference(namedFieldsOf(merged), kept)) };
}

/**
 * Takes out what the manager applied last time and no longer does, unless somebody else owns it. The versions of other managers
 * have their say one after the other, that of the last time first.
 */
function prune(tracking: Tracking, merged: unknown, managers: ReadonlyMap<string, ManagedFieldsEntry>, last: ManagedFieldsEntry | undefined): unknown {
  if (last === undefined || isEmpty(last.fieldsV1)) return merged;
  const whole = versionOf(tracking, merged, last.apiVersion);
  if (whole === undefined) return merged;
  const lastFields = withNamedFields(whole.type, last.fieldsV1);
  let pruned: Versioned = { type: whole.type, object: removeFields(whole.type, whole.object, lastFields) };
  const owned = ownedByVersion(managers);
  const versions = [last.apiVersion, ...[...owned.keys()].filter((version) => version !== last.apiVersion)];
  const convertLast = (object: unknown, to: string): Versioned | undefined =>
    versionOf({ ...tracking, apiVersion: last.apiVersion, type: whole.type }, object, to);
  for (const version of versions) {
    const fields = owned.get(version);
    if (fields === undefined) continue;
    const [mergedThere, prunedThere] = [convertLast(whole.object, version), convertLast(pruned.object, version)];
    if (mergedThere === undefined || prunedThere === undefined) continue;
    const kept = withOwned(mergedThere, prunedThere, fields);
    const back = version === last.apiVersion ? kept : versionOf({ ...tracking, apiVersion: version, type: kept.type }, kept.object, last.apiVersion);
    if (back !== undefined) pruned = back;
  }
  // What the manager did not own before is none of its business.
  const gone = intersection(difference(namedFieldsOf(whole), namedFieldsOf(pruned)), lastFields);
  const object = removeFields(whole.type, whole.object, gone);
  return versionOf({ ...tracking, apiVersion: last.apiVersion, type: whole.type }, object, tracking.apiVersion)?.object;
}

export type Applied =
  | { readonly managers: Map<string, ManagedFieldsEntry>; readonly object: unknown }
  /** Others own with other values what the configuration sets. */
  | { readonly conflicts: Conflicts };

/** Applies a configuration that fits the type: merges it, takes out what its manager gives up, and says who owns what then. */
export function applied(
  tracking: Tracking,
  managers: ReadonlyMap<string, ManagedFieldsEntry>,
  { live, config, force }: { readonly live: unknown; readonly config: unknown; readonly force: boolean },
  self: { readonly id: string; readonly entry: (fields: Fields) => ManagedFieldsEntry },
): Applied {
  const next = current(tracking, live, managers);
  const merged = mergeObjects(tracking.type, live, config);
  const last = next.get(self.id);
  next.set(self.id, self.entry(differenceBelow(fieldsOfObject(tracking.type, config), tracking.reset)));
  const object = prune(tracking, merged, next, last);
  const conflicts = settle(new Changes(tracking, live, object), next, self.id, force);
  return conflicts === undefined ? { managers: next, object } : { conflicts };
}

// Keeps `metadata.managedFields` on every write: who is told of, what a client may do to the entries itself, and when times move.
import { badRequest, StatusError } from "#core";
import { isObject } from "../compile-nodes.ts";
import { equal } from "../equal.ts";
import { misfitOf } from "./check.ts";
import {
  capManagers,
  entriesOf,
  entryFor,
  identifierOf,
  isReset,
  managersOf,
  readManagers,
  withFields,
  type ManagedFieldsEntry,
  type Operation,
} from "./entries.ts";
import { conflictError, withoutAllowed } from "./conflict.ts";
import { difference, fieldsOf, isEmpty, union, type Fields } from "./fields.ts";
import { allowedByLastApplied, withLastApplied } from "./last-applied.ts";
import { applied, updated, type Tracking } from "./update.ts";
import { Misfit } from "./walk.ts";

/** The manager whose applies take over from client-side apply. */
const KUBECTL = "kubectl";
const BEFORE_FIRST_APPLY = "before-first-apply";

/** What the server owns of every object: nobody is told of as its manager. */
const STRIPPED = fieldsOf(
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ...["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion"].map((name) => [
    "f:metadata",
    `f:${name}`,
  ]),
);

/** A write, as its kind and its sender see it. */
export interface Tracked {
  readonly tracking: Tracking;
  /** "" is nobody that is known. */
  readonly manager: string;
  /** "" for the object itself. */
  readonly subresource: string;
  /** RFC 3339 with seconds. */
  readonly now: string;
}

export interface UpdateStates {
  /** The object as it stands, or the empty one: that has no uid. */
  readonly live: unknown;
  /** The object as it is wanted, defaults filled in. */
  readonly next: unknown;
  /** `metadata.managedFields` as the client sent them. */
  readonly sent: unknown;
}

function metadataOf(object: unknown): Record<string, unknown> {
  const metadata = isObject(object) ? object["metadata"] : undefined;
  return isObject(metadata) ? metadata : {};
}

function entriesIn(object: unknown): readonly unknown[] | undefined {
  const entries = metadataOf(object)["managedFields"];
  return Array.isArray(entries) ? (entries as readonly unknown[]) : undefined;
}

/** The object as it is compared: entries own no entries. */
function withoutEntries(object: unknown): unknown {
  if (!isObject(object) || !isObject(object["metadata"]) || object["metadata"]["managedFields"] === undefined) return object;
  const { managedFields: _entries, ...metadata } = object["metadata"];
  return { ...object, metadata };
}

function idOf({ tracking, manager, subresource }: Tracked, operation: Operation): Parameters<typeof entryFor>[0] {
  return { manager: manager === "" ? "unknown" : manager, operation, apiVersion: tracking.apiVersion, subresource };
}

/** Those of the client if they say anything, else those of the object: clients that know nothing of them must not lose them. */
function managersBefore({ subresource }: Tracked, { live, sent }: UpdateStates): Map<string, ManagedFieldsEntry> {
  const entries = entriesIn(live);
  if (subresource !== "") return managersOf(entries);
  if (isReset(sent)) return new Map();
  // Nearly all writes send back what they have read.
  if (!Array.isArray(sent) || sent.length === 0 || equal(sent, entries)) return managersOf(entries);
  return readManagers(sent) ?? managersOf(entries);
}

/** The managers after a write of a whole object. */
function managersAfter(
  write: Tracked,
  managers: ReadonlyMap<string, ManagedFieldsEntry>,
  states: { readonly before: unknown; readonly after: unknown },
): Map<string, ManagedFieldsEntry> {
  const { managers: next, taken } = updated(write.tracking, managers, states);
  const own = difference(taken, STRIPPED);
  if (!isEmpty(own)) {
    const id = idOf(write, "Update");
    const before = next.get(identifierOf(id));
    next.set(identifierOf(id), entryFor(id, before === undefined ? own : union(own, before.fieldsV1), write.now));
  }
  capManagers(next);
  return next;
}

/** The entries after an object was created or replaced; undefined: none. */
export function trackUpdate(write: Tracked, states: UpdateStates): ManagedFieldsEntry[] | undefined {
  const managers = managersBefore(write, states);
  // An object that nobody is told of stays so until it is applied for the first time.
  if (managers.size === 0 && metadataOf(states.live)["uid"] !== undefined) return undefined;
  const after = withoutEntries(states.next);
  // Objects of built-in kinds were read as their types; of others also a part may be wrong that the write does not keep.
  if (write.tracking.isFixed !== true && misfitOf(write.tracking.type, after) !== undefined) return undefined;
  try {
    return entriesOf(managersAfter(write, managers, { before: withoutEntries(states.live), after }));
  } catch (error) {
    // Values that fit no type have no owners; the checks that follow refuse most of them.
    if (error instanceof Misfit) return undefined;
    throw error;
  }
}

export interface ApplyStates {
  /** The object as it stands, or the empty one. */
  readonly live: unknown;
  /** The configuration as it was sent. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly force: boolean;
}

/** The object after an apply, defaults not filled in yet. `same`: it is what it was, and only owners may have changed. */
export interface AppliedObject {
  readonly object: unknown;
  readonly entries: ManagedFieldsEntry[] | undefined;
  readonly same: boolean;
}

/** `GROUP/VERSION, Kind=KIND`, as Go prints it. */
function kindText(apiVersion: unknown, kind: unknown): string {
  const version = typeof apiVersion === "string" ? apiVersion : "";
  return `${version.includes("/") ? version : `/${version}`}, Kind=${typeof kind === "string" ? kind : ""}`;
}

/** `NAMESPACE/NAME; GROUP/VERSION, Kind=KIND` of an object, as Kubernetes' messages have it. */
export function objectText(object: unknown): string {
  const { namespace, name } = metadataOf(object);
  const { apiVersion, kind } = isObject(object) ? object : {};
  return `${typeof namespace === "string" ? namespace : ""}/${typeof name === "string" ? name : ""}; ${kindText(apiVersion, kind)}`;
}

/** Refuses a configuration that is of another kind, says who manages what, or does not fit the schema. */
function checkConfig({ tracking }: Tracked, live: unknown, config: Readonly<Record<string, unknown>>): void {
  const wanted = isObject(live) ? live["kind"] : undefined;
  if (config["apiVersion"] !== tracking.apiVersion || config["kind"] !== wanted) {
    throw badRequest(`invalid object type: ${kindText(config["apiVersion"], config["kind"])}`);
  }
  if (Array.isArray(metadataOf(config)["managedFields"])) throw badRequest("metadata.managedFields must be nil");
  const misfit = misfitOf(tracking.type, config);
  if (misfit !== undefined) throw new StatusError("Unknown", `failed to create typed patch object (${objectText(config)}): ${misfit}`);
}

/** Owners of what was there before anything was applied, when nobody knows who they were. */
function withFirstManagers(write: Tracked, live: unknown): Map<string, ManagedFieldsEntry> {
  const managers = managersOf(entriesIn(live));
  if (managers.size > 0) return managers;
  return managersAfter({ ...write, manager: BEFORE_FIRST_APPLY }, managers, { before: write.tracking.empty, after: withoutEntries(live) });
}

/** Applies, and again with force when all conflicts are about what kubectl itself applied on the client's side before. */
function applyOnce(write: Tracked, states: ApplyStates): { readonly object: unknown; readonly managers: Map<string, ManagedFieldsEntry> } {
  const { tracking } = write;
  const live = withoutEntries(states.live);
  const before = withFirstManagers(write, states.live);
  const id = idOf(write, "Apply");
  const self = { id: identifierOf(id), entry: (fields: Fields): ManagedFieldsEntry => entryFor(id, fields, before.get(identifierOf(id))?.time) };
  const first = applied(tracking, before, { ...states, live }, self);
  if (!("conflicts" in first)) return first;
  const allowed = write.manager === KUBECTL ? allowedByLastApplied(tracking, live) : undefined;
  const conflicts = allowed === undefined ? first.conflicts : withoutAllowed(first.conflicts, allowed);
  if (conflicts.size > 0) throw conflictError(conflicts);
  const forced = applied(tracking, before, { ...states, live, force: true }, self);
  if ("conflicts" in forced) throw conflictError(forced.conflicts);
  return forced;
}

/** Applies a configuration. Throws Conflict with a cause for each field, and what `checkConfig` refuses. */
export function trackApply(write: Tracked, states: ApplyStates): AppliedObject {
  checkConfig(write, states.live, states.config);
  const { object, managers } = applyOnce(write, states);
  const id = identifierOf(idOf(write, "Apply"));
  const own = managers.get(id);
  const live = withoutEntries(states.live);
  const same = equal(object, live);
  if (own !== undefined) {
    const fields = difference(own.fieldsV1, STRIPPED);
    if (isEmpty(fields)) managers.delete(id);
    else managers.set(id, withFields(own, fields, same ? own.time : write.now));
  }
  const result = same ? live : object;
  const kept = write.manager === KUBECTL ? withLastApplied(result, states.config) : result;
  return { object: kept, entries: entriesOf(managers), same: same && kept === result };
}

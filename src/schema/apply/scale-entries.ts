// Owners of replicas: in an object they own one of its fields, in its Scale they own `spec.replicas`.
import { entriesOf, managersOf, withFields, type ManagedFieldsEntry } from "./entries.ts";
import { difference, fieldsOf, hasPath, isEmpty, type Fields } from "./fields.ts";

const SCALE_VERSION = "autoscaling/v1";
const IN_SCALE = ["f:spec", "f:replicas"] as const;

/** Where the replicas are in an object, as elements. */
export interface ReplicasPath {
  readonly apiVersion: string;
  readonly path: readonly string[];
  /** Whether a version of the kind is served, and so has the path. */
  readonly isServed: (apiVersion: string) => boolean;
}

function moved(entry: ManagedFieldsEntry, apiVersion: string, fields: Fields): ManagedFieldsEntry {
  return withFields({ ...entry, apiVersion }, fields);
}

/** The entries of an object that own its replicas, as entries of its Scale. */
export function toScaleEntries(entries: readonly unknown[] | undefined, { path, isServed }: ReplicasPath): ManagedFieldsEntry[] | undefined {
  const owners = [...managersOf(entries)].filter(([, { apiVersion, fieldsV1 }]) => isServed(apiVersion) && hasPath(fieldsV1, path));
  return entriesOf(new Map(owners.map(([id, entry]) => [id, moved(entry, SCALE_VERSION, fieldsOf(IN_SCALE))])));
}

/**
 * The entries of an object after its Scale was written. As in Kubernetes, owners are told apart by their version, too: those of
 * updates stand apart from their other fields from then on, and new ones have no time.
 */
export function toParentEntries(
  parent: readonly unknown[] | undefined,
  scale: readonly unknown[] | undefined,
  { apiVersion, path, isServed }: ReplicasPath,
): ManagedFieldsEntry[] | undefined {
  const before = managersOf(parent);
  const owners = managersOf(scale);
  const next = new Map<string, ManagedFieldsEntry>();
  for (const [id, entry] of before) {
    if (!isServed(entry.apiVersion)) continue;
    const rest = hasPath(entry.fieldsV1, path) && !owners.delete(id) ? difference(entry.fieldsV1, fieldsOf(path)) : entry.fieldsV1;
    if (!isEmpty(rest)) next.set(id, rest === entry.fieldsV1 ? entry : withFields(entry, rest));
  }
  for (const [id, entry] of owners) {
    if (!hasPath(entry.fieldsV1, IN_SCALE)) continue;
    const { time: _time, ...timeless } = entry;
    const time = before.get(id)?.time;
    next.set(id, withFields({ ...timeless, apiVersion }, fieldsOf(path), time));
  }
  return entriesOf(next);
}

// `metadata.managedFields`: its entries as managers with their sets, and back.
import { isObject } from "../compile-nodes.ts";
import { compareTexts } from "./element.ts";
import { isEmpty, readFields, union, type Fields } from "./fields.ts";

export type Operation = "Apply" | "Update";

/** One entry as it is stored. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType: "FieldsV1";
  readonly fieldsV1: Fields;
  readonly subresource?: string;
}

/** Entries by what identifies their managers; see `identifierOf`. */
export type Managers = ReadonlyMap<string, ManagedFieldsEntry>;

/** Of update managers as many as these are kept apart; the oldest of the others become one. */
const UPDATE_MANAGERS_MAX = 10;
const ANCIENT = "ancient-changes";

const HTML: Readonly<Record<string, string>> = { "<": "\\u003c", ">": "\\u003e", "&": "\\u0026" };

/**
 * The text that tells managers apart: all of an entry but its time and fields. Who applies stays the same manager in every
 * version. It is what Kubernetes sorts managers by, too.
 */
export function identifierOf({
  manager = "",
  operation,
  apiVersion,
  subresource = "",
}: Pick<ManagedFieldsEntry, "manager" | "operation" | "apiVersion" | "subresource">): string {
  const text = JSON.stringify({
    ...(manager === "" ? {} : { manager }),
    operation,
    ...(operation === "Apply" || apiVersion === "" ? {} : { apiVersion }),
    ...(subresource === "" ? {} : { subresource }),
  });
  return text.replaceAll(/[<>&]/g, (char) => HTML[char] ?? char);
}

/** The managers of stored entries, which are known to be in order. */
export function managersOf(entries: readonly unknown[] | undefined): Map<string, ManagedFieldsEntry> {
  return new Map((entries as readonly ManagedFieldsEntry[] | undefined)?.map((entry) => [identifierOf(entry), entry]));
}

function readEntry(value: unknown): ManagedFieldsEntry | undefined {
  if (!isObject(value)) return undefined;
  const { manager, operation, apiVersion, time, fieldsType, fieldsV1, subresource } = value;
  if (operation !== "Apply" && operation !== "Update") return undefined;
  if (typeof apiVersion !== "string" || apiVersion === "" || fieldsType !== "FieldsV1") return undefined;
  try {
    return {
      ...(typeof manager === "string" && manager !== "" ? { manager } : {}),
      operation,
      apiVersion,
      ...(typeof time === "string" ? { time } : {}),
      fieldsType,
      fieldsV1: readFields(fieldsV1 ?? {}),
      ...(typeof subresource === "string" && subresource !== "" ? { subresource } : {}),
    };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The managers that a client sent; undefined when one of the entries is none. */
export function readManagers(entries: readonly unknown[]): Map<string, ManagedFieldsEntry> | undefined {
  const managers = new Map<string, ManagedFieldsEntry>();
  for (const value of entries) {
    const entry = readEntry(value);
    if (entry === undefined) return undefined;
    managers.set(identifierOf(entry), entry);
  }
  return managers;
}

/** Whether a client sent managedFields that ask for tracking to begin anew: none, or one that is empty. */
export function isReset(entries: unknown): boolean {
  if (!Array.isArray(entries)) return false;
  const [first] = entries as readonly unknown[];
  return entries.length === 0 || (entries.length === 1 && isObject(first) && Object.values(first).every((member) => member === null || member === ""));
}

const secondsOf = (entry: ManagedFieldsEntry): number => (entry.time === undefined ? 0 : Date.parse(entry.time) || 0);

/** By operation, time, manager, version and part, as Kubernetes lists them. */
function compareEntries(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    compareTexts(a.operation, b.operation) ||
    secondsOf(a) - secondsOf(b) ||
    compareTexts(a.manager ?? "", b.manager ?? "") ||
    compareTexts(a.apiVersion, b.apiVersion) ||
    compareTexts(a.subresource ?? "", b.subresource ?? "")
  );
}

/** The entries of managers; undefined when there are none. */
export function entriesOf(managers: Managers): ManagedFieldsEntry[] | undefined {
  return managers.size === 0 ? undefined : [...managers.values()].sort(compareEntries);
}

/** The entry with another set, its members in the order of Kubernetes' JSON. */
export function withFields(entry: ManagedFieldsEntry, fieldsV1: Fields, time: string | undefined = entry.time): ManagedFieldsEntry {
  const { manager, operation, apiVersion, fieldsType, subresource } = entry;
  return {
    ...(manager === undefined ? {} : { manager }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType,
    fieldsV1,
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** A new entry for a manager. */
export function entryFor(
  id: { readonly manager: string; readonly operation: Operation; readonly apiVersion: string; readonly subresource: string },
  fieldsV1: Fields,
  time: string | undefined,
): ManagedFieldsEntry {
  const { manager, subresource, ...rest } = id;
  const named = { ...rest, ...(manager === "" ? {} : { manager }), ...(subresource === "" ? {} : { subresource }) };
  return withFields({ ...named, fieldsType: "FieldsV1", fieldsV1 }, fieldsV1, time);
}

/** Gathers the oldest update managers of each version in one, until no more are left than may be. Changes the map. */
export function capManagers(managers: Map<string, ManagedFieldsEntry>): void {
  const updaters = [...managers].filter(([, { operation }]) => operation === "Update");
  let count = updaters.length;
  if (count <= UPDATE_MANAGERS_MAX) return;
  updaters.sort(([a, left], [b, right]) => secondsOf(left) - secondsOf(right) || compareTexts(a, b));
  const firsts = new Map<string, string>();
  for (const [id, entry] of updaters) {
    if (count <= UPDATE_MANAGERS_MAX) return;
    const { apiVersion, time } = entry;
    const first = firsts.get(apiVersion);
    if (first === undefined) {
      firsts.set(apiVersion, id);
      continue;
    }
    const bucket = { manager: ANCIENT, operation: "Update", apiVersion, subresource: "" } as const;
    const bucketId = identifierOf(bucket);
    const gathered = managers.get(bucketId) ?? managers.get(first);
    if (!managers.has(bucketId)) managers.delete(first);
    managers.delete(id);
    const fields = gathered === undefined ? entry.fieldsV1 : union(entry.fieldsV1, gathered.fieldsV1);
    managers.set(bucketId, entryFor(bucket, fields, time));
    count--;
  }
}

/** The managers without those that own nothing. Changes the map. */
export function dropEmpty(managers: Map<string, ManagedFieldsEntry>): void {
  for (const [id, entry] of managers) if (isEmpty(entry.fieldsV1)) managers.delete(id);
}

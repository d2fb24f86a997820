// Comparing and ordering JSON values.
import { isObject } from "./compile-nodes.ts";

/** Deep equality of JSON values; a member that is undefined counts as absent. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  for (const name of Object.keys(a)) if (!equal(a[name], memberOf(b, name))) return false;
  for (const name of Object.keys(b)) if (b[name] !== undefined && memberOf(a, name) === undefined) return false;
  return true;
}

/** Without what every object inherits: `constructor` is a legal key of labels and data. */
function memberOf(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** A copy whose objects have their keys in alphabetical order, as Go writes maps. */
export function sortKeys<T>(value: T): T {
  if (Array.isArray(value)) return value.map(sortKeys) as T;
  if (!isObject(value)) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, sortKeys(value[name])])) as T;
}

/** Freezes the value and all below it, so that a test notices who changes what it was given. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}

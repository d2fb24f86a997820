// Equality and fingerprints of JSON values, as a server would see them.
import { createHash } from "node:crypto";

/** Deep equality; a member that is undefined is the same as one that is absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => sameJson(item, b[at]));
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const member = (of: Record<string, unknown>, name: string): unknown => (Object.hasOwn(of, name) ? of[name] : undefined);
  for (const name of Object.keys(left)) if (!sameJson(left[name], member(right, name))) return false;
  for (const name of Object.keys(right)) if (right[name] !== undefined && member(left, name) === undefined) return false;
  return true;
}

/** A short text that is equal for equal values with members in the same order. */
export function fingerprint(value: unknown): string {
  return createHash("sha1").update(JSON.stringify(value)).digest("base64");
}

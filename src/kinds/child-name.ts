// Names of children: parent plus suffix, shortened with a hash when too long (serving.md §1.10).
import { createHash } from "node:crypto";

const LENGTH_MAX = 63;
const HASH_LENGTH = 32;
const HEAD_LENGTH = LENGTH_MAX - HASH_LENGTH;

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** Knative's `kmeta.ChildName`: at most 63 characters, stable, different for different parents and suffixes. */
export function childName(parent: string, suffix: string): string {
  if (parent.length + suffix.length <= LENGTH_MAX) return parent + suffix;
  if (suffix.length < HEAD_LENGTH) return `${parent.slice(0, HEAD_LENGTH - suffix.length)}${md5(parent)}${suffix}`;
  const hashed = parent.slice(0, HEAD_LENGTH) + md5(parent + suffix);
  return `${hashed}${suffix.slice(0, Math.max(0, LENGTH_MAX - hashed.length))}`.replace(/[^A-Za-z0-9]+$/, "");
}

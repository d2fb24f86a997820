// Which ReplicaSet belongs to the present template of a Deployment, and what it is called.
import type { Deployment, PodTemplateSpec, ReplicaSet } from "#kinds";
import { equal } from "#schema";

export const TEMPLATE_HASH = "pod-template-hash";
const HASH_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** JSON with sorted members, so that equal templates have equal texts. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value as Record<string, unknown>).filter(([, member]) => member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(",")}}`;
}

/** FNV-1a, 32 bits. */
function fnv32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** At most ten characters without vowels; the count of collisions is part of it. */
export function templateHash(template: PodTemplateSpec, collisionCount: number): string {
  const number = String(fnv32(`${canonical(template)}${collisionCount === 0 ? "" : collisionCount}`));
  return Array.from(number, (digit) => HASH_ALPHABET[digit.charCodeAt(0) % HASH_ALPHABET.length]).join("");
}

function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const { [TEMPLATE_HASH]: _hash, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } };
}

/** Oldest first; names decide among those of the same second. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const ages = Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp);
  return ages !== 0 ? ages : a.metadata.name < b.metadata.name ? -1 : 1;
}

/** The oldest ReplicaSet with the Deployment's template, or undefined. */
export function newReplicaSetOf(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = withoutHash(deployment.spec.template);
  return [...replicaSets].sort(byAge).find((set) => equal(withoutHash(set.spec.template), wanted));
}

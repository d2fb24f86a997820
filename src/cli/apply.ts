// Client-side apply of one object: a three-way merge patch over the last applied configuration.
import { equal, type Draft, type KubeObject } from "#schema";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The object with its own text in the annotation that the next apply compares with. */
export function withLastApplied<O extends KubeObject>(wanted: Draft<O>): Draft<O> {
  const { [LAST_APPLIED]: _, ...annotations } = wanted.metadata.annotations ?? {};
  const plain = { ...wanted, metadata: { ...wanted.metadata, annotations } };
  return { ...plain, metadata: { ...plain.metadata, annotations: { ...annotations, [LAST_APPLIED]: `${JSON.stringify(plain)}\n` } } };
}

/** An RFC 7386 patch: sets what is wanted, removes what was applied before and is no longer wanted, leaves the rest. */
export function threeWayPatch<O extends KubeObject>(current: O, wanted: Draft<O>): unknown {
  const last = JSON.parse(current.metadata.annotations?.[LAST_APPLIED] ?? "{}") as Json;
  return merge(last, JSON.parse(JSON.stringify(wanted)) as Json);
}

/**
 * Whether an apply has changed nothing that users write. The version is no sign of that: the first apply after another
 * program's write moves the time at which we wrote what we own, as on every Kubernetes.
 */
export function isSame(before: KubeObject, after: KubeObject): boolean {
  const written = (object: KubeObject): unknown => {
    const { metadata, status: _, ...rest } = object as KubeObject & { readonly status?: unknown };
    return { ...rest, metadata: { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} } };
  };
  return equal(written(before), written(after));
}

function merge(last: Json, wanted: Json): Json {
  if (!isObject(wanted)) return wanted;
  const removed = isObject(last) ? Object.keys(last).filter((key) => !Object.hasOwn(wanted, key)) : [];
  const kept = Object.entries(wanted).map(([key, value]) => [key, merge(isObject(last) ? (last[key] ?? null) : null, value)] as const);
  return Object.fromEntries([...kept, ...removed.map((key) => [key, null] as const)]);
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

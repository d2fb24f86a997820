// What the plan of a SinkBinding knows.
import { Namespace, SinkBinding, type FindReferenced } from "#kinds";
import type { World } from "#reconcile";
import type { Kind, ObjectKey } from "#schema";
import { findNamed, type ReferenceDeps, type ReferenceTracker } from "../references.ts";
import { findSubjects, kindReference, type FoundSubjects, type SubjectTracker } from "./subjects.ts";

export interface ObservedBinding {
  readonly binding: SinkBinding;
  readonly found: FoundSubjects;
  readonly find: FindReferenced;
  readonly namespace: Namespace | undefined;
  /** When to look for subjects of a kind whose changes wake nobody; undefined for all others. */
  readonly lookAgainAtMs: number | undefined;
}

/** Between two looks for subjects of users' kinds. */
const LOOK_MS = 30_000;

export interface ObserveBindingDeps extends ReferenceDeps {
  readonly references: ReferenceTracker;
  readonly tracker: SubjectTracker;
  readonly watched: readonly Kind[];
}

export async function observeBinding(key: ObjectKey, world: World, deps: ObserveBindingDeps): Promise<ObservedBinding | undefined> {
  const { client, nowMs } = world;
  const binding = await client.find(SinkBinding, key.namespace, key.name);
  if (binding === undefined) return undefined;
  const { sink, subject } = binding.spec;
  deps.tracker.track(key, subject);
  const kind = deps.kindOf(kindReference(subject));
  const [found, find, namespace] = await Promise.all([
    findSubjects(client, kind, { ...subject, namespace: key.namespace }),
    findNamed(client, { key, destinations: [sink] }, deps),
    client.find(Namespace, "", key.namespace),
  ]);
  const wakes = kind !== undefined && deps.watched.some((one) => one.kind === kind.kind && one.group === kind.group);
  return { binding, found, find, namespace, lookAgainAtMs: wakes ? undefined : nowMs.monotonic + LOOK_MS };
}

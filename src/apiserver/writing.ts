// What all writes share: their context, admission, and the step into the store.
import type { Clock, Rng } from "#core";
import type { FieldValidation, KubeObject, UserInfo } from "#schema";
import type { Durability, Expectation, Store } from "#store";
import { invalid } from "./errors.ts";
import { decode, encode, keyOf } from "./keys.ts";
import { withOwnersOnce } from "./owners-once.ts";
import { withOwners, type Owners } from "./ownership.ts";
import type { ParsedObjects } from "./parsed-objects.ts";
import type { Turns } from "./pause.ts";
import type { Resource } from "./registry.ts";

/** Who writes, how durable, how strict, and where warnings go. */
export interface WriteContext {
  readonly user: UserInfo;
  readonly durability: Durability;
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Who manages what is written; "" is nobody that is known. */
  readonly manager: string;
  /** An apply takes fields from their managers. */
  readonly force: boolean;
  /** Throws Forbidden unless the user may create the object, where a PUT or an apply creates one. */
  readonly checkCreate: () => void;
  readonly warn: (text: string) => void;
}

export interface WriteTools {
  readonly store: Store;
  readonly clock: Clock;
  readonly rng: Rng;
  /** The resource whose objects are the namespaces. */
  readonly namespaces: Resource | undefined;
  readonly parsed: ParsedObjects;
  readonly turns: Turns;
}

export interface Target {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

/** An object as it stands after an operation, with its text. */
export interface Result {
  readonly object: KubeObject;
  readonly text: string;
}

/** How often a write that names no resourceVersion is tried again when others write the same object. */
export const ATTEMPTS_MAX = 5;

export interface Admission {
  readonly operation: "CREATE" | "UPDATE";
  readonly subresource: string;
  readonly old: KubeObject | undefined;
}

/** The kind's admission of an object with its defaults, then all checks; throws Invalid with every cause. */
export async function admitted(resource: Resource, object: KubeObject, owners: Owners, admission: Admission, context: WriteContext): Promise<KubeObject> {
  const { compiled, served, kind } = resource;
  let next = object;
  if (served.admit !== undefined) {
    const { user, dryRun, warn } = context;
    const answer = await served.admit({ ...admission, user, dryRun, object: next });
    answer.warnings.forEach(warn);
    next = answer.object;
  }
  next = withOwners(withOwnersOnce(next, context.warn, " after mutating admission happens"), owners);
  const errors = compiled.validate(next, admission.old, admission.subresource, context.warn);
  if (errors.length > 0) throw invalid(kind, next.metadata.name, errors);
  compiled.warnings(next, admission.old).forEach(context.warn);
  return next;
}

/** Writes the object if the key is as expected; undefined when it is not. A dry run answers without writing. */
export async function commit(tools: WriteTools, target: Target, object: KubeObject, expect: Expectation, context: WriteContext): Promise<Result | undefined> {
  const { resource, namespace, name } = target;
  if (context.dryRun) return { object, text: resultText(resource, object) };
  let stored = object;
  const written = await tools.store.put({
    key: keyOf(resource, namespace, name),
    expect,
    durability: context.durability,
    ...(resource.served.ttlMs === undefined ? {} : { ttlMs: resource.served.ttlMs }),
    encode: (revision) => {
      stored = withRevision(object, revision);
      return encode(resource, object, revision);
    },
  });
  if (!written.ok) return undefined;
  // What a kind in several versions keeps of an object may be less than what was sent.
  if (resource.served.stored?.write !== undefined) return { object: decode(written.value), text: written.value };
  const kept = { ...stored, apiVersion: resource.apiVersion, kind: resource.kind.kind };
  tools.parsed.keep(written.value, kept);
  return { object: kept, text: written.value };
}

/** Removes the object if it is still at the revision; the event carries its last state. Undefined when it is not. */
export async function erase(tools: WriteTools, target: Target, object: KubeObject, revision: number, context: WriteContext): Promise<Result | undefined> {
  const { resource, namespace, name } = target;
  if (context.dryRun) return { object, text: resultText(resource, object) };
  let stored = object;
  const written = await tools.store.delete({
    key: keyOf(resource, namespace, name),
    expect: revision,
    durability: context.durability,
    encode: (next) => {
      stored = withRevision(object, next);
      return encode(resource, object, next);
    },
  });
  return written.ok ? { object: stored, text: written.value } : undefined;
}

function withRevision(object: KubeObject, revision: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}

/** The text of an object that was not stored. */
export function resultText(resource: Resource, object: KubeObject): string {
  const { apiVersion: _version, kind: _kind, ...rest } = object;
  return resource.head + JSON.stringify(rest).slice(1);
}

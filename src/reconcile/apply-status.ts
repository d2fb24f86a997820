// Writes a status: transition times are filled in, and nothing is written that is already there.
import { isReason, rfc3339 } from "#core";
import type { Client } from "#client";
import { equal, type Condition, type Kind, type KubeObject } from "#schema";

interface WithConditions {
  readonly conditions?: readonly Condition[];
}

function withoutTime(condition: Condition): object {
  const { lastTransitionTime: _time, ...rest } = condition;
  return rest;
}

/** A condition that brings a time keeps it; otherwise the old time stays unless another member changed. */
function timed(condition: Condition, old: readonly Condition[], wallMs: number): Condition {
  if (condition.lastTransitionTime !== undefined) return condition;
  const before = old.find((other) => other.type === condition.type);
  const kept = before !== undefined && equal(withoutTime(before), withoutTime(condition)) ? before.lastTransitionTime : undefined;
  return { ...condition, lastTransitionTime: kept ?? rfc3339(wallMs) };
}

/** `status` with transition times, compared with what `current` has. */
export function timedStatus(status: object, current: object | undefined, wallMs: number): object {
  const wanted = (status as WithConditions).conditions;
  if (wanted === undefined) return status;
  const old = (current as WithConditions | undefined)?.conditions ?? [];
  return { ...status, conditions: wanted.map((condition) => timed(condition, old, wallMs)) };
}

export interface ApplyStatusOptions {
  readonly client: Client;
  readonly kind: Kind;
  readonly primary: KubeObject;
  readonly status: object;
  readonly wallMs: number;
}

/**
 * True when it wrote. When only spec or metadata changed since the object was observed, the status is written on top of
 * that, as Knative's reconcilers do: what this pass has already done must not go untold, and the change brings another
 * pass. Other conflicts are thrown: the key has to be observed again.
 */
export async function applyStatus({ client, kind, primary, status, wallMs }: ApplyStatusOptions): Promise<boolean> {
  const current = statusOf(primary);
  const wanted = timedStatus(status, current, wallMs);
  if (equal(wanted, current)) return false;
  const write = async (onto: KubeObject): Promise<void> => void (await client.updateStatus(kind, { ...onto, status: wanted } as KubeObject));
  try {
    await write(primary);
  } catch (error) {
    if (!isReason(error, "Conflict")) throw error;
    const { namespace = "", name, uid } = primary.metadata;
    const fresh = await client.find(kind, namespace, name);
    if (fresh?.metadata.uid !== uid || !equal(statusOf(fresh), current)) throw error;
    await write(fresh);
  }
  return true;
}

const statusOf = (object: KubeObject): object => (object as KubeObject & { readonly status?: object }).status ?? {};

// Reads a ReplicaSet, its pods and those without an owner that its selector matches.
import { Pod, ReplicaSet } from "#kinds";
import type { ShellWorld } from "#reconcile";
import type { ObjectKey } from "#schema";
import { matchesSelector } from "../label-selector.ts";
import { isActive } from "../pod-state.ts";

export interface ObservedReplicaSet {
  readonly replicaSet: ReplicaSet;
  /** Pods that it controls, in any state. */
  readonly pods: readonly Pod[];
  /** Active pods without a controller that match its selector. */
  readonly orphans: readonly Pod[];
  readonly nowMs: { readonly monotonic: number; readonly wall: number };
}

export async function observeReplicaSet(key: ObjectKey, world: ShellWorld): Promise<ObservedReplicaSet | undefined> {
  const replicaSet = await world.client.find(ReplicaSet, key.namespace, key.name);
  if (replicaSet === undefined) return undefined;
  const [pods, orphans] = await Promise.all([world.owned(Pod, replicaSet.metadata), world.orphans(Pod, key.namespace)]);
  return {
    replicaSet,
    pods,
    orphans: orphans.filter((pod) => isActive(pod) && matchesSelector(replicaSet.spec.selector, pod.metadata.labels)),
    nowMs: world.nowMs,
  };
}

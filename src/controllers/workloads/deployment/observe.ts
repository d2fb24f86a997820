// Reads a Deployment, its ReplicaSets and those without an owner that its selector matches.
import { Deployment, ReplicaSet } from "#kinds";
import type { ShellWorld } from "#reconcile";
import type { ObjectKey } from "#schema";
import { matchesSelector } from "../label-selector.ts";

export interface ObservedDeployment {
  readonly deployment: Deployment;
  /** Those it controls and the orphans it adopts. */
  readonly replicaSets: readonly ReplicaSet[];
  readonly nowMs: { readonly monotonic: number; readonly wall: number };
}

export async function observeDeployment(key: ObjectKey, world: ShellWorld): Promise<ObservedDeployment | undefined> {
  const deployment = await world.client.find(Deployment, key.namespace, key.name);
  if (deployment === undefined) return undefined;
  const [owned, orphans] = await Promise.all([world.owned(ReplicaSet, deployment.metadata), world.orphans(ReplicaSet, key.namespace)]);
  const adopted = orphans.filter((set) => set.metadata.deletionTimestamp === undefined && matchesSelector(deployment.spec.selector, set.metadata.labels));
  const replicaSets = deployment.metadata.deletionTimestamp === undefined ? [...owned, ...adopted] : owned;
  return { deployment, replicaSets, nowMs: world.nowMs };
}

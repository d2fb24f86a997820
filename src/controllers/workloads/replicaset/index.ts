// ReplicaSet: as many pods of a template as wanted.
import { Pod, ReplicaSet } from "#kinds";
import type { Controller } from "#reconcile";
import { observeReplicaSet, type ObservedReplicaSet } from "./observe.ts";
import { planReplicaSet } from "./plan.ts";

/** Keeps the number of pods; they get their names from the server. */
export function replicaSetController(): Controller<ReplicaSet, ObservedReplicaSet> {
  return {
    name: "replicaset-controller",
    primary: ReplicaSet,
    owns: [Pod],
    observe: observeReplicaSet,
    plan: planReplicaSet,
    primaryOf: ({ replicaSet }) => replicaSet,
  };
}

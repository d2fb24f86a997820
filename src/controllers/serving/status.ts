// What all reconcilers of Knative have in common at the start of a pass (serving.md §2.1).
import { conditionOf, type Condition, type ConditionSet, type KubeObject } from "#schema";

/** Any object with Knative's duck-typed status. */
export type WithConditions = KubeObject & { status?: { observedGeneration?: number; conditions?: Condition[] } };

/** Stored conditions completed; a generation seen for the first time makes the happy one Unknown until the pass decides. */
export function beginConditions(set: ConditionSet, object: WithConditions): Condition[] {
  const conditions = set.initialize(object.status?.conditions);
  if (object.status?.observedGeneration === object.metadata.generation) return conditions;
  return set.markUnknown(conditions, set.happy, { reason: "NewObservedGenFailure", message: "unsuccessfully observed a new generation" });
}

/** Status of the condition `Ready`; Unknown when there is none yet. */
export function readyStatus(object: WithConditions): Condition["status"] {
  return conditionOf(object.status?.conditions, "Ready")?.status ?? "Unknown";
}

/** Ready, and so for the latest spec. */
export function isReady(object: WithConditions): boolean {
  return object.status?.observedGeneration === object.metadata.generation && readyStatus(object) === "True";
}

/** Failed, and so for the latest spec. */
export function isFailed(object: WithConditions): boolean {
  return object.status?.observedGeneration === object.metadata.generation && readyStatus(object) === "False";
}

/** Marks `type` as another object's condition says; absent leaves it alone. */
export function propagate(set: ConditionSet, conditions: readonly Condition[], type: string, from: Condition | undefined): Condition[] {
  if (from === undefined) return [...conditions];
  const why = { ...(from.reason === undefined ? {} : { reason: from.reason }), ...(from.message === undefined ? {} : { message: from.message }) };
  if (from.status === "True") return set.markTrue(conditions, type);
  return from.status === "False" ? set.markFalse(conditions, type, why) : set.markUnknown(conditions, type, why);
}

// Conditions of a CustomResourceDefinition: one a type, with the time of the last change of its status.
import type { CustomResourceDefinition } from "#kinds";

export type DefinitionStatus = NonNullable<CustomResourceDefinition["status"]>;
export type DefinitionCondition = NonNullable<DefinitionStatus["conditions"]>[number];

export function conditionOf(definition: CustomResourceDefinition, type: string): DefinitionCondition | undefined {
  return (definition.status?.conditions ?? []).find((condition) => condition.type === type);
}

export function isTrue(definition: CustomResourceDefinition, type: string): boolean {
  return conditionOf(definition, type)?.status === "True";
}

/** The conditions with one set; a status that stays keeps its time, a new type comes last. */
export function withCondition(
  conditions: readonly DefinitionCondition[],
  wanted: Omit<DefinitionCondition, "lastTransitionTime">,
  now: string,
): DefinitionCondition[] {
  const { type, status, reason, message } = wanted;
  const before = conditions.find((condition) => condition.type === type);
  const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
  const next = { type, status, lastTransitionTime, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
  return before === undefined ? [...conditions, next] : conditions.map((condition) => (condition === before ? next : condition));
}

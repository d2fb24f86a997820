// What a CustomResourceDefinition needs next, one step at a time, as Kubernetes' own controllers take them.
import { apiApprovalOf, type CustomResourceDefinition } from "#kinds";
import { equal } from "#schema";
import { conditionOf, isTrue, withCondition, type DefinitionCondition, type DefinitionStatus } from "./conditions.ts";
import { planNames } from "./names.ts";

/** Held until the instances are gone. */
export const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

export interface ObservedDefinition {
  readonly definition: CustomResourceDefinition;
  /** The other definitions of the same group. */
  readonly others: readonly CustomResourceDefinition[];
  /** RFC 3339. */
  readonly now: string;
}

export type DefinitionStep =
  | { readonly do: "nothing" }
  | { readonly do: "status"; readonly status: DefinitionStatus }
  /** Deletes all objects of the kind, and goes on when none is left. */
  | { readonly do: "empty" }
  /** Takes the finalizer away: the definition goes. */
  | { readonly do: "release" };

const NOTHING: DefinitionStep = { do: "nothing" };

function withConditions({ definition, now }: ObservedDefinition, wanted: readonly Omit<DefinitionCondition, "lastTransitionTime">[]): DefinitionStatus {
  const before = definition.status?.conditions ?? [];
  return { ...definition.status, conditions: wanted.reduce<DefinitionCondition[]>((all, one) => withCondition(all, one, now), [...before]) };
}

function planDeletion(observed: ObservedDefinition): DefinitionStep {
  const { definition } = observed;
  if (!(definition.metadata.finalizers ?? []).includes(CLEANUP_FINALIZER)) return NOTHING;
  const reason = "InstanceDeletionInProgress";
  if (conditionOf(definition, "Terminating")?.reason !== reason) {
    const condition = { type: "Terminating", status: "True", reason, message: "CustomResource deletion is in progress" };
    return { do: "status", status: withConditions(observed, [condition]) };
  }
  return isTrue(definition, "Established") ? { do: "empty" } : { do: "release" };
}

const INSTALLING = { type: "Established", status: "False", reason: "Installing", message: "the initial names have been accepted" };
const REFUSED = { type: "Established", status: "False", reason: "NotAccepted", message: "not all names are accepted" };
const ESTABLISHED = { type: "Established", status: "True", reason: "InitialNamesAccepted", message: "the initial names have been accepted" };

function isAs(condition: DefinitionCondition | undefined, wanted: Omit<DefinitionCondition, "lastTransitionTime">): boolean {
  return condition?.status === wanted.status && condition.reason === wanted.reason && condition.message === wanted.message;
}

const APPROVALS = {
  Invalid: { status: "False", reason: "InvalidAnnotation" },
  Missing: { status: "False", reason: "MissingAnnotation" },
  Approved: { status: "True", reason: "ApprovedAnnotation" },
  Bypassed: { status: "False", reason: "UnapprovedAnnotation" },
} as const;

/** How a group of Kubernetes' own came to be used; undefined for all other groups. */
function approvalCondition(definition: CustomResourceDefinition): Omit<DefinitionCondition, "lastTransitionTime"> | undefined {
  const approval = apiApprovalOf(definition);
  if (approval === undefined) return undefined;
  return { type: "KubernetesAPIApprovalPolicyConformant", ...APPROVALS[approval.state], message: approval.reason };
}

/**
 * | names | Established | step |
 * |---|---|---|
 * | not looked at, or changed | any | accept what is free; Established is False until all are |
 * | accepted | False | Established |
 * | accepted, group of Kubernetes' own | any | how the API was approved |
 */
export function planDefinition(observed: ObservedDefinition): DefinitionStep {
  const { definition, others } = observed;
  if (definition.metadata.deletionTimestamp !== undefined) return planDeletion(observed);
  const { accepted, condition } = planNames(
    definition.spec.names,
    definition.status?.acceptedNames,
    others.flatMap(({ status }) => status?.acceptedNames ?? []),
  );
  if (!equal(accepted, definition.status?.acceptedNames) || !isAs(conditionOf(definition, "NamesAccepted"), condition)) {
    const before = conditionOf(definition, "Established") ?? REFUSED;
    const established = before.status !== "True" && condition.status === "True" ? INSTALLING : before;
    return { do: "status", status: { ...withConditions(observed, [condition, established]), acceptedNames: accepted } };
  }
  if (condition.status === "True" && !isTrue(definition, "Established")) return { do: "status", status: withConditions(observed, [ESTABLISHED]) };
  const approval = approvalCondition(definition);
  if (approval !== undefined && !isAs(conditionOf(definition, approval.type), approval)) return { do: "status", status: withConditions(observed, [approval]) };
  return NOTHING;
}

// Label selectors of workloads and core Services: whether labels match.
import type { LabelSelector } from "#kinds";
import { matchesLabels, requirementsOf, type LabelRequirements } from "#schema";

type Labels = Readonly<Record<string, string>>;

/** An empty selector matches nothing: a workload without one owns no pods. */
function matchesSome(requirements: LabelRequirements | undefined, labels: Labels | undefined): boolean {
  return requirements !== undefined && requirements.length > 0 && matchesLabels(requirements, labels);
}

/** The selector of a workload of apps/v1. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  return matchesSome(requirementsOf(selector), labels);
}

/** The selector of a core Service: all pairs must be there, and there must be some. */
export function matchesPairs(selector: Labels | undefined, labels: Labels | undefined): boolean {
  return matchesSome(requirementsOf(selector === undefined ? undefined : { matchLabels: selector }), labels);
}

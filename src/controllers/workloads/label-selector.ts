// Label selectors of apps/v1: whether labels match.
import type { LabelSelector } from "#kinds";

type Labels = Readonly<Record<string, string>>;

/** An empty selector matches nothing: a workload without one owns no pods. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels = {}): boolean {
  const pairs = Object.entries(selector?.matchLabels ?? {});
  const expressions = selector?.matchExpressions ?? [];
  if (pairs.length + expressions.length === 0) return false;
  return (
    pairs.every(([key, value]) => labels[key] === value) &&
    expressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "In") return value !== undefined && values.includes(value);
      if (operator === "NotIn") return value === undefined || !values.includes(value);
      if (operator === "Exists") return value !== undefined;
      return operator === "DoesNotExist" && value === undefined;
    })
  );
}

/** The selector of a core Service: all pairs must be there, and there must be some. */
export function matchesPairs(selector: Labels | undefined, labels: Labels = {}): boolean {
  const pairs = Object.entries(selector ?? {});
  return pairs.length > 0 && pairs.every(([key, value]) => labels[key] === value);
}

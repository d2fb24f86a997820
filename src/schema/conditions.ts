// Knative's condition algebra (serving.md 2.1) as pure functions on lists of conditions.
import { rfc3339 } from "#core";
import type { Condition } from "./object.ts";

/** Why a condition has its status; empty texts are left out of the object. */
export interface Why {
  readonly reason?: string;
  readonly message?: string;
}

/**
 * The conditions of one kind: a happy one that follows from its dependents, and others that only inform.
 * Methods return new lists in the order of change (latest last, without a transition time); `sorted` ends a pass.
 */
export interface ConditionSet {
  readonly happy: string;
  readonly dependents: readonly string[];
  /** Adds what is missing: Unknown, or True for dependents of a happy object. */
  initialize(conditions: readonly Condition[] | undefined): Condition[];
  markTrue(conditions: readonly Condition[], type: string, why?: Why): Condition[];
  markUnknown(conditions: readonly Condition[], type: string, why: Why): Condition[];
  markFalse(conditions: readonly Condition[], type: string, why: Why): Condition[];
  /** Takes an informing condition away; the happy one and its dependents stay. */
  clear(conditions: readonly Condition[], type: string): Condition[];
  isHappy(conditions: readonly Condition[] | undefined): boolean;
  /** In the order in which they are stored. */
  sorted(conditions: readonly Condition[]): Condition[];
}

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** True when both say the same; transition times do not count. */
function sameBesidesTime(a: Condition, b: Condition): boolean {
  return a.status === b.status && (a.severity ?? "") === (b.severity ?? "") && (a.reason ?? "") === (b.reason ?? "") && (a.message ?? "") === (b.message ?? "");
}

/** `wanted` with the old transition time wherever nothing else changed, and `wallMs` elsewhere; the order stays. */
export function mergeTransitionTimes(old: readonly Condition[] | undefined, wanted: readonly Condition[], wallMs: number): Condition[] {
  return wanted.map((condition) => {
    const before = conditionOf(old, condition.type);
    const kept = before !== undefined && sameBesidesTime(before, condition) ? before.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: kept ?? rfc3339(wallMs) };
  });
}

function sorted(conditions: readonly Condition[]): Condition[] {
  return [...conditions].sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
}

/** Replaces the condition of the same type, unless only its time would change. */
function set(conditions: readonly Condition[], next: Condition): Condition[] {
  const before = conditionOf(conditions, next.type);
  if (before !== undefined && sameBesidesTime(before, next)) return [...conditions];
  return [...conditions.filter((condition) => condition.type !== next.type), next];
}

/** Most recent change first: changes of this pass from last to first, then stored times; ties by type. */
function latestFirst(conditions: readonly Condition[]): Condition[] {
  const fresh = conditions.filter((condition) => condition.lastTransitionTime === undefined).toReversed();
  const stored = sorted(conditions.filter((condition) => condition.lastTransitionTime !== undefined));
  stored.sort((a, b) => Date.parse(b.lastTransitionTime ?? "") - Date.parse(a.lastTransitionTime ?? ""));
  return [...fresh, ...stored];
}

/** The set of conditions with the given happy one; types that are in neither member carry severity Info. */
export function conditionSet(of: { readonly happy: string; readonly dependents: readonly string[] }): ConditionSet {
  const { happy, dependents } = of;
  const isTerminal = (type: string): boolean => type === happy || dependents.includes(type);
  const make = (type: string, status: Condition["status"], why: Why = {}): Condition => ({
    type,
    status,
    ...(isTerminal(type) ? {} : { severity: "Info" as const }),
    ...(why.reason === undefined || why.reason === "" ? {} : { reason: why.reason }),
    ...(why.message === undefined || why.message === "" ? {} : { message: why.message }),
  });

  const unhappyDependent = (conditions: readonly Condition[]): Pick<Condition, "status" | "reason" | "message"> | undefined => {
    const known = latestFirst(conditions.filter((condition) => dependents.includes(condition.type)));
    const found = known.find((condition) => condition.status === "False") ?? known.find((condition) => condition.status === "Unknown");
    return found ?? (known.length < dependents.length ? { status: "Unknown" } : undefined);
  };

  const markFalse = (conditions: readonly Condition[], type: string, why: Why): Condition[] => {
    const marked = set(conditions, make(type, "False", why));
    return dependents.includes(type) ? set(marked, make(happy, "False", why)) : marked;
  };

  return {
    happy,
    dependents,
    sorted,
    markFalse,
    initialize(conditions = []) {
      const happyNow = conditionOf(conditions, happy)?.status ?? "Unknown";
      const missing = [happy, ...dependents].filter((type) => conditionOf(conditions, type) === undefined);
      const status = (type: string): Condition["status"] => (type !== happy && happyNow === "True" ? "True" : "Unknown");
      return [...conditions, ...missing.map((type) => make(type, status(type)))];
    },
    markTrue(conditions, type, why) {
      const marked = set(conditions, make(type, "True", why));
      const unhappy = unhappyDependent(marked);
      if (unhappy !== undefined) return set(marked, make(happy, unhappy.status, unhappy));
      return type === happy ? marked : set(marked, make(happy, "True"));
    },
    markUnknown(conditions, type, why) {
      const marked = set(conditions, make(type, "Unknown", why));
      if (dependents.some((dependent) => conditionOf(marked, dependent)?.status === "False")) {
        return conditionOf(marked, happy)?.status === "False" ? marked : set(marked, make(happy, "False", why));
      }
      return dependents.includes(type) ? set(marked, make(happy, "Unknown", why)) : marked;
    },
    clear(conditions, type) {
      return conditions.filter((condition) => condition.type !== type || isTerminal(type));
    },
    isHappy(conditions) {
      return conditionOf(conditions, happy)?.status === "True";
    },
  };
}

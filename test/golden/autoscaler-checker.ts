// Compares the autoscaler room, the PodAutoscaler plan and the gateway's queue with recordings of the real programs, group by group.
import { checkBalance, checkThrottler } from "./autoscaler-activator.ts";
import { checkBreaker } from "./autoscaler-breaker.ts";
import type { Checked } from "./autoscaler-compare.ts";
import { checkConfig } from "./autoscaler-config.ts";
import { checkDecider } from "./autoscaler-decider.ts";
import { checkActiveCondition, checkNumActivators, checkReconcile, checkSequence } from "./autoscaler-kpa.ts";
import { checkResolve } from "./autoscaler-resolve.ts";
import { checkObserveReady, checkRolloutSequence, checkStep, checkValidate } from "./autoscaler-rollout.ts";

/** A file of recordings: one group, one case an entry. */
export interface AutoscalerRecording {
  readonly group: string;
  readonly cases: readonly unknown[];
}

type Check = (given: never, name: string) => Iterable<Checked>;

const GROUPS: Readonly<Record<string, Check>> = {
  "activator-balance": checkBalance,
  "activator-throttler": checkThrottler,
  breaker: checkBreaker,
  "config-autoscaler": checkConfig,
  resolve: checkResolve,
  "kpa-num-activators": checkNumActivators,
  "kpa-active-condition": checkActiveCondition,
  "kpa-reconcile": checkReconcile,
  "kpa-sequence": checkSequence,
  "rollout-observe-ready": checkObserveReady,
  "rollout-sequence": checkRolloutSequence,
  "rollout-step": checkStep,
  "rollout-validate": checkValidate,
};

const NO_ASSIGNMENT = "every gateway thread knows every pod: nothing is assigned to one or divided among them";
const NOTHING_SCRAPES = "nothing scrapes: gateways report every request";

/** Groups that are not compared, each with the reason. */
const SKIPPED: Readonly<Record<string, string>> = {
  "activator-capacity": NO_ASSIGNMENT,
  "activator-slice": NO_ASSIGNMENT,
  "scrape-average": NOTHING_SCRAPES,
  "scrape-sample-size": NOTHING_SCRAPES,
};

/** A file of recordings. Numbers of rollouts are nanoseconds, beyond what a number holds: they become bigint. */
export function parseRecording(text: string): AutoscalerRecording {
  const recording = JSON.parse(text) as AutoscalerRecording;
  if (!recording.group.startsWith("rollout-")) return recording;
  const exactly = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === "number" ? BigInt(context?.source ?? value) : value;
  return JSON.parse(text, exactly) as AutoscalerRecording;
}

function checkOf(group: string): Check | undefined {
  return group.startsWith("decider-") ? checkDecider : GROUPS[group];
}

/** Why the group is not compared; undefined when it is. */
export function skippedGroup(group: string): string | undefined {
  return checkOf(group) === undefined ? (SKIPPED[group] ?? "no check for this group") : undefined;
}

/** Every case by its name with its comparisons, in order; some cases have many. Fails for a group that is skipped. */
export function* checkAutoscaler({ group, cases }: AutoscalerRecording): Generator<{ readonly name: string; readonly comparisons: Iterable<Checked> }> {
  const check = checkOf(group);
  if (check === undefined) throw new Error(`no check for the group ${group}`);
  for (const [index, given] of cases.entries()) {
    const { name: own } = given as { readonly name?: string };
    const name = own === undefined ? `${group}[${index}]` : `${group}/${own}`;
    yield { name, comparisons: check(given as never, name) };
  }
}

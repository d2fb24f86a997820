// Compares the autoscaler room and the PodAutoscaler plan with recordings of the real programs, group by group.
import type { Checked } from "./autoscaler-compare.ts";
import { checkDecider } from "./autoscaler-decider.ts";
import { checkResolve } from "./autoscaler-resolve.ts";
import { checkActiveCondition, checkNumActivators, checkReconcile, checkSequence } from "./autoscaler-kpa.ts";

interface Recording {
  readonly group: string;
  readonly cases: readonly unknown[];
}

const GROUPS: Readonly<Record<string, (given: never, name: string) => Iterable<Checked>>> = {
  resolve: checkResolve,
  "kpa-num-activators": checkNumActivators,
  "kpa-active-condition": checkActiveCondition,
  "kpa-reconcile": checkReconcile,
  "kpa-sequence": checkSequence,
};

/** True when `checkAutoscalerGolden` knows what to do with the file. */
export function isAutoscalerGolden(fileName: string): boolean {
  const group = fileName.replace(/\.json$/, "");
  return group in GROUPS || group.startsWith("decider-");
}

/** Checks every case of one recorded file of golden/autoscaler. */
export function* checkAutoscalerGolden(fileName: string, parsedJson: unknown): Iterable<Checked> {
  const { group, cases } = parsedJson as Recording;
  const check = group.startsWith("decider-") ? checkDecider : GROUPS[group];
  if (check === undefined) throw new Error(`${fileName}: no check for the group ${group}`);
  for (const [index, given] of cases.entries()) yield* check(given as never, `${group}[${index}]`);
}

// The autoscaler, the PodAutoscaler plan and the gateway's queue against recordings of the real programs.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { Checked } from "./autoscaler-compare.ts";
import { checkAutoscaler, parseRecording, skippedGroup, type AutoscalerRecording } from "./autoscaler-checker.ts";

const FOLDER = new URL("./autoscaler/", import.meta.url);
const recordings = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".json"))
  .map((file) => parseRecording(readFileSync(new URL(file, FOLDER), "utf8")));

function differences(recording: AutoscalerRecording): Checked[] {
  const all = [...checkAutoscaler(recording)].flatMap(({ comparisons }) => [...comparisons]);
  assert.ok(all.length >= recording.cases.length, "a case was not compared");
  return all.filter(({ ok }) => !ok);
}

test("there are recordings of every kind to compare with, and none is skipped", () => {
  assert.equal(recordings.length, 26);
  assert.deepEqual(
    recordings.filter(({ group }) => skippedGroup(group) !== undefined),
    [],
  );
});

for (const recording of recordings) {
  test(`${recording.group} is answered as recorded`, () => assert.deepEqual(differences(recording), []));
}

/** Where a number of a case is changed; it must be noticed. */
const faults: readonly { readonly group: string; readonly plant: (given: never) => unknown }[] = [
  { group: "activator-balance", plant: ({ ops }: { ops: unknown[][] }) => ops[0]?.splice(1, 1, 77) },
  { group: "activator-throttler", plant: ({ steps }: { steps: { capacity: number }[] }) => Object.assign(steps[5] ?? {}, { capacity: 77 }) },
  { group: "breaker", plant: ({ ops }: { ops: { waiting: number }[] }) => Object.assign(ops.at(-1) ?? {}, { waiting: 77 }) },
  { group: "config-autoscaler", plant: ({ parsed }: { parsed: object }) => Object.assign(parsed, { initialScale: 77 }) },
  { group: "decider-steady", plant: ({ ticks }: { ticks: { out: number[] }[] }) => ticks.at(-1)?.out.splice(0, 1, 77) },
  { group: "kpa-active-condition", plant: (row: unknown[]) => row.splice(9, 1, "Planted") },
  { group: "kpa-num-activators", plant: (row: unknown[]) => row.splice(4, 1, 77) },
  { group: "kpa-reconcile", plant: ({ out }: { out: { reconcile: object } }) => Object.assign(out.reconcile, { patchedReplicas: 77 }) },
  { group: "kpa-sequence", plant: ({ steps }: { steps: object[] }) => Object.assign(steps.at(-1) ?? {}, { want: 77 }) },
  {
    group: "rollout-observe-ready",
    plant: ({ out }: { out: { configurations: { stepParams: object }[] } }) =>
      Object.assign(out.configurations[0]?.stepParams ?? {}, { nextStepTime: 1_700_000_006_000_000_001n }),
  },
  { group: "rollout-sequence", plant: ({ steps }: { steps: { out: object }[] }) => Object.assign(steps.at(-1)?.out ?? {}, { enqueueAfterNs: 1n }) },
  { group: "rollout-step", plant: ({ out }: { out: object }) => Object.assign(out, { done: false }) },
  { group: "rollout-validate", plant: (given: object) => Object.assign(given, { valid: false }) },
  { group: "resolve", plant: ({ decider }: { decider: object }) => Object.assign(decider, { stableWindowMs: 77 }) },
];
for (const { group, plant } of faults) {
  test(`${group}: a planted fault is noticed`, () => {
    const recording = structuredClone(recordings.find((each) => each.group === group));
    assert.ok(recording !== undefined);
    plant(recording.cases[0] as never);
    assert.notDeepEqual(differences(recording), []);
  });
}

// The truth table of planPod, and the kubelet's backoff.
import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffText, crashBackoffMs, planPod, restarts, type ContainerView, type PodPlan, type PodView } from "./pod-plan.ts";

const running = (name = "c"): ContainerView => ({ name, phase: "running" });
const ended = (name = "c", exitCode = 1, dueAtMs?: number): ContainerView => ({
  name,
  phase: "ended",
  exitCode,
  ...(dueAtMs === undefined ? {} : { dueAtMs }),
});
const waiting = (name = "c", dueAtMs = 0): ContainerView => ({ name, phase: "waiting", dueAtMs });
const observed = (view: Partial<PodView>): PodView => Object.freeze({ nowMs: 100, deleting: false, stop: "none", inits: [], containers: [], ...view });

const table: readonly { readonly name: string; readonly given: Partial<PodView>; readonly want: PodPlan }[] = [
  { name: "deletion begins with the drain", given: { deleting: true, containers: [running()] }, want: { actions: [{ do: "drain" }] } },
  { name: "while draining nothing happens", given: { deleting: true, stop: "draining", containers: [running()] }, want: { actions: [] } },
  {
    name: "drained and running: terminate",
    given: { deleting: true, stop: "drained", containers: [running(), ended("d")] },
    want: { actions: [{ do: "terminate" }] },
  },
  {
    name: "drained and nothing runs: remove",
    given: { deleting: true, stop: "drained", containers: [ended(), waiting("d")] },
    want: { actions: [{ do: "remove" }] },
  },
  {
    name: "stopping waits for the grace",
    given: { deleting: true, stop: "stopping", killAtMs: 200, containers: [running()] },
    want: { actions: [], wakeAtMs: 200 },
  },
  { name: "the grace is over: kill", given: { deleting: true, stop: "stopping", killAtMs: 100, containers: [running()] }, want: { actions: [{ do: "kill" }] } },
  {
    name: "a running init container is stopped like others",
    given: { deleting: true, stop: "drained", inits: [running()] },
    want: { actions: [{ do: "terminate" }] },
  },
  { name: "a deleted pod starts nothing", given: { deleting: true, stop: "draining", containers: [waiting()] }, want: { actions: [] } },
  {
    name: "all containers start together",
    given: { containers: [waiting("a"), waiting("b")] },
    want: {
      actions: [
        { do: "start", container: "a" },
        { do: "start", container: "b" },
      ],
    },
  },
  {
    name: "a container in backoff is left until it is due",
    given: { containers: [running("a"), ended("b", 1, 500), ended("c", 1, 300)] },
    want: { actions: [], wakeAtMs: 300 },
  },
  { name: "an ended container that may not restart stays ended", given: { containers: [ended()] }, want: { actions: [] } },
  {
    name: "the first init container goes before all",
    given: { inits: [waiting("i"), waiting("j")], containers: [waiting()] },
    want: { actions: [{ do: "start", container: "i" }] },
  },
  {
    name: "the second follows a success",
    given: { inits: [ended("i", 0), waiting("j")], containers: [waiting()] },
    want: { actions: [{ do: "start", container: "j" }] },
  },
  { name: "a failed init container blocks the rest", given: { inits: [ended("i", 1), waiting("j")], containers: [waiting()] }, want: { actions: [] } },
];
for (const { name, given, want } of table) test(`planPod: ${name}`, () => assert.deepEqual(planPod(observed(given)), want));

test("restarts wait 0, 10, 20 … 300 seconds and are written as the kubelet writes them", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 60].map(crashBackoffMs).map(backoffText), ["0s", "10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
});

test("what restarts by policy", () => {
  assert.deepEqual(
    [undefined, "Always", "OnFailure", "Never"].map((policy) => [
      restarts(policy, 0, false),
      restarts(policy, 1, false),
      restarts(policy, 0, true),
      restarts(policy, 1, true),
    ]),
    [
      [true, true, false, true],
      [true, true, false, true],
      [false, true, false, true],
      [false, false, false, false],
    ],
  );
});

// The truth table of planPod, and the kubelet's backoff.
import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffText, crashBackoffMs, planPod, restarts, type ContainerView, type PodPlan, type PodView } from "./pod-plan.ts";

const view = (name: string, its: Partial<ContainerView>): ContainerView => ({ name, phase: "waiting", sidecar: false, started: false, ...its });
const running = (name = "c"): ContainerView => view(name, { phase: "running", started: true });
const ended = (name = "c", exitCode = 1, dueAtMs?: number): ContainerView =>
  view(name, { phase: "ended", exitCode, ...(dueAtMs === undefined ? {} : { dueAtMs }) });
const waiting = (name = "c", dueAtMs = 0): ContainerView => view(name, { dueAtMs });
const sidecar = (its: ContainerView, started = its.phase === "running"): ContainerView => ({ ...its, sidecar: true, started });
const observed = (given: Partial<PodView>): PodView =>
  Object.freeze({ nowMs: 100, deleting: false, stop: "none", dismissed: false, inits: [], containers: [], ...given });

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
  { name: "stopping waits for each container's own end", given: { deleting: true, stop: "stopping", containers: [running()] }, want: { actions: [] } },
  {
    name: "stopped: remove",
    given: { deleting: true, stop: "stopping", inits: [sidecar(ended("s"))], containers: [ended()] },
    want: { actions: [{ do: "remove" }] },
  },
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
  {
    name: "what follows a sidecar waits until it has started",
    given: { inits: [sidecar(running("s"), false), waiting("j")], containers: [waiting()] },
    want: { actions: [] },
  },
  {
    name: "a sidecar that has started lets the next one through",
    given: { inits: [sidecar(running("s")), waiting("j")], containers: [waiting()] },
    want: { actions: [{ do: "start", container: "j" }] },
  },
  {
    name: "sidecars that have started let the containers through",
    given: { inits: [sidecar(running("s")), ended("j", 0), sidecar(running("t"))], containers: [waiting()] },
    want: { actions: [{ do: "start", container: "c" }] },
  },
  {
    name: "a sidecar that has ended starts again while a later init container is under way, and what follows waits for it",
    given: { inits: [sidecar(ended("s", 0, 50)), waiting("j")], containers: [waiting()] },
    want: { actions: [{ do: "start", container: "s" }] },
  },
  {
    name: "a sidecar that has ended starts again beside the containers, which do not wait for it",
    given: { inits: [sidecar(ended("s", 1, 50)), ended("j", 0)], containers: [running(), ended("d", 1, 100)] },
    want: {
      actions: [
        { do: "start", container: "s" },
        { do: "start", container: "d" },
      ],
    },
  },
  {
    name: "the containers are over: sidecars are told to end",
    given: { inits: [sidecar(running("s"))], containers: [ended("c", 0), ended("d", 1)] },
    want: { actions: [{ do: "dismiss" }] },
  },
  { name: "and told once", given: { dismissed: true, inits: [sidecar(running("s"))], containers: [ended("c", 0)] }, want: { actions: [] } },
  {
    name: "a sidecar in its pause does not come back to a pod that is over",
    given: { inits: [sidecar(ended("s", 1, 500))], containers: [ended("c", 0)] },
    want: { actions: [] },
  },
  {
    name: "an init container that failed for good takes the sidecars along",
    given: { inits: [sidecar(running("s")), ended("j", 1)], containers: [waiting()] },
    want: { actions: [{ do: "dismiss" }] },
  },
  { name: "the time of an active pod is waited for", given: { expiresAtMs: 400, containers: [running()] }, want: { actions: [], wakeAtMs: 400 } },
  { name: "and when it is over the pod is", given: { expiresAtMs: 100, containers: [running(), ended("d", 1, 50)] }, want: { actions: [{ do: "expire" }] } },
  { name: "a pod that was over before does not expire", given: { expiresAtMs: 50, containers: [ended("c", 0)] }, want: { actions: [] } },
  { name: "an expired pod starts nothing", given: { stop: "stopping", expiresAtMs: 50, containers: [running(), ended("d", 1, 50)] }, want: { actions: [] } },
  { name: "a failed init container blocks the rest", given: { inits: [ended("i", 1), waiting("j")], containers: [waiting()] }, want: { actions: [] } },
];
for (const { name, given, want } of table) test(`planPod: ${name}`, () => assert.deepEqual(planPod(observed(given)), want));

test("restarts wait 0, 10, 20 … 300 seconds and are written as the kubelet writes them", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 60].map(crashBackoffMs).map(backoffText), ["0s", "10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
});

test("what restarts by policy", () => {
  assert.deepEqual(
    [undefined, "Always", "OnFailure", "Never"].map((policy) => [
      restarts(policy, 0, "container"),
      restarts(policy, 1, "container"),
      restarts(policy, 0, "init"),
      restarts(policy, 1, "init"),
      restarts(policy, 0, "sidecar"),
    ]),
    [
      [true, true, false, true, true],
      [true, true, false, true, true],
      [false, true, false, true, true],
      [false, false, false, false, true],
    ],
  );
});

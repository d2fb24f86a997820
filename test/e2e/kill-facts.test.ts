// Each checker of the kill rounds passes sound facts and complains about a planted fault.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  brokenTraffic,
  doubledPods,
  fallingRevisions,
  lostWrites,
  movedPods,
  orphanProcesses,
  resetsAtKills,
  unreadyServices,
  wrongStatuses,
  type FailedRequest,
  type PodFact,
  type PodProcess,
  type RecordedWrite,
  type Snapshot,
} from "./kill-facts.ts";

const write = (value: string | undefined, outcome: RecordedWrite["outcome"] = "acknowledged", revision?: number): RecordedWrite => ({
  key: "a",
  value,
  outcome,
  ...(revision === undefined ? {} : { revision }),
});
const stored = (value?: string): Map<string, string> => new Map(value === undefined ? [] : [["a", value]]);

const writes: readonly { readonly name: string; readonly given: readonly RecordedWrite[]; readonly stored: Map<string, string>; readonly want: number }[] = [
  { name: "the last acknowledged value is there", given: [write("1"), write("2")], stored: stored("2"), want: 0 },
  { name: "planted: an older value is there", given: [write("1"), write("2")], stored: stored("1"), want: 1 },
  { name: "planted: an acknowledged creation is gone", given: [write("1")], stored: stored(), want: 1 },
  { name: "an acknowledged deletion stays", given: [write("1"), write(undefined)], stored: stored(), want: 0 },
  { name: "planted: a deleted object is back", given: [write("1"), write(undefined)], stored: stored("1"), want: 1 },
  { name: "a write without an answer may have happened", given: [write("1"), write("2", "unknown")], stored: stored("2"), want: 0 },
  { name: "a write without an answer may not have happened", given: [write("1"), write("2", "unknown")], stored: stored("1"), want: 0 },
  { name: "a creation without an answer may not have happened", given: [write("1", "unknown")], stored: stored(), want: 0 },
  { name: "planted: the value before is lost beside a write without an answer", given: [write("1"), write("2", "unknown")], stored: stored(), want: 1 },
  { name: "planted: an acknowledgement ends the doubt of the write before it", given: [write("1", "unknown"), write("2")], stored: stored("1"), want: 1 },
  { name: "a rejected write changes nothing", given: [write("1"), write("2", "rejected")], stored: stored("1"), want: 0 },
  { name: "planted: a rejected write is there", given: [write("1"), write("2", "rejected")], stored: stored("2"), want: 1 },
];
for (const { name, given, stored: found, want } of writes) test(`lostWrites: ${name}`, () => assert.equal(lostWrites(given, found).length, want));

test("fallingRevisions: growing revisions pass, planted: one that was shown before", () => {
  assert.deepEqual(fallingRevisions([write("1", "acknowledged", 5), write("2", "unknown"), write("3", "acknowledged", 9)]), []);
  assert.equal(fallingRevisions([write("1", "acknowledged", 5), write("2", "acknowledged", 5)]).length, 1);
});

const failed = (outcome: FailedRequest["outcome"], startedMs = 100, endedMs = 110): FailedRequest => ({ host: "steady", startedMs, endedMs, outcome });
const kills = [{ sentMs: 105, deadMs: 108 }];
const traffic: readonly { readonly name: string; readonly answered?: number; readonly failed: readonly FailedRequest[]; readonly want: number }[] = [
  { name: "a reset at the kill", failed: [failed("reset")], want: 0 },
  { name: "planted: a refused connection at the kill", failed: [failed("refused")], want: 1 },
  { name: "planted: a reset long before the kill", failed: [failed("reset", 10, 20)], want: 1 },
  { name: "planted: a reset of a request that began after the kill", failed: [failed("reset", 109, 120)], want: 1 },
  { name: "planted: an error answer", failed: [failed({ status: 503 })], want: 1 },
  { name: "planted: no answer", failed: [failed("timeout")], want: 1 },
  { name: "planted: nothing was sent at all", answered: 0, failed: [], want: 1 },
];
for (const { name, answered = 1, failed: each, want } of traffic) {
  test(`brokenTraffic: ${name}`, () => assert.equal(brokenTraffic({ answered, failed: each }, kills).length, want));
}
test("resetsAtKills counts what the kill took along and nothing else", () => {
  assert.equal(resetsAtKills({ answered: 1, failed: [failed("reset"), failed("reset", 10, 20), failed("refused")] }, kills), 1);
});

const pod: PodFact = { uid: "u1", name: "p1", revision: "r1", terminating: false, containers: { main: "process://7-70" }, restarts: 0 };
const running: PodProcess = { pid: 7, startTime: "70", podUid: "u1", container: "main", revision: "r1" };
const sound: Snapshot = { services: [{ name: "s", ready: true, message: "" }], pods: [pod], wanted: { r1: 1 }, processes: [running] };

const snapshots: readonly { readonly name: string; readonly check: (snapshot: Snapshot) => string[]; readonly planted: Partial<Snapshot> }[] = [
  { name: "a Service that is not ready", check: unreadyServices, planted: { services: [{ name: "s", ready: false, message: "no" }] } },
  { name: "no Service at all", check: unreadyServices, planted: { services: [] } },
  { name: "a process whose pod does not exist", check: orphanProcesses, planted: { pods: [] } },
  { name: "a pod more than wanted", check: doubledPods, planted: { pods: [pod, { ...pod, uid: "u2", name: "p2" }] } },
  { name: "a pod of a revision that wants none", check: doubledPods, planted: { wanted: {} } },
  { name: "two processes in one container", check: doubledPods, planted: { processes: [running, { ...running, pid: 8 }] } },
  { name: "a status that names another process", check: wrongStatuses, planted: { pods: [{ ...pod, containers: { main: "process://6-60" } }] } },
  { name: "a status that names a process that is gone", check: wrongStatuses, planted: { processes: [] } },
  { name: "another process in the same pod", check: (after) => movedPods(sound, after, []), planted: { processes: [{ ...running, pid: 8 }] } },
  { name: "a reused pid", check: (after) => movedPods(sound, after, []), planted: { processes: [{ ...running, startTime: "80" }] } },
  {
    name: "a pod of a kept revision that was started again",
    check: (after) => movedPods(sound, after, ["r1"]),
    planted: { pods: [{ ...pod, restarts: 1 }], processes: [{ ...running, pid: 8 }] },
  },
  { name: "a pod of a kept revision that is gone", check: (after) => movedPods(sound, after, ["r1"]), planted: { pods: [], processes: [] } },
];
for (const { name, check, planted } of snapshots) {
  test(`sound facts pass; planted: ${name}`, () => {
    assert.deepEqual(check(sound), []);
    assert.equal(check({ ...sound, ...planted }).length, 1);
  });
}

test("a terminating pod does not count as doubled, and need not have a process", () => {
  const leaving = { ...sound, pods: [pod, { ...pod, uid: "u2", terminating: true }] };
  assert.deepEqual([...doubledPods(leaving), ...wrongStatuses(leaving)], []);
});

test("movedPods lets a pod that nobody keeps start again when its status counts it", () => {
  assert.deepEqual(movedPods(sound, { ...sound, pods: [{ ...pod, restarts: 1 }], processes: [{ ...running, pid: 8 }] }, []), []);
});

test("movedPods complains when there was nothing to keep", () => assert.equal(movedPods({ ...sound, pods: [], processes: [] }, sound, ["r1"]).length, 1));

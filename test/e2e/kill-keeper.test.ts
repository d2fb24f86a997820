// `kill -9` of the keeper, of both processes, and a platform that does not come up again.
import assert from "node:assert/strict";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { doubledPods, movedPods, orphanProcesses, unreadyServices, wrongStatuses, type Snapshot } from "./kill-facts.ts";
import { describeReport, runKillRounds } from "./kill-rounds.ts";
import { isAlive, KillWorld, platformProcesses, podProcesses } from "./kill-world.ts";
import { eventually, Platform, type State } from "./platform.ts";

/** Each costs four seconds; a hundred by hand. */
const ROUNDS = 6;
const seed = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);

test(`the keeper is killed ${ROUNDS} times: the next one gets the sockets and adopts the pods`, async (t) => {
  t.diagnostic(`seed ${seed} (repeat with KILL_SEED)`);
  const report = await runKillRounds({ victim: "keeper", rounds: ROUNDS, seed, tell: () => undefined });
  t.diagnostic(describeReport(report));
  assert.deepEqual(report.complaints, [], `seed ${seed}`);
});

/** The platform at rest with all Services ready; fails with the complaints that do not go away. */
function atRest(world: KillWorld): Promise<Snapshot> {
  const checks = [unreadyServices, orphanProcesses, doubledPods, wrongStatuses];
  let last: readonly string[] = [];
  return eventually("everything is at rest", async () => {
    const snapshot = await world.snapshot().catch(() => undefined);
    if (snapshot === undefined) return false;
    last = checks.flatMap((check) => check(snapshot));
    return last.length === 0 && snapshot;
  }).catch((error: unknown) => assert.fail(`${String(error)}: ${last.join("; ")}\n${world.platform.logs()}`));
}

/** `eider up` on the folder of a platform that is gone. */
async function upAgain(world: KillWorld): Promise<void> {
  const { state } = await Platform.start({ data: world.platform.data, args: portsOf(world.platform.state) });
  world.platform.state = state;
}
const portsOf = ({ api, http }: State): string[] => ["--api-port", new URL(api).port, "--http-port", new URL(http).port];

let begun: Promise<KillWorld> | undefined;
/** One for the four tests that follow: each leaves it serving, but the last. */
const shared = (): Promise<KillWorld> => (begun ??= KillWorld.start());
after(async () => (await begun)?.stop());

test("the keeper dies while its platform starts: the next one is there, with the same sockets and pods", async () => {
  const world = await shared();
  const { data, state } = world.platform;
  const before = await atRest(world);
  await world.kill([state.pid]);
  const starting = await eventually("the next platform starts", async () =>
    platformProcesses(data).find((pid) => pid !== state.keeperPid && pid !== state.pid),
  );
  await world.kill([state.keeperPid], [starting]);
  const next = await world.nextState(state);
  assert.ok(next.pid !== starting && next.keeperPid !== state.keeperPid);
  assert.deepEqual([next.http, next.api], [state.http, state.api]);
  assert.deepEqual(movedPods(before, await atRest(world), ["steady-00001", "changing-00001"]), []);
});

test("a platform that refuses its store ends the keeper and the pods; the folder serves again when it is right", async () => {
  const world = await shared();
  const { data, state } = world.platform;
  const before = await atRest(world);
  const format = (value: number): void => {
    const store = new DatabaseSync(join(data, "store/store.db"), { timeout: 5_000 });
    store.prepare("UPDATE meta SET value = ? WHERE name = 'format'").run(value);
    store.close();
  };
  format(99);
  await world.kill([state.pid]);
  await eventually("the keeper has ended", async () => !isAlive(state.keeperPid));
  assert.deepEqual([...platformProcesses(data), ...podProcesses(data)], []);
  const refused = await world.platform.eider("up", "--detach", ...portsOf(state));
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /format 99/);
  format(1);
  await upAgain(world);
  const after = await atRest(world);
  assert.deepEqual(after.pods.map(({ name }) => name).toSorted(), before.pods.map(({ name }) => name).toSorted());
});

test("both are dead: the next `eider up` adopts the pods that run and ends the one without an object", async () => {
  const world = await shared();
  const { data, state } = world.platform;
  const before = await atRest(world);
  await world.kill([state.pid, state.keeperPid]);
  const pids = (processes: Snapshot["processes"]): Set<number> => new Set(processes.map(({ pid }) => pid));
  assert.deepEqual(pids(podProcesses(data)), pids(before.processes), "the pods go on");
  const lost = before.pods.find(({ revision }) => revision === "changing-00001");
  assert.ok(lost);
  const store = new DatabaseSync(join(data, "store/store.db"));
  const removed = store.prepare("DELETE FROM objects WHERE key LIKE '%pods%' AND key LIKE ?").run(`%/${lost.name}`);
  store.close();
  assert.equal(removed.changes, 1, "one Pod was deleted from the store");
  await upAgain(world);
  const after = await atRest(world);
  assert.deepEqual(movedPods(before, after, ["steady-00001"]), []);
  assert.ok(!after.pods.some(({ uid }) => uid === lost.uid), "the lost Pod is replaced by another");
  assert.ok(!after.processes.some(({ podUid }) => podUid === lost.uid), "its process has ended");
});

test("a dead keeper: `eider status` shows the new pids, adopted pods have no exit code, `eider down` ends all", async () => {
  const world = await shared();
  const { data, state } = world.platform;
  const before = await atRest(world);
  await world.kill([state.keeperPid]);
  const next = await world.nextState(state);
  assert.notEqual(next.keeperPid, state.keeperPid);
  const status = await world.platform.eider("status", "-o", "json");
  const shown = JSON.parse(status.stdout) as State;
  assert.deepEqual([shown.pid, shown.keeperPid, shown.http, shown.api], [next.pid, next.keeperPid, state.http, state.api]);
  assert.deepEqual(movedPods(before, await atRest(world), ["steady-00001", "changing-00001"]), []);

  const [victim] = (await world.snapshot()).processes.filter(({ revision }) => revision === "changing-00001");
  assert.ok(victim);
  process.kill(victim.pid, "SIGKILL");
  const ended = await eventually("the end of an adopted process shows", () => world.terminated("changing-00001"));
  assert.deepEqual([ended.exitCode, ended.reason], [137, "ContainerStatusUnknown"]);
  await atRest(world);

  const down = await world.platform.eider("down");
  assert.equal(down.code, 0, down.stderr);
  assert.deepEqual([...platformProcesses(data), ...podProcesses(data)], []);
});

test("a platform that crashes at every start: pods run until the orphan grace is over, then nothing is left", async () => {
  const graceMs = 4_000;
  const world = await KillWorld.start(["--orphan-grace", `${graceMs}ms`]);
  const { data, state } = world.platform;
  try {
    const { processes } = await atRest(world);
    // Where its certificates should be is a file: it cannot start, and the keeper cannot know whether it ever will.
    renameSync(join(data, "pki"), join(data, "pki.away"));
    writeFileSync(join(data, "pki"), "");
    const from = performance.now();
    await world.kill([state.pid]);
    await eventually("a platform has failed to start", async () => readFileSync(join(data, "log/keeper.log"), "utf8").split('"platform ended"').length > 2);
    assert.equal(podProcesses(data).length, processes.length, "the pods outlive the failed starts");
    await eventually("the keeper has ended", async () => !isAlive(state.keeperPid));
    assert.ok(performance.now() - from >= graceMs * 0.5, "the pods were given their grace");
    assert.deepEqual([...platformProcesses(data), ...podProcesses(data)], []);
    assert.ok(!existsSync(join(data, "keeper.sock")));
  } finally {
    await world.stop();
  }
});

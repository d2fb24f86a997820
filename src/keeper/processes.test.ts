// Real processes on this machine: start, exit, signals to the group, adoption by identity, output limits.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { silentLogger, SimClock } from "#core";
import type { ProcessExit, ProcessSpec } from "#protocol";
import { lockDataFolder } from "./data-lock.ts";
import { identify, identifyByPs, isRunning } from "./identity.ts";
import { limitOutput } from "./output-file.ts";
import { ProcessRecords } from "./process-records.ts";
import { Processes } from "./processes.ts";

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "eider-keeper-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function keeperIn(t: TestContext, dir: string) {
  const exits = new Map<string, ProcessExit | null>();
  const waiting: (() => void)[] = [];
  const clock = new SimClock();
  const onExit = (id: string, exit: ProcessExit | null): void => {
    exits.set(id, exit);
    for (const wake of waiting.splice(0)) wake();
  };
  const processes = new Processes({ records: new ProcessRecords(join(dir, "processes")), clock, logger: silentLogger, onExit });
  const watching = new AbortController();
  t.after(() => {
    watching.abort();
    for (const { id, identity, running } of processes.list()) if (running && isRunning(identity)) processes.signal(id, "SIGKILL");
  });
  const exitOf = async (id: string): Promise<ProcessExit | null> => {
    while (!exits.has(id)) await new Promise<void>((resolve) => waiting.push(resolve));
    return exits.get(id) ?? null;
  };
  return { processes, exitOf, clock, watching: watching.signal };
}

const shell = (dir: string, script: string, id = "pod/app"): ProcessSpec => ({
  id,
  argv: ["/bin/sh", "-c", script],
  env: { PATH: "/usr/bin:/bin" },
  cwd: dir,
  outputFile: join(dir, "out.log"),
  outputBytesMax: 1 << 20,
});

/** Waits for something that another process does. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(2);
}

test("a process gets exactly its environment, its folder and its output file, and its exit code is reported", async (t) => {
  const dir = folder(t);
  const { processes, exitOf } = keeperIn(t, dir);
  const identity = await processes.start({ ...shell(dir, "env; pwd; echo oops >&2; ls /proc/self/fd; exit 7"), env: { A: "1", PATH: "/usr/bin:/bin" } });
  assert.ok(identity.pid > 0);
  const exit = await exitOf("pod/app");
  assert.deepEqual({ code: exit?.code, signal: exit?.signal }, { code: 7, signal: null });
  const lines = readFileSync(join(dir, "out.log"), "utf8").trim().split("\n");
  for (const line of ["A=1", dir, "oops"]) assert.ok(lines.includes(line), `${line} is missing in ${lines.join()}`);
  assert.deepEqual(
    lines.filter((line) => line.includes("=")).filter((line) => !/^(A|PATH|PWD|OLDPWD|_|SHLVL)=/.test(line)),
    [],
  );
  assert.deepEqual(processes.list()[0]?.running, false);
  processes.forget("pod/app");
  assert.deepEqual(processes.list(), []);
});

test("a program that is not there is refused and leaves nothing behind", async (t) => {
  const dir = folder(t);
  const { processes } = keeperIn(t, dir);
  await assert.rejects(processes.start({ ...shell(dir, ""), argv: ["/no/such/program"] }), { name: "ProcessError" });
  assert.deepEqual(processes.list(), []);
  assert.deepEqual(new ProcessRecords(join(dir, "processes")).readAll(), []);
});

test("a signal reaches the whole group, and what a leader leaves behind ends with it", async (t) => {
  const dir = folder(t);
  const { processes, exitOf } = keeperIn(t, dir);
  await processes.start(shell(dir, "sleep 300 & echo $! > child; wait"));
  await until(() => existsSync(join(dir, "child")) && readFileSync(join(dir, "child"), "utf8") !== "");
  const child = Number(readFileSync(join(dir, "child"), "utf8"));
  processes.signal("pod/app", "SIGTERM");
  assert.equal((await exitOf("pod/app"))?.signal, "SIGTERM");
  await until(() => identify(child) === undefined);
});

test("a new keeper adopts what runs, reports what ended meanwhile, and never signals a reused pid", async (t) => {
  const dir = folder(t);
  const first = keeperIn(t, dir);
  const running = await first.processes.start(shell(dir, "exec sleep 300", "a/app"));
  await first.processes.start(shell(dir, "exec sleep 300", "b/app"));
  await first.processes.start(shell(dir, "exit 3", "c/app"));
  assert.equal((await first.exitOf("c/app"))?.code, 3);

  const records = new ProcessRecords(join(dir, "processes"));
  const stale = records.readAll().find((record) => record.id === "b/app");
  assert.ok(stale?.identity !== undefined);
  const bystander = { ...stale, identity: { ...stale.identity, startTime: "1" } };
  records.write(bystander);

  const second = keeperIn(t, dir);
  second.processes.adopt();
  const listed = Object.fromEntries(second.processes.list().map((state) => [state.id, state]));
  assert.deepEqual(listed["a/app"], { id: "a/app", identity: running, running: true });
  assert.deepEqual(listed["b/app"], { id: "b/app", identity: bystander.identity, running: false, exit: null });
  assert.equal(listed["c/app"]?.exit?.code, 3);
  second.processes.signal("b/app", "SIGKILL");
  assert.ok(isRunning(stale.identity), "the process behind a reused pid was killed");
  second.processes.signal("a/app", "SIGKILL");
  await first.exitOf("a/app");
  const watch = second.processes.watch(second.watching);
  await second.clock.advance(1_000);
  assert.equal(await second.exitOf("a/app"), null);
  assert.ok(watch instanceof Promise);
});

test("a keeper killed between spawn and record leaves an intent, by which the process is found", async (t) => {
  const dir = folder(t);
  const first = keeperIn(t, dir);
  const identity = await first.processes.start(shell(dir, "exec sleep 300"));
  const records = new ProcessRecords(join(dir, "processes"));
  records.write({ id: "pod/app", outputFile: join(dir, "out.log"), outputBytesMax: 1 << 20 });
  records.write({ id: "never/started", outputFile: join(dir, "other.log"), outputBytesMax: 1 << 20 });
  const second = keeperIn(t, dir);
  second.processes.adopt();
  assert.deepEqual(second.processes.list(), [{ id: "pod/app", identity, running: true }]);
});

test("output goes on when the file is full: the old part is kept once", async (t) => {
  const dir = folder(t);
  const { processes, exitOf } = keeperIn(t, dir);
  const file = join(dir, "out.log");
  await processes.start(shell(dir, "echo first; while [ ! -e go ]; do sleep 0.01; done; echo second"));
  await until(() => statSync(file).size > 0);
  await limitOutput(file, 3, silentLogger);
  assert.equal(statSync(file).size, 0);
  writeFileSync(join(dir, "go"), "");
  await exitOf("pod/app");
  assert.equal(readFileSync(`${file}.1`, "utf8"), "first\n");
  assert.equal(readFileSync(file, "utf8"), "second\n");
});

test("the end of all is SIGTERM first and SIGKILL after the grace", async (t) => {
  const dir = folder(t);
  const { processes, exitOf, clock } = keeperIn(t, dir);
  await processes.start(shell(dir, "trap '' TERM; echo up; while :; do sleep 0.02; done"));
  await until(() => statSync(join(dir, "out.log")).size > 0);
  const ended = processes.endAll(1_000, new AbortController().signal);
  await clock.advance(990);
  assert.equal(processes.list()[0]?.running, true);
  await clock.advance(40);
  assert.equal((await exitOf("pod/app"))?.signal, "SIGKILL");
  await clock.advance(40);
  await ended;
});

test("ps tells the same processes apart as /proc does", () => {
  const here = identifyByPs(process.pid);
  assert.equal(here?.uid, process.getuid?.());
  assert.deepEqual(identifyByPs(process.pid), here);
  assert.equal(identifyByPs(2 ** 30), undefined);
});

test("the watch of processes sets no timer while none runs", async (t) => {
  const dir = folder(t);
  const { processes, exitOf, clock, watching } = keeperIn(t, dir);
  const watch = processes.watch(watching);
  assert.equal(clock.waiting, 0);
  await processes.start(shell(dir, "sleep 300"));
  await until(() => clock.waiting === 1);
  processes.signal("pod/app", "SIGKILL");
  await exitOf("pod/app");
  await clock.advance(1_000);
  assert.equal(clock.waiting, 0);
  void watch;
});

test("the lock and its folder hold nothing that others can read", (t) => {
  const dir = folder(t);
  const umask = process.umask(0);
  t.after(() => process.umask(umask));
  const lock = lockDataFolder(dir);
  assert.ok(lock !== "held");
  assert.deepEqual(
    readdirSync(dir).map((name) => [name, statSync(join(dir, name)).mode & 0o777]),
    [["keeper.lock", 0o600]],
  );
  assert.equal(lockDataFolder(dir), "held");
  lock.release();
  const again = lockDataFolder(dir);
  assert.ok(again !== "held");
  again.release();
});

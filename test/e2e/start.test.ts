// `npm start`: the report of times, a second one beside it, and no process left after Ctrl-C.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, root } from "./platform.ts";

const NODE = ["--disable-warning=ExperimentalWarning", "--conditions=source"];
const REPORT = "Ctrl-C ends the platform and its pods.";

let work: string;
const started: ChildProcess[] = [];

/** As a terminal runs it: a process group of its own, which Ctrl-C reaches as a whole. */
function start(data: string): { readonly child: ChildProcess; readonly text: () => string } {
  const args = [...NODE, "scripts/start.ts", "--data", data, "--api-port", "0", "--http-port", "0"];
  const child = spawn(process.execPath, args, { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  started.push(child);
  return { child, text: () => text };
}

/** Processes whose command line or environment names the data folder: keeper, platform and pods. */
function processesOf(data: string): string[] {
  const names = (pid: string, file: string): boolean => {
    try {
      return readFileSync(join("/proc", pid, file), "latin1").includes(data);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && (names(pid, "cmdline") || names(pid, "environ")));
}

before(() => {
  work = mkdtempSync(join(tmpdir(), "eider-start-"));
  chmodSync(work, 0o711);
});
after(() => {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), "SIGTERM");
  rmSync(work, { recursive: true, force: true });
});

test("npm start tells the times and the URL; a second one runs beside it; Ctrl-C leaves no process", async () => {
  const folders = [join(work, "one"), join(work, "two")];
  const runs = folders.map(start);
  for (const { text } of runs) {
    await eventually("the report", async () => text().includes(REPORT), 120_000).catch((error: unknown) => assert.fail(`${String(error)}\n${text()}`));
    for (const line of [
      /^ready +\d+\.\d\d s after the start$/m,
      /^deployed +\d+\.\d\d s later/m,
      /^URL +http:\/\/autoscale\.default\.localhost:\d+$/m,
      /^cold request +\d+ ms, status 200/m,
      /^warm request +\d+\.\d ms, status 200$/m,
    ])
      assert.match(text(), line);
  }
  for (const data of folders) assert.ok(processesOf(data).length >= 4, "script, keeper, platform and the sample's pod run");
  for (const { child } of runs) {
    const exit = once(child, "exit") as Promise<[number | null]>;
    process.kill(-(child.pid ?? 0), "SIGINT");
    assert.equal((await exit)[0], 0);
  }
  for (const data of folders) assert.deepEqual(processesOf(data), []);
});

test("Ctrl-C before the report ends it quietly, too", async () => {
  const data = join(work, "early");
  const { child, text } = start(data);
  await eventually("the build of the sample", async () => text().includes("packing"));
  const exit = once(child, "exit") as Promise<[number | null]>;
  process.kill(-(child.pid ?? 0), "SIGINT");
  assert.equal((await exit)[0], 0, text());
  assert.deepEqual(processesOf(data), []);
});

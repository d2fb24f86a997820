// Files of platforms that drain: who is waited for, and until when.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SimClock } from "#core";
import { identify } from "#keeper";
import { beginDraining, Drainers, endDraining } from "./drainers.ts";

const forever = new AbortController().signal;

function folder(t: TestContext): string {
  const run = mkdtempSync(join(tmpdir(), "eider-drainers-"));
  t.after(() => rmSync(run, { recursive: true, force: true }));
  return run;
}

test("one that drains is waited for until it has told, or says that nobody has to", async (t) => {
  const run = folder(t);
  assert.equal(new Drainers(run).awaited, 0);
  beginDraining(run);
  const drainers = new Drainers(run);
  assert.equal(drainers.awaited, 1);
  drainers.told(process.pid);
  assert.equal(await drainers.settled(new SimClock(), forever), true);
  endDraining(run);
  assert.equal(new Drainers(run).awaited, 0);
});

test("files of processes that are gone, and of others under the same number, are removed", (t) => {
  const run = folder(t);
  mkdirSync(join(run, "draining"));
  const other = { ...identify(process.pid), startTime: "1" };
  for (const [name, text] of Object.entries({ 7: "no JSON", [process.pid]: JSON.stringify(other) })) writeFileSync(join(run, "draining", name), text);
  assert.equal(new Drainers(run).awaited, 0);
  assert.equal(existsSync(join(run, "draining", "7")), false);
});

test("one that ends without a word is waited for no longer; one that lives and does not come, for five seconds", async (t) => {
  const run = folder(t);
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  mkdirSync(join(run, "draining"));
  writeFileSync(join(run, "draining", String(child.pid)), JSON.stringify(identify(child.pid ?? 0)));
  const clock = new SimClock();
  const drainers = new Drainers(run);
  let settled: boolean | undefined;
  void drainers.settled(clock, forever).then((told) => (settled = told));
  await clock.advance(4_900);
  assert.equal(settled, undefined);
  await clock.advance(200);
  assert.equal(settled, false);
  const again = drainers.settled(clock, forever);
  child.kill("SIGKILL");
  await once(child, "exit");
  await clock.advance(100);
  assert.equal(await again, true);
});

// The keeper dies while its platform is still coming up: the next keeper and platform serve all the same.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { eventually, Platform } from "./platform.ts";

/** The platform of a keeper: its child with the platform's argument. */
function platformOf(keeperPid: number): number | undefined {
  const found = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isPlatformOf(name, keeperPid));
  return found[0] === undefined ? undefined : Number(found[0]);
}

function isPlatformOf(pid: string, keeperPid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    return parent === keeperPid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--eider-platform=");
  } catch {
    return false;
  }
}

test("kill -9 of a keeper whose platform is starting: another pair takes over on the same ports", async (t) => {
  const platform = await Platform.start();
  t.after(() => platform.stop());
  const { pid, keeperPid, http } = platform.state;
  for (const waitMs of [5, 150, 300]) {
    const before = JSON.parse((await platform.eider("status", "-o", "json")).stdout) as { pid: number; keeperPid: number };
    process.kill(before.pid, "SIGKILL");
    await eventually("another platform starts", async () => ![undefined, before.pid].includes(platformOf(before.keeperPid)));
    await new Promise((resume) => setTimeout(resume, waitMs));
    process.kill(before.keeperPid, "SIGKILL");
    const after = await eventually(
      "a new keeper has a platform that is ready",
      async () => {
        const { code, stdout } = await platform.eider("status", "-o", "json");
        const state = code === 0 ? (JSON.parse(stdout) as { pid: number; keeperPid: number; http: string }) : undefined;
        return state !== undefined && state.keeperPid !== before.keeperPid && state.pid !== before.pid && state;
      },
      20_000,
    );
    assert.equal(after.http, http);
    assert.equal((await platform.request("nobody.example.com")).status, 404);
  }
  assert.ok(pid > 0 && keeperPid > 0);
});

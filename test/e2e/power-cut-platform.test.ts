// A copy of the whole data folder, taken at a random moment of writes and load, starts as after a power cut.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { below, SeededRng } from "#core";
import { lostWrites, orphanProcesses, doubledPods, unreadyServices, wrongStatuses } from "./kill-facts.ts";
import { KillWorld, podProcesses, sleep } from "./kill-world.ts";
import { eventually, Platform } from "./platform.ts";

const ANSWER_LIMIT_MS = 30_000;
const seed = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);

/** The folder as a machine finds it that lost its power: no sockets, no processes of this boot. */
function copyAsAfterPowerCut(data: string): string {
  const copy = mkdtempSync(join(tmpdir(), "eider-e2e-"));
  cpSync(data, copy, { recursive: true, filter: (path) => !path.endsWith(".sock") });
  const folder = join(copy, "processes");
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".json"))) {
    const text = readFileSync(join(folder, name), "utf8");
    writeFileSync(join(folder, name), text.replace(/"bootId":"[^"]*"/, '"bootId":"the boot before"'));
  }
  return copy;
}

test("power cut: all that was acknowledged is there, every Service is ready again, in new processes", async (t) => {
  t.diagnostic(`seed ${seed} (repeat with KILL_SEED)`);
  const rng = new SeededRng(seed);
  const world = await KillWorld.start();
  world.begin(rng);
  await world.create({ name: "made", version: 1 });
  const acknowledged = (all: typeof world.writes): number => all.flat().filter(({ outcome }) => outcome === "acknowledged").length;
  await eventually("there is something to lose", async () => acknowledged(world.writes) > 10);
  await sleep(below(rng, 1_500));
  // Stopped between two instructions, the files are what a power cut would leave, or more.
  process.kill(world.platform.state.pid, "SIGSTOP");
  await sleep(100);
  const writes = world.writes.map((each) => [...each]);
  const copy = copyAsAfterPowerCut(world.platform.data);
  process.kill(world.platform.state.pid, "SIGCONT");
  const [taken] = (await world.ports("changing-00001")).map(Number);
  // Its pods have the ports that the copy's pods had; one of them goes to somebody else.
  await world.stop();
  const stranger = createServer().listen(taken, "127.0.0.1");

  const platform = await Platform.start({ data: copy });
  const after = await KillWorld.around(platform);
  try {
    const stored = await after.stored();
    assert.deepEqual(
      writes.flatMap((each) => lostWrites(each, stored)),
      [],
      `seed ${seed}`,
    );
    assert.ok(acknowledged(writes) > 10);
    let complaints: readonly string[] = [];
    await eventually("all is as it was", async () => {
      const snapshot = await after.snapshot();
      complaints = [unreadyServices, orphanProcesses, doubledPods, wrongStatuses].flatMap((check) => check(snapshot));
      return complaints.length === 0;
    }).catch((error: unknown) => assert.fail(`${String(error)}: ${complaints.join("; ")}`));
    assert.ok(podProcesses(copy).length >= 3);
    for (const name of ["steady", "changing"]) {
      // A request that no pod can take would be held for as long as the revision allows.
      const answer = await Promise.race([platform.request(`${name}.default.localhost`), delay(ANSWER_LIMIT_MS, undefined, { ref: false })]);
      assert.equal(answer?.status, 200, `${name} answers`);
    }
  } finally {
    stranger.close();
    await after.stop();
    rmSync(copy, { recursive: true, force: true });
  }
});

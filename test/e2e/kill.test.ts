// `kill -9` of the platform at random moments of creates, updates and load; 100 rounds by hand with scripts/kill.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeReport, runKillRounds } from "./kill-rounds.ts";

const ROUNDS = 6;
const seed = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);

test(`the platform is killed ${ROUNDS} times: nothing acknowledged is lost, no connection refused, every pod keeps its process`, async (t) => {
  t.diagnostic(`seed ${seed} (repeat with KILL_SEED)`);
  const report = await runKillRounds({ victim: "platform", rounds: ROUNDS, seed, tell: () => undefined });
  t.diagnostic(describeReport(report));
  assert.deepEqual(report.complaints, [], `seed ${seed}`);
});

// Two minutes of the soak; thirty by hand with `npm run soak`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeSoak, runSoak } from "./soak.ts";

const MINUTES = Number(process.env["SOAK_MINUTES"] ?? 2);
const seed = Number(process.env["SOAK_SEED"] ?? Date.now() % 1_000_000);

test(`${MINUTES} minutes of changing load, changes and kills: no request is lost but those in flight on what was killed`, async (t) => {
  t.diagnostic(`seed ${seed} (repeat with SOAK_SEED)`);
  const report = await runSoak({ minutes: MINUTES, seed, tell: () => undefined });
  t.diagnostic(describeSoak(report));
  assert.deepEqual(report.complaints, [], `seed ${seed}`);
});

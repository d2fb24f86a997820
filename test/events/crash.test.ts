// 20,000 events while the platform is killed again and again; a million by hand with `npm run crash`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeCrash, runCrash } from "./crash.ts";

const EVENTS = Number(process.env["CRASH_EVENTS"] ?? 20_000);
const KILLS_MAX = 5;
const seed = Number(process.env["CRASH_SEED"] ?? Date.now() % 1_000_000);

test(`${EVENTS} events while the platform is killed every few seconds: none that was acknowledged is lost, order is kept, nothing comes twice without a cause`, async (t) => {
  t.diagnostic(`seed ${seed} (repeat with CRASH_SEED)`);
  const report = await runCrash({ events: EVENTS, seed, killsMax: KILLS_MAX, tell: () => undefined });
  t.diagnostic(describeCrash(report));
  assert.deepEqual(report.lost, [], `seed ${seed}`);
  assert.deepEqual(report.complaints, [], `seed ${seed}`);
});

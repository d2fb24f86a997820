// The same scenarios with the controllers behind HTTPS, and with watches that come late and updates that meet conflicts.
// These are a selection, so that the tests stay quick; `npm run golden -- --https DIR` runs all.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bootHarness, type HarnessOptions } from "./platform.ts";
import type { Scenario } from "./recording.ts";
import { runScenario } from "./run.ts";

const FOLDER = join(import.meta.dirname, "../serving/scenarios");

/** Creation, updates, traffic, scale, failing pods, refusals, settings, deletion, things made anew. */
const SELECTED = [
  "minimal-service",
  "update-twice-and-rollback",
  "traffic-split",
  "traffic-tags",
  "traffic-latest-false-pinned",
  "autoscale-min-max",
  "autoscale-initial-scale",
  "fail-crash-exit-1",
  "fail-missing-service-account",
  "service-tag-unresolvable",
  "ingress-not-ready",
  "config-domain-selector",
  "delete-service",
  "delete-revision-routed",
  "recreate-service",
] as const;
/** Not these: how far the autoscaler has come when all is quiet depends on the delays. */
const TIMED: readonly string[] = ["autoscale-initial-scale"];
const SEEDS = [1, 2];

async function differenceOf(name: string, options: HarnessOptions): Promise<{ readonly difference: string | undefined; readonly arrived: number }> {
  const scenario = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8")) as Scenario;
  const harness = await bootHarness(scenario.namespace, options);
  try {
    const difference = await runScenario(scenario, harness, { withoutEvents: options.disturbedBy !== undefined });
    return { difference, arrived: harness.arrived.fromControllers };
  } finally {
    await harness.close();
  }
}

for (const name of SELECTED) {
  test(`golden over HTTPS: ${name}`, async () => {
    const { difference, arrived } = await differenceOf(name, { wiring: "https" });
    assert.equal(difference, undefined);
    assert.ok(arrived > 50, `the controllers have sent ${arrived} requests over HTTPS`);
  });
  for (const disturbedBy of TIMED.includes(name) ? [] : SEEDS) {
    test(`golden, disturbed by seed ${disturbedBy}: ${name}`, async () => {
      const { difference, arrived } = await differenceOf(name, { disturbedBy });
      assert.equal(difference, undefined);
      assert.equal(arrived, 0);
    });
  }
}

// The same scenarios with the controllers behind HTTPS, and with watches that come late and updates that meet conflicts.
// These are a selection, so that the tests stay quick; `npm run golden -- --https DIR` runs all.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
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
  "fail-crash-exit-1",
  "fail-missing-service-account",
  "service-tag-unresolvable",
  "ingress-not-ready",
  "config-domain-selector",
  "delete-revision-routed",
  "recreate-service",
] as const;
const SEEDS = [1, 2];

const pki = mkdtempSync(join(tmpdir(), "eider-golden-"));
after(() => rmSync(pki, { recursive: true }));

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
    const { difference, arrived } = await differenceOf(name, { wiring: "https", pki });
    assert.equal(difference, undefined);
    assert.ok(arrived > 50, `the controllers have sent ${arrived} requests over HTTPS`);
  });
  for (const disturbedBy of SEEDS) {
    test(`golden, disturbed by seed ${disturbedBy}: ${name}`, async () => {
      const { difference, arrived } = await differenceOf(name, { disturbedBy });
      assert.equal(difference, undefined);
      assert.equal(arrived, 0);
    });
  }
}

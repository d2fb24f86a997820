// Every recorded scenario of Knative Serving is equal, but for those whose feature is missing (expectations.json).
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { knPath } from "./kn.ts";
import { bootHarness } from "./platform.ts";
import { runScenario } from "./run.ts";
import type { Json, RecordedObject, Scenario } from "./recording.ts";

const FOLDER = join(import.meta.dirname, "../serving/scenarios");
const EXPECTED_MAX = 20;

/** Scenario → the feature that is missing. */
const expectations = JSON.parse(readFileSync(join(import.meta.dirname, "../expectations.json"), "utf8")) as Readonly<Record<string, string>>;
const scenarios = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".json"))
  .map((file) => JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Scenario);

test("golden: the list of missing features is short and names scenarios that exist", () => {
  assert.ok(Object.keys(expectations).length <= EXPECTED_MAX);
  const names = new Set(scenarios.map(({ name }) => name));
  assert.deepEqual(
    Object.keys(expectations).filter((name) => !names.has(name)),
    [],
  );
});

for (const scenario of scenarios) {
  const skip = scenario.steps.some(({ op }) => op === "kn") && knPath() === undefined ? "needs kn" : false;
  test(`golden: ${scenario.name}`, { skip }, async () => {
    const harness = await bootHarness(scenario.namespace);
    try {
      const difference = await runScenario(scenario, harness);
      const missing = expectations[scenario.name];
      if (missing === undefined) assert.equal(difference, undefined);
      else assert.notEqual(difference, undefined, `is equal although "${missing}" was missing: take it out of expectations.json`);
    } finally {
      await harness.close();
    }
  });
}

function withoutQueueProxy({ kind, spec }: RecordedObject): void {
  if (kind !== "Deployment" || spec === undefined) return;
  const pod = (spec as { template: { spec: { containers: Json[] } } }).template.spec;
  pod.containers = pod.containers.filter((container) => container["name"] !== "queue-proxy");
}

/** A recording with one thing changed must differ: the comparison can fail. */
const faults: { name: string; scenario?: string; plant: (scenario: Scenario) => unknown }[] = [
  { name: "the code of a response", plant: ({ steps }) => Object.assign(steps[0]?.response ?? {}, { code: 200 }) },
  { name: "a warning", plant: ({ steps }) => Object.assign(steps[0]?.response ?? {}, { warnings: [] }) },
  {
    name: "a label of an object",
    plant: ({ steps }) => Object.assign(steps[0]?.objects?.find(({ kind }) => kind === "Revision")?.metadata["labels"] ?? {}, { planted: "1" }),
  },
  {
    name: "who manages a field",
    scenario: "minimal-service-managed-fields",
    plant({ steps }) {
      const [first] = (steps[0]?.objects?.find(({ kind }) => kind === "Route")?.metadata["managedFields"] ?? []) as Json[];
      return Object.assign(first ?? {}, { manager: "planted" });
    },
  },
  { name: "an object too few", plant: ({ steps }) => (steps[0]?.objects as unknown[] | undefined)?.pop() },
  { name: "the last value of a condition", plant: ({ trace }) => (trace as unknown[][]).push([0, "Service", "hello", "Ready", "False", "Planted", ""]) },
  { name: "the text of an event", plant: ({ steps }) => Object.assign(steps[0]?.events?.[0] ?? {}, { message: "planted" }) },
  {
    name: "a rollout that queue-proxy has not caused",
    scenario: "config-deployment-image-change",
    plant: ({ steps }) => steps.forEach((step) => (step.objects ?? []).forEach(withoutQueueProxy)),
  },
];
for (const { name, scenario: of = "minimal-service", plant } of faults) {
  test(`golden: notices ${name}`, async () => {
    const scenario = structuredClone(scenarios.find((each) => each.name === of));
    assert.ok(scenario !== undefined);
    plant(scenario);
    const harness = await bootHarness(scenario.namespace);
    try {
      assert.notEqual(await runScenario(scenario, harness), undefined);
    } finally {
      await harness.close();
    }
  });
}

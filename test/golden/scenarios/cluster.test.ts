// The recorded scenarios with our controllers on a real kube-apiserver, which the variables KUBE_APISERVER and ETCD name.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { realPaths } from "../../oracle/real-server.ts";
import { startCluster, type Cluster } from "./cluster.ts";
import type { Scenario } from "./recording.ts";
import { runScenario } from "./run.ts";

const FOLDER = join(import.meta.dirname, "../serving/scenarios");

const expectations = JSON.parse(readFileSync(join(import.meta.dirname, "../expectations.json"), "utf8")) as Readonly<Record<string, string>>;
const programs = realPaths();
const skip = typeof programs === "string" ? programs : false;
let started: Promise<Cluster> | undefined;
after(async () => (await started)?.close());

function cluster(): Promise<Cluster> {
  assert.ok(typeof programs !== "string");
  return (started ??= startCluster(programs));
}

async function differenceOf(scenario: Scenario): Promise<string | undefined> {
  const harness = await (await cluster()).boot(scenario.namespace);
  try {
    return await runScenario(scenario, harness);
  } finally {
    await harness.close();
  }
}

const textOf = (file: string): string => readFileSync(join(FOLDER, file), "utf8");

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json"))) {
  const scenario = JSON.parse(textOf(file)) as Scenario;
  if (expectations[scenario.name] !== undefined) continue;
  const why = scenario.steps.some(({ op }) => op === "kn") ? "kn is run against our own server" : skip;
  test(`golden on a real kube-apiserver: ${scenario.name}`, { skip: why }, async () => {
    assert.equal(await differenceOf(scenario), undefined);
  });
}

/** A recording with one thing changed must differ here, too. Each has a namespace of its own. */
const faults: { name: string; plant: (scenario: Scenario) => unknown }[] = [
  { name: "the code of a response", plant: ({ steps }) => Object.assign(steps[0]?.response ?? {}, { code: 200 }) },
  {
    name: "a label of an object",
    plant: ({ steps }) => Object.assign(steps[0]?.objects?.find(({ kind }) => kind === "Revision")?.metadata["labels"] ?? {}, { planted: "1" }),
  },
  { name: "an object too few", plant: ({ steps }) => (steps[0]?.objects as unknown[] | undefined)?.pop() },
  { name: "the last value of a condition", plant: ({ trace }) => (trace as unknown[][]).push([0, "Service", "hello", "Ready", "False", "Planted", ""]) },
  { name: "the text of an event", plant: ({ steps }) => Object.assign(steps[0]?.events?.[0] ?? {}, { message: "planted" }) },
];
faults.forEach(({ name, plant }, index) => {
  test(`golden on a real kube-apiserver: notices ${name}`, { skip }, async () => {
    const scenario = JSON.parse(textOf("minimal-service.json").replaceAll("minimal-service", `planted-fault-${index}`)) as Scenario;
    plant(scenario);
    assert.notEqual(await differenceOf(scenario), undefined);
  });
});

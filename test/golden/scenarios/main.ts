// `npm run golden -- DIR`: one line a scenario, and a count.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { bootHarness } from "./platform.ts";
import { runScenario } from "./run.ts";
import type { Scenario } from "./recording.ts";

/** The scenario files of a folder, of its subfolder `scenarios`, or the one file given. */
function filesOf(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  const entries = readdirSync(path);
  const folder = entries.includes("scenarios") ? join(path, "scenarios") : path;
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json") && file !== "index.json")
    .map((file) => join(folder, file));
}

async function tell(scenario: Scenario): Promise<boolean | undefined> {
  if (scenario.steps.some(({ op }) => op === "kn")) {
    console.log(`${scenario.name}: skipped: needs kn`);
    return undefined;
  }
  const harness = await bootHarness(scenario.namespace);
  try {
    const difference = await runScenario(scenario, harness);
    console.log(`${scenario.name}: ${difference === undefined ? "equal" : `differs: ${difference}`}`);
    return difference === undefined;
  } catch (error) {
    console.log(`${scenario.name}: differs: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return false;
  } finally {
    await harness.close();
  }
}

const paths = process.argv.slice(2);
let equal = 0;
let compared = 0;
for (const file of (paths.length === 0 ? [join(import.meta.dirname, "../serving")] : paths).flatMap(filesOf)) {
  const result = await tell(JSON.parse(readFileSync(file, "utf8")) as Scenario);
  if (result !== undefined) compared++;
  if (result === true) equal++;
}
console.log(`${equal} of ${compared} equal`);

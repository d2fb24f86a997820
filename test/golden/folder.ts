// Runs a folder of recordings, whatever of the known formats it holds: autoscaler groups, scenarios, single requests.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { checkAutoscaler, parseRecording, skippedGroup, type AutoscalerRecording } from "./autoscaler-checker.ts";
import { knPath } from "./scenarios/kn.ts";
import type { Harness } from "./scenarios/harness.ts";
import { bootHarness, type HarnessOptions } from "./scenarios/platform.ts";
import type { Scenario } from "./scenarios/recording.ts";
import { runScenario } from "./scenarios/run.ts";
import { checkResponses, holdsResponses } from "./api/check.ts";
import { checkValidation, type ValidationCase } from "./validation/check.ts";
import { EVENTING_EXPECTATIONS, skippedEventing } from "./validation/eventing-expectations.ts";
import { VALIDATION_EXPECTATIONS } from "./validation/expectations.ts";

/** One scenario or case. `expected` says why it may differ. */
export interface GoldenResult {
  readonly name: string;
  readonly verdict: "equal" | "differs" | "skipped";
  /** The first difference, or the reason for skipping; "" when equal. */
  readonly text: string;
  readonly expected?: string;
}

export interface GoldenOptions extends HarnessOptions {
  /** What scenarios run on instead of our own server; it has no kn. */
  readonly boot?: (namespace: string) => Promise<Harness>;
}

/** Folders that hold recordings are at most this deep. */
const DEPTH_MAX = 3;

type Recording =
  | { readonly format: "autoscaler"; readonly recording: AutoscalerRecording }
  | { readonly format: "scenario"; readonly scenario: Scenario }
  | { readonly format: "requests"; readonly cases: readonly ValidationCase[] };

const scenarioExpectations = JSON.parse(readFileSync(join(import.meta.dirname, "expectations.json"), "utf8")) as Readonly<Record<string, string>>;

/** Files in alphabetical order, folders after them. */
function jsonFiles(path: string, depth = 0): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".json")).map(({ name }) => join(path, name));
  const folders = depth < DEPTH_MAX ? entries.filter((entry) => entry.isDirectory()).flatMap(({ name }) => jsonFiles(join(path, name), depth + 1)) : [];
  return [...files, ...folders];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Told apart by their shape, so that a folder may have any name; undefined for files of other formats, such as an index. */
function recordingOf(file: string): Recording | undefined {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new Error(`${file} is not JSON`, { cause });
  }
  if (Array.isArray(json)) {
    const isRequests = json.length > 0 && json.every((each) => isRecord(each) && isRecord(each["request"]) && isRecord(each["response"]));
    return isRequests ? { format: "requests", cases: json as ValidationCase[] } : undefined;
  }
  if (!isRecord(json)) return undefined;
  if (Array.isArray(json["steps"]) && Array.isArray(json["trace"])) return { format: "scenario", scenario: json as unknown as Scenario };
  if (typeof json["group"] === "string" && Array.isArray(json["cases"])) {
    return { format: "autoscaler", recording: parseRecording(readFileSync(file, "utf8")) };
  }
  return undefined;
}

function result(name: string, difference: string | undefined, expected: string | undefined): GoldenResult {
  return { name, verdict: difference === undefined ? "equal" : "differs", text: difference ?? "", ...(expected === undefined ? {} : { expected }) };
}

function failureText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error);
}

async function ofScenario(scenario: Scenario, options: GoldenOptions): Promise<GoldenResult> {
  const { name, namespace, steps } = scenario;
  const needsKn = steps.some(({ op }) => op === "kn");
  if (needsKn && knPath() === undefined) return { name, verdict: "skipped", text: "needs kn" };
  if (needsKn && options.boot !== undefined) return { name, verdict: "skipped", text: "kn is run against our own server" };
  const harness = await (options.boot?.(namespace) ?? bootHarness(namespace, options));
  try {
    return result(name, await runScenario(scenario, harness), scenarioExpectations[name]);
  } catch (error) {
    return result(name, failureText(error), scenarioExpectations[name]);
  } finally {
    await harness.close();
  }
}

function* ofAutoscaler(recording: AutoscalerRecording): Generator<GoldenResult> {
  const why = skippedGroup(recording.group);
  if (why !== undefined) return yield { name: recording.group, verdict: "skipped", text: why };
  for (const { name, comparisons } of checkAutoscaler(recording)) {
    let difference: string | undefined;
    try {
      for (const compared of comparisons) {
        if (compared.ok) continue;
        difference = `${compared.name === name ? "" : `${compared.name}: `}${compared.difference ?? ""}`;
        break;
      }
    } catch (error) {
      difference = failureText(error);
    }
    yield result(name, difference, undefined);
  }
}

async function* ofRequests(cases: readonly ValidationCase[]): AsyncGenerator<GoldenResult> {
  for (const each of cases) {
    const why = skippedEventing(each);
    if (why !== undefined) yield { name: each.name, verdict: "skipped", text: why };
  }
  const compared = cases.filter((each) => skippedEventing(each) === undefined);
  for await (const { name, difference } of checkValidation(compared))
    yield result(name, difference, VALIDATION_EXPECTATIONS[name] ?? EVENTING_EXPECTATIONS[name]);
}

/** A result a scenario or case, as they come. Throws for a path without a file in one of the formats. */
export async function* runGoldenFolder(path: string, options: GoldenOptions = {}): AsyncGenerator<GoldenResult> {
  if (statSync(path).isDirectory() && holdsResponses(path)) return yield* checkResponses(path);
  const files = jsonFiles(path).filter((file) => basename(file) !== "index.json");
  let found = 0;
  for (const file of files) {
    const recording = recordingOf(file);
    if (recording === undefined) continue;
    found++;
    if (recording.format === "scenario") yield await ofScenario(recording.scenario, options);
    else if (recording.format === "requests") yield* ofRequests(recording.cases);
    else yield* ofAutoscaler(recording.recording);
  }
  if (found === 0)
    throw new Error(`${path} holds no recordings: expected scenarios (scenarios/*.json), requests (validation/*.json) or autoscaler groups (*.json)`);
}

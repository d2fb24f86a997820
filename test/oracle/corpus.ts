// The corpus: what is asked of both servers, as files that people write by hand (see README.md), read and checked.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** How long a watch is read: so many events, or until the server ends the stream. */
export type Until = number | "end";

export interface Step {
  /** `METHOD TARGET`; absent in a step that only reads an open watch, or compacts. */
  readonly request?: string;
  /** An object is sent as JSON, a string as it is. */
  readonly body?: unknown;
  /** Bytes; the eight letters `NAMESPAC` in them become the scenario's namespace. */
  readonly bodyBase64?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Short for the Content-Type of a PATCH. */
  readonly patch?: keyof typeof PATCH_TYPES;
  /** Short for an Accept header, or the header itself. */
  readonly accept?: string;
  /** Whose token is sent; `admin` by default, `anonymous` sends none. */
  readonly as?: string;
  /** The answer is a stream, read to here; the rest is not looked at. */
  readonly watch?: Until;
  /** The answer is a stream that stays open under this name; later steps `read` it. */
  readonly open?: string;
  /** Reads the open watch of this name, as far as `watch` says. */
  readonly read?: string;
  /** Variables from this answer's body: name → dotted path. */
  readonly save?: Readonly<Record<string, string>>;
  /** Asked again until the answer is so; only the last one counts. */
  readonly until?: { readonly status?: number; readonly body?: Readonly<Record<string, unknown>> };
  /** The step is taken so often, with `$i` counting from 0. */
  readonly repeat?: number;
  /** Only these parts of the answer are compared. */
  readonly compare?: readonly Part[];
  /** Only what lies at these dotted paths of the body is compared. */
  readonly pick?: readonly string[];
  /** Everything older than now is forgotten: etcd's compaction. */
  readonly compact?: true;
  /** For readers. */
  readonly note?: string;
}

export type Part = "code" | "headers" | "body" | "events";

export interface Scenario {
  readonly name: string;
  /** The first word of its file's name; expectations lie in one file an area. */
  readonly area: string;
  readonly steps: readonly Step[];
  /** Ours is asked over a socket, too: for what HTTP itself does. */
  readonly over?: "https";
  readonly note?: string;
}

export const PATCH_TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

const folder = join(import.meta.dirname, "corpus");

const STEP_KEYS = new Set("request body bodyBase64 headers patch accept as watch open read save until repeat compare pick compact note".split(" "));
const SCENARIO_KEYS = new Set(["name", "steps", "over", "note"]);

function checkStep(step: Step, where: string): void {
  const wrong = Object.keys(step).find((key) => !STEP_KEYS.has(key));
  if (wrong !== undefined) throw new Error(`${where}: no step has a member ${wrong}`);
  if (step.request === undefined && step.read === undefined && step.compact === undefined) throw new Error(`${where}: neither request, read nor compact`);
  if (step.request !== undefined && !/^[A-Z]+ \/\S*$/.test(step.request)) throw new Error(`${where}: not METHOD /TARGET: ${step.request}`);
}

function expanded(step: Step): readonly Step[] {
  const { repeat, ...once } = step;
  if (repeat === undefined) return [step];
  return Array.from({ length: repeat }, (_, index) => JSON.parse(JSON.stringify(once).replaceAll("$i", String(index))) as Step);
}

function readFile(file: string): readonly Scenario[] {
  const area = basename(file, ".json").split("-", 1)[0] ?? "";
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new Error(`${basename(file)} is not JSON`, { cause });
  }
  if (!Array.isArray(json)) throw new Error(`${basename(file)} is not a list of scenarios`);
  return (json as Scenario[]).map((scenario) => {
    const where = `${basename(file)}: ${scenario.name}`;
    const wrong = Object.keys(scenario).find((key) => !SCENARIO_KEYS.has(key));
    if (wrong !== undefined) throw new Error(`${where}: no scenario has a member ${wrong}`);
    if (typeof scenario.name !== "string" || !Array.isArray(scenario.steps)) throw new Error(`${where}: a scenario has a name and steps`);
    scenario.steps.forEach((step, index) => checkStep(step, `${where}, step ${index}`));
    return { ...scenario, area, steps: scenario.steps.flatMap(expanded) };
  });
}

/** All scenarios in the order of their files. Throws for a file that does not keep to the format, and for a name given twice. */
export function readCorpus(): readonly Scenario[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  const scenarios = files.sort().flatMap((file) => readFile(join(folder, file)));
  const names = new Set<string>();
  for (const { name } of scenarios) {
    if (names.has(name)) throw new Error(`two scenarios are called ${name}`);
    names.add(name);
  }
  return scenarios;
}

/** Changes with what a scenario asks, so that an old recording of it is noticed. */
export function fingerprintOf({ steps, over }: Scenario): string {
  const asked = steps.map((step) => ({ ...step, note: undefined }));
  return createHash("sha256")
    .update(JSON.stringify([asked, over]))
    .digest("hex")
    .slice(0, 12);
}

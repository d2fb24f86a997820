// `npm run oracle`: the same requests to a real kube-apiserver and to ours, and what the answers differ in.
import { writeFileSync, existsSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { compareAnswers, recordable, type Difference } from "../test/oracle/compare.ts";
import { readCorpus, type Scenario } from "../test/oracle/corpus.ts";
import { classOf, generate, shrunk } from "../test/oracle/generate.ts";
import { countsOf } from "../test/oracle/counts.ts";
import { createExpectations } from "../test/oracle/expectations.ts";
import { judge, readAccepted, readPending, withoutClasses, type Judgement } from "../test/oracle/judge.ts";
import { normalised, type Normal } from "../test/oracle/normalise.ts";
import { createOurs, type Ours } from "../test/oracle/ours.ts";
import { connectReal, realPaths, startReal, type Running } from "../test/oracle/real-server.ts";
import { installCustomKinds } from "../test/oracle/custom-kinds.ts";
import { replay } from "../test/oracle/replay.ts";
import type { Server } from "../test/oracle/server.ts";

const HELP = `Usage: npm run oracle -- [--only WORD]... [--record] [--ours-only] [-o json] [--keep FILE]

Asks a real kube-apiserver (paths in the variables KUBE_APISERVER and ETCD) and our API server what test/oracle/corpus says
and prints the differences. See test/oracle/README.md.

  --only WORD   scenarios whose area or name is WORD, or whose name holds it
  --record      keep what the real server answers in test/oracle/expectations
  --ours-only   compare with what was recorded; needs no real server
  -o json       one JSON object a scenario
  --without TEXT leaves out differences whose path holds it (to look past what is known)
  --all         every difference, not only the first few
  --generate N  instead of the corpus at least N requests by chance, from --seed (1 unless told); each class of differences
                is told once, with as few steps as show it
  --counts      how many requests of each sort there are
  --keep FILE   start a real server, describe it in FILE, keep it until a signal; with the variable ORACLE_SERVER=FILE
                other runs use it instead of starting one

Exit code: 0 when nothing differs but what is accepted or pending, 1 otherwise, 2 for a wrong call.`;

const FIRST = 5;
const SHOWN_MAX = 600;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    record: { type: "boolean" },
    "ours-only": { type: "boolean" },
    output: { type: "string", short: "o" },
    without: { type: "string", multiple: true },
    all: { type: "boolean" },
    counts: { type: "boolean" },
    generate: { type: "string" },
    seed: { type: "string", default: "1" },
    keep: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

const chosen = ({ name, area }: Scenario): boolean => values.only === undefined || values.only.some((word) => area === word || name.includes(word));

function shown(value: unknown): string {
  const text = value === undefined ? "(absent)" : JSON.stringify(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

function print(scenario: Scenario, { verdict, differences, text }: Judgement): void {
  if (values.output === "json") return console.log(JSON.stringify({ name: scenario.name, area: scenario.area, verdict, text, differences }));
  console.log(`${scenario.area}: ${scenario.name}: ${verdict}${text === "" ? "" : `: ${text}`}`);
  if (verdict === "pending" && values.only === undefined) return;
  const told = values.all === true ? differences : differences.slice(0, FIRST);
  for (const { at, real, ours } of told) {
    const step = scenario.steps[Number(/^\d+/.exec(at)?.[0] ?? 0)];
    console.log(`  ${at}  (${step?.request ?? `read ${step?.read}`})\n    real: ${shown(real)}\n    ours: ${shown(ours)}`);
  }
  if (differences.length > told.length) console.log(`  … and ${differences.length - told.length} more differences`);
}

/** Names of namespaces of this run: eight letters and digits, none of them another run's on a server that is kept. */
function namespaces(): () => string {
  const run = (Math.floor(Date.now() / 1000) % 36 ** 4).toString(36).padStart(4, "0");
  let count = 0;
  return () => `n${run}${(count++).toString(36).padStart(3, "0")}`;
}

async function answersOf(scenario: Scenario, server: Server, namespace: string): Promise<readonly Normal[]> {
  return normalised(await replay(scenario, server, namespace), namespace);
}

function failure(error: unknown): readonly Difference[] {
  return [{ at: "failed", real: "", ours: error instanceof Error ? error.message : String(error) }];
}

async function runAll(corpus: readonly Scenario[], real: Server | undefined, ours: Ours): Promise<number> {
  const lists = { accepted: readAccepted(), pending: readPending() };
  const expectations = createExpectations();
  const next = namespaces();
  const counts: Record<Judgement["verdict"], number> = { equal: 0, differs: 0, pending: 0, stale: 0 };
  let requests = 0;
  for (const scenario of corpus.filter(chosen)) {
    const namespace = next();
    requests += scenario.steps.length;
    let found: readonly Difference[];
    try {
      const theirs = real === undefined ? expectations.of(scenario) : await answersOf(scenario, real, namespace);
      if (typeof theirs === "string") throw new Error(theirs);
      if (values.record === true) expectations.set(scenario, recordable(scenario.steps, theirs));
      const own = await answersOf(scenario, await ours.serverFor(scenario), namespace);
      found = compareAnswers(scenario.steps, theirs, own).filter(({ at }) => values.without?.some((text) => at.includes(text)) !== true);
    } catch (error) {
      found = failure(error);
    }
    const judgement = judge(scenario.name, found, lists);
    counts[judgement.verdict]++;
    if (judgement.verdict !== "equal" || values.only !== undefined || values.output === "json") print(scenario, judgement);
  }
  if (values.record === true) expectations.save(corpus);
  const { equal, differs, pending, stale } = counts;
  console.error(
    `${requests} requests in ${equal + differs + pending + stale} scenarios: ${equal} equal, ${differs} differ, ${pending} pending, ${stale} stale`,
  );
  return differs + stale > 0 ? 1 : 0;
}

/** The differences of one scenario, and of smaller ones made from it, but for accepted classes. */
function differ(real: Server, ours: Ours) {
  const next = namespaces();
  const accepted = readAccepted();
  return async (scenario: Scenario): Promise<readonly Difference[]> => {
    const namespace = next();
    try {
      const theirs = await answersOf(scenario, real, namespace);
      const own = await answersOf(scenario, await ours.serverFor(scenario), namespace);
      return withoutClasses(compareAnswers(scenario.steps, theirs, own), accepted);
    } catch (error) {
      return failure(error);
    }
  };
}

async function runGenerated(real: Server, ours: Ours): Promise<number> {
  const compare = differ(real, ours);
  const scenarios = generate(Number(values.seed), Number(values.generate));
  const classes = new Map<string, number>();
  let differing = 0;
  for (const scenario of scenarios) {
    const [found] = await compare(scenario);
    if (found === undefined) continue;
    differing++;
    const about = classOf(scenario, found.at);
    classes.set(about, (classes.get(about) ?? 0) + 1);
    if ((classes.get(about) ?? 0) > 1) continue;
    const steps = scenario.steps.slice(0, Number(/^\d+/.exec(found.at)?.[0] ?? scenario.steps.length) + 1);
    const smallest = await shrunk({ ...scenario, steps }, async (smaller) => (await compare(smaller)).some(({ at }) => classOf(smaller, at) === about));
    const [shownOne] = (await compare(smallest)).filter(({ at }) => classOf(smallest, at) === about);
    console.log(`${scenario.name}: ${about}\n  real: ${shown(shownOne?.real)}\n  ours: ${shown(shownOne?.ours)}\n  ${JSON.stringify(smallest.steps)}`);
  }
  const requests = scenarios.reduce((sum, { steps }) => sum + steps.length, 0);
  console.error(`${requests} requests in ${scenarios.length} scenarios from seed ${values.seed}: ${differing} differ, in ${classes.size} ways`);
  for (const [about, count] of [...classes].sort(([, a], [, b]) => b - a)) if (count > 1) console.error(`  ${count} × ${about}`);
  return differing > 0 ? 1 : 0;
}

async function keep(file: string, paths: Exclude<ReturnType<typeof realPaths>, string>): Promise<number> {
  const started = await startReal(paths);
  const server = connectReal(started.running);
  try {
    await installCustomKinds(server);
    writeFileSync(file, JSON.stringify(started.running));
    console.error(`kube-apiserver at https://127.0.0.1:${started.running.port}; export ORACLE_SERVER=${file}`);
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  } finally {
    await server.close();
    await started.end();
  }
  return 0;
}

async function withReal(work: (real: Server) => Promise<number>): Promise<number> {
  const kept = process.env["ORACLE_SERVER"];
  if (kept !== undefined && existsSync(kept)) {
    const server = connectReal(JSON.parse(readFileSync(kept, "utf8")) as Running);
    try {
      return await work(server);
    } finally {
      await server.close();
    }
  }
  const paths = realPaths();
  if (typeof paths === "string") {
    console.log(`skipped: oracle: ${paths}`);
    return 0;
  }
  const started = await startReal(paths);
  const server = connectReal(started.running);
  try {
    await installCustomKinds(server);
    return await work(server);
  } finally {
    await server.close();
    await started.end();
  }
}

async function main(): Promise<number> {
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  if (values.keep !== undefined) {
    const paths = realPaths();
    if (typeof paths === "string") throw new Error(paths);
    return keep(values.keep, paths);
  }
  if (values.generate !== undefined) {
    const made = createOurs();
    return withReal((real) => runGenerated(real, made)).finally(() => void made.close());
  }
  const corpus = readCorpus();
  if (values.counts === true) {
    const expectations = createExpectations();
    const answers = (scenario: Scenario): readonly Normal[] => {
      const recorded = expectations.of(scenario);
      return typeof recorded === "string" ? [] : recorded;
    };
    console.log(countsOf(corpus, answers));
    return 0;
  }
  if (!corpus.some(chosen)) throw new Error(`no scenario is called ${values.only?.join(" or ")}`);
  const ours = createOurs();
  try {
    if (values["ours-only"] === true) return await runAll(corpus, undefined, ours);
    return await withReal((real) => runAll(corpus, real, ours));
  } finally {
    await ours.close();
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // `keep` waits for them itself; any other run ends, and its servers with it.
  if (values.keep === undefined) process.once(signal, () => process.exit(2));
}
try {
  process.exitCode = await main();
} catch (error) {
  console.error(`Error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}

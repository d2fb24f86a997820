// `npm run fuzz`: generated streams through our parsers and Node's, and through a real nginx.
import { parseArgs } from "node:util";
import { EXPECTATIONS } from "../test/framing/expectations.ts";
import { fuzz, type FuzzResult } from "../test/framing/fuzz.ts";
import { codeWith } from "../test/log/faulty.ts";
import { failing } from "../test/log/model.ts";
import { liveHeapMb } from "../test/framing/heap.ts";
import { fuzzThrough, nginxVersion } from "../test/framing/through.ts";

const HELP = `Usage: npm run fuzz -- requests|responses|nginx|gateway|log [--count N] [--seed N] [--first N] [-o json]

Makes streams of HTTP/1 messages from a grammar, known tricks and small mutations, and looks whether others frame what we
accept as we do. A difference is told once for each sort, with the smallest input that shows it, its seed and its number.

  requests      our reader of requests against Node's parser
  responses     our reader of responses against Node's parser
  nginx         requests that we accept, through a real nginx to an application (skipped when there is no nginx)
  gateway       the same through our whole gateway
  log           lives of the event log on a disk that loses what was not synced (10,000 seeds from --seed on)

  --count N     inputs (1,000,000; for nginx and gateway 200,000)
  --seed N      what they are made from (1)
  --first N     number of the first input (0): with --count 1 one input again
  -o json       one JSON object

Exit code: 0 when nothing differs but what test/framing/expectations.ts names, 1 otherwise, 2 for a wrong call.`;

const COUNT_MAX = 1_000_000_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string" },
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
    output: { type: "string", short: "o" },
    help: { type: "boolean", short: "h" },
  },
});

function number(name: "count" | "seed" | "first", otherwise: number): number {
  const value = values[name] === undefined ? otherwise : Number(values[name]);
  if (!Number.isInteger(value) || value < 0 || value > COUNT_MAX) throw new RangeError(`--${name} takes a whole number up to ${COUNT_MAX}`);
  return value;
}

function progress(done: number): void {
  console.error(`... ${done.toLocaleString("en")} inputs, ${Math.round(process.uptime())} s`);
}

function printCounts(title: string, counts: ReadonlyMap<string, number>): void {
  for (const [name, count] of [...counts].sort(([, a], [, b]) => b - a)) console.log(`  ${String(count).padStart(10)}  ${title}: ${name}`);
}

function print(result: FuzzResult): void {
  console.log(`${result.inputs.toLocaleString("en")} inputs, ${result.messages.toLocaleString("en")} messages that both frame alike`);
  printCounts("we refuse", result.refused);
  printCounts("Node refuses, as expected", result.expected);
  for (const { kind, seed, index, input, smallest, detail } of result.findings) {
    console.log(`\nDIFFERS: ${kind} (seed ${seed}, input ${index})\n  ${detail}\n  smallest: ${JSON.stringify(smallest)}\n  input: ${JSON.stringify(input)}`);
  }
  console.log(result.differing === 0 ? "nothing differs" : `\n${result.differing} inputs differ, in ${result.findings.length} ways`);
}

const asJson = (result: object): string => JSON.stringify(result, (_key, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value));

function againstNode(sort: "requests" | "responses"): boolean {
  const before = liveHeapMb();
  const result = fuzz({ sort, seed: number("seed", 1), count: number("count", 1_000_000), first: number("first", 0), progress });
  const heap = { before: Math.round(before), after: Math.round(liveHeapMb()) };
  if (values.output === "json") console.log(asJson({ ...result, heapMb: heap, seconds: Math.round(process.uptime()) }));
  else {
    print(result);
    console.log(`heap ${heap.before} MB before, ${heap.after} MB after; ${Math.round(process.uptime())} s; ${EXPECTATIONS.length} expectations`);
  }
  return result.differing === 0;
}

async function through(proxy: "nginx" | "gateway"): Promise<boolean> {
  const version = proxy === "nginx" ? nginxVersion() : "";
  if (version === undefined) {
    console.log("skipped: nginx: it is not installed");
    return true;
  }
  const result = await fuzzThrough({ proxy, seed: number("seed", 1), count: number("count", 200_000), progress });
  if (values.output === "json") console.log(asJson({ ...result, version, seconds: Math.round(process.uptime()) }));
  else {
    console.log(`${proxy} ${version}: ${result.inputs.toLocaleString("en")} inputs that we accept, ${result.requests.toLocaleString("en")} requests`);
    printCounts(`${proxy} refuses`, result.refused);
    for (const { seed, index, input, expected, answer } of result.findings) {
      console.log(
        `\nDIFFERS: (seed ${seed}, input ${index})\n  ${JSON.stringify(input)}\n  expected: ${JSON.stringify(expected)}\n  answer: ${JSON.stringify(answer)}`,
      );
    }
    console.log(`${result.differing === 0 ? "nothing differs" : `${result.differing} inputs differ`}; ${Math.round(process.uptime())} s`);
  }
  return result.differing === 0;
}

async function throughCuts(): Promise<boolean> {
  const from = number("seed", 1);
  const count = number("count", 10_000);
  const broken = await failing(await codeWith(), { from, count });
  const seconds = Math.round(process.uptime());
  if (values.output === "json") console.log(asJson({ from, count, broken: broken ?? null, seconds }));
  else console.log(broken ?? `${count.toLocaleString("en")} seeds from ${from} on, nothing is broken; ${seconds} s`);
  return broken === undefined;
}

async function main(): Promise<number> {
  const [mode] = positionals;
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  if (positionals.length === 1 && mode === "log") return (await throughCuts()) ? 0 : 1;
  if (positionals.length !== 1 || (mode !== "requests" && mode !== "responses" && mode !== "nginx" && mode !== "gateway")) throw new Error(HELP);
  return (mode === "nginx" || mode === "gateway" ? await through(mode) : againstNode(mode)) ? 0 : 1;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(2));
try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}

// `npm run bench -- api|coldstart|events|gateway|idle|seeds [-o json] [--rounds N] [--starts N]`: measures Eider on this machine. Ctrl-C ends it and what it started.
import { parseArgs } from "node:util";
import { print, verdictOf, type Report } from "../test/bench/figures.ts";
import { benchApi } from "../test/bench/api.ts";
import { benchColdstart, RUNTIMES } from "../test/bench/coldstart.ts";
import { benchEvents, EVENT_PARTS } from "../test/bench/events.ts";
import { benchGateway, PARTS } from "../test/bench/gateway.ts";
import { NAMES } from "../test/bench/gateway-contenders.ts";
import { benchIdle } from "../test/bench/idle.ts";
import { benchSeeds } from "../test/bench/seeds.ts";

const USAGE = `usage: npm run bench -- api|coldstart|events|gateway|idle|seeds [-o json] [--rounds N] [--starts N] [--creations N] [--parallel N]
       coldstart: [--services N] [--runtimes ${RUNTIMES.join(",")}]
       events: [--events N] [--parts ${EVENT_PARTS.join(",")}]
       gateway: [--seconds N] [--connections N,...] [--only ${NAMES.join(",")}] [--parts ${PARTS.join(",")}]`;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: "string", short: "o" },
    rounds: { type: "string" },
    starts: { type: "string" },
    creations: { type: "string" },
    parallel: { type: "string" },
    seconds: { type: "string" },
    connections: { type: "string" },
    only: { type: "string" },
    parts: { type: "string" },
    services: { type: "string" },
    events: { type: "string" },
    runtimes: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

const number = (text: string | undefined, otherwise: number, max = 10_000): number => {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) throw new RangeError(USAGE);
  return value;
};
const some = <T extends string>(text: string | undefined, all: readonly T[]): readonly T[] => {
  const wanted = text?.split(",") ?? all;
  if (wanted.some((each) => !all.includes(each as T))) throw new RangeError(USAGE);
  return all.filter((each) => wanted.includes(each));
};
const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort());
const note = (line: string): void => console.error(`... ${line}`);

const benches: Readonly<Record<string, () => Promise<Report>>> = {
  api: () => benchApi({ rounds: number(values.rounds, 5), note }, ending.signal),
  coldstart: () =>
    benchColdstart(
      { starts: number(values.starts, 50), services: number(values.services, 1_000), runtimes: some(values.runtimes, RUNTIMES), note },
      ending.signal,
    ),
  events: () =>
    benchEvents(
      { rounds: number(values.rounds, 5), events: number(values.events, 20_000, 1_000_000), parts: some(values.parts, EVENT_PARTS), note },
      ending.signal,
    ),
  gateway: () =>
    benchGateway(
      {
        rounds: number(values.rounds, 9),
        seconds: number(values.seconds, 2),
        connections: (values.connections ?? "1,50,500,5000").split(",").map((each) => number(each, 1)),
        only: some(values.only, NAMES),
        parts: some(values.parts, PARTS),
        note,
      },
      ending.signal,
    ),
  idle: () => benchIdle({ rounds: number(values.rounds, 3), note }, ending.signal),
  seeds: () =>
    benchSeeds(
      {
        starts: number(values.starts, 100),
        rounds: number(values.rounds, 5),
        creations: number(values.creations, 20),
        parallel: number(values.parallel, 100),
        note,
      },
      ending.signal,
    ),
};

const bench = benches[positionals[0] ?? ""];
if (values.help === true) {
  console.log(USAGE);
} else if (bench === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  try {
    const report = await bench();
    print(report, values.output === "json" ? "json" : "text");
    if (report.figures.some((figure) => figure.goal?.is === "==" && verdictOf(figure) === "MISSED")) process.exitCode = 1;
  } catch (error) {
    console.error(ending.signal.aborted ? "ended early" : error);
    process.exitCode = 1;
  }
}

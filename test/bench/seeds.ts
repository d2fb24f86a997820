// `bench seeds`: cold starts, warm requests and creations, each beside its reference in the same run.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { coldStarts, type App, type ColdRounds } from "./cold.ts";
import { knativeLines } from "./knative-lines.ts";
import { medianOf, versionsOf, type Figure, type Report } from "./figures.ts";
import { packedBuild, root } from "./packed.ts";
import { ask, BenchPlatform } from "./platform.ts";
import { requireReference, warmRequests, type WarmRound } from "./warm.ts";

export interface SeedsOptions {
  readonly starts: number;
  readonly rounds: number;
  readonly creations: number;
  readonly parallel: number;
  readonly note: (line: string) => void;
}

const GO: App = { name: "go", image: "dev.local/hello-go" };
const NODE: App = { name: "node", image: "dev.local/autoscale" };
const PACE = "dev.local/pace";
/** What the control path may add to the bare start of a program. */
const COLD_GOAL_MS: Readonly<Record<string, number>> = { go: 5, node: 5 };
const ONE_POD = { "autoscaling.knative.dev/min-scale": "1", "autoscaling.knative.dev/max-scale": "1" };
const SECONDS = 5;

async function creations(platform: BenchPlatform, { creations: count, parallel }: SeedsOptions, signal: AbortSignal): Promise<Figure[]> {
  const single: number[] = [];
  for (let index = 0; index < count; index++) {
    const name = `single-${index}`;
    single.push((await platform.createReady([name], { image: GO.image }, signal)).get(name) ?? Number.NaN);
    await platform.delete([name], signal);
  }
  const names = Array.from({ length: parallel }, (_, index) => `parallel-${index}`);
  const all = await platform.createReady(names, { image: GO.image }, signal);
  await platform.delete(names, signal);
  return [
    { name: "create to Ready, one Service", unit: "ms", rounds: single, goal: { is: "<=", value: 200 }, beside: "kn, A5: 31,800; Knative here 1,310" },
    {
      name: `create to Ready, all of ${parallel} at once`,
      unit: "ms",
      rounds: [Math.max(...all.values())],
      goal: { is: "<=", value: 5_000 },
      beside: "Knative's control plane alone 55,000",
    },
  ];
}

const RECEIPT = ["queue", "decide", "create", "boot", "probe", "first-byte"];

/** By how many percent the sum of the parts and the total differ. */
function partsAgainstTotal(receipt: Readonly<Record<string, number>>): number {
  const sum = RECEIPT.reduce((total, part) => total + (receipt[part] ?? 0), 0);
  return Math.abs(sum / (receipt["total"] ?? Number.NaN) - 1) * 100;
}

function coldFigures({ app, bareMs, coldMs, statuses, receipts }: ColdRounds): Figure[] {
  const goal = { is: "<=", value: COLD_GOAL_MS[app] ?? 0 } as const;
  return [
    { name: `cold start, ${app}, bare program`, unit: "ms", rounds: bareMs },
    { name: `cold start, ${app}, through Eider`, unit: "ms", rounds: coldMs, beside: "A1: 15,767; Knative here 1,010" },
    { name: `cold start, ${app}, p50 over the bare program`, unit: "ms", rounds: [medianOf(coldMs) - medianOf(bareMs)], goal },
    ...RECEIPT.map((part) => ({ name: `cold start, ${app}, receipt: ${part}`, unit: "ms", rounds: receipts.map((receipt) => receipt[part] ?? 0) })),
    {
      name: `cold start, ${app}, parts against the receipt's total, worst`,
      unit: "%",
      rounds: [Math.max(...receipts.map(partsAgainstTotal))],
      goal: { is: "<=", value: 2 },
    },
    {
      name: `cold start, ${app}, receipt's total against the client's clock`,
      unit: "%",
      rounds: receipts.map((receipt, index) => ((receipt["total"] ?? 0) / (coldMs[index] ?? Number.NaN)) * 100),
    },
    {
      name: `cold start, ${app}, answers that are no 200`,
      unit: "",
      rounds: [statuses.filter((status) => status !== 200).length],
      goal: { is: "==", value: 0 },
    },
  ];
}

function warmFigures(gateway: readonly WarmRound[], nginx: readonly WarmRound[], connections: number): Figure[] {
  const named = (what: string): string => `warm, ${connections} connections, ${what}`;
  const ratios = gateway.map((round, index) => round.cpuMicros / (nginx[index]?.cpuMicros ?? Number.NaN));
  return [
    { name: named("CPU a request, gateway"), unit: "µs", rounds: gateway.map((round) => round.cpuMicros) },
    { name: named("CPU a request, nginx"), unit: "µs", rounds: nginx.map((round) => round.cpuMicros) },
    { name: named("CPU, gateway over nginx"), unit: "x", rounds: ratios, goal: { is: "<=", value: 2 } },
    { name: named("requests a second, gateway"), unit: "1/s", rounds: gateway.map((round) => round.perSecond), beside: "A7: 684; A3: 514" },
    { name: named("requests a second, nginx"), unit: "1/s", rounds: nginx.map((round) => round.perSecond) },
    { name: named("p50, gateway"), unit: "ms", rounds: gateway.map((round) => round.p50Ms) },
    {
      name: named("failed answers, gateway"),
      unit: "",
      rounds: [gateway.reduce((total, round) => total + round.failed, 0)],
      goal: { is: "==", value: 0 },
      beside: "A3: 60; A7: 0",
    },
  ];
}

async function warm(platform: BenchPlatform, { rounds }: SeedsOptions, signal: AbortSignal): Promise<Figure[]> {
  await platform.createReady(["warm"], { image: GO.image, annotations: ONE_POD }, signal);
  const second: number[] = [];
  for (let index = 0; index <= 20; index++) second.push((await ask(platform.httpPort, platform.hostOf("warm"))).ms);
  const figures: Figure[] = [{ name: "second request, new connection", unit: "ms", rounds: second.slice(1), beside: "A2: 62.8" }];
  for (const [connections, runs] of [
    [32, rounds],
    [500, 1],
  ] as const) {
    const options = { service: "warm", rounds: runs, seconds: SECONDS, connections, workers: availableParallelism() };
    const measured = await warmRequests(platform, options, signal);
    figures.push(...warmFigures(measured.gateway, measured.nginx, connections));
  }
  await platform.delete(["warm"], signal);
  return figures;
}

export async function benchSeeds(options: SeedsOptions, signal: AbortSignal): Promise<Report> {
  requireReference();
  options.note("building");
  const build = packedBuild();
  try {
    const platform = await BenchPlatform.start(build.command);
    try {
      await platform.configure("config-autoscaler", { "allow-zero-initial-scale": "true" });
      await platform.build(join(root, "samples/hello-go"), GO.image);
      await platform.build(join(root, "samples/autoscale"), NODE.image);
      const figures: Figure[] = [];
      options.note(`${options.starts} cold starts each of a Go and a Node program`);
      for (const rounds of await coldStarts(platform, { apps: [GO, NODE], starts: options.starts }, signal)) figures.push(...coldFigures(rounds));
      await platform.delete(
        [GO, NODE].flatMap(({ name }) => Array.from({ length: options.starts }, (_, index) => `${name}-${index}`)),
        signal,
      );
      options.note(`creations: ${options.creations} alone, ${options.parallel} at once`);
      figures.push(...(await creations(platform, options, signal)));
      await platform.build(join(root, "test/bench/apps/pace"), PACE);
      figures.push(...(await knativeLines(platform, { image: PACE, parallel: options.parallel, note: options.note }, signal)));
      options.note("warm requests, gateway and nginx in turns");
      figures.push(...(await warm(platform, options, signal)));
      const notes = [
        "programs run as plain host processes: no namespaces, no image pull; Knative's figures have containers",
        "A1 ... A7 are the published figures of the seeds, on their machines",
      ];
      return { bench: "seeds", measured: "packed build", versions: versionsOf(root), figures, notes };
    } finally {
      await platform.stop();
    }
  } finally {
    build.remove();
  }
}

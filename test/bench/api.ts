// `bench api`: writes, reads and watch events for each second of CPU time, beside kube-apiserver over etcd in the same run.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { startReal, realPaths } from "../oracle/real-server.ts";
import { TOKENS } from "../oracle/server.ts";
import { ApiLoad, type ApiAccess, type Done } from "./api-load.ts";
import { versionsOf, type Figure, type Report } from "./figures.ts";
import { packedBuild, root } from "./packed.ts";
import { BenchPlatform } from "./platform.ts";
import { cpuMs, familyOf, pssBytes } from "./proc.ts";
import { syncsWhile } from "./syncs.ts";

interface Side {
  readonly name: "eider" | "kube-apiserver";
  readonly load: ApiLoad;
  /** All processes that serve. */
  readonly pids: () => readonly number[];
  /** The process that writes to the disk. */
  readonly writerPid: number;
}

interface Phase {
  readonly name: string;
  readonly unit: string;
  readonly run: (load: ApiLoad) => Promise<Done>;
  readonly goal: number;
}

const PHASES: readonly Phase[] = [
  ...[1, 16, 256].map((writers): Phase => {
    const count = { 1: 1_000, 16: 2_000, 256: 4_000 }[writers] ?? 0;
    return { name: `writes, ${writers} ${writers === 1 ? "writer" : "writers"}`, unit: "writes", run: (load) => load.write(count, writers), goal: 1 };
  }),
  { name: "reads of one object", unit: "reads", run: (load) => load.read(8_000, 16), goal: 2 },
  { name: "lists of 500 objects", unit: "lists", run: (load) => load.list(100, 4), goal: 2 },
  { name: "events to 50 watchers", unit: "events", run: (load) => load.watch(300, 50), goal: 2 },
];
const SYNCED_WRITES = 500;
const SYNCED_WRITERS = 16;
const MB = 1e6;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const cpuOf = (side: Side): number => sum(side.pids().map(cpuMs));
const pssOf = (side: Side): number => sum(side.pids().map(pssBytes));

interface Measured {
  readonly perCpuSecond: number;
  readonly perSecond: number;
  readonly failed: number;
}

async function measure(side: Side, phase: Phase): Promise<Measured> {
  const before = cpuOf(side);
  const { operations, failed, ms } = await phase.run(side.load);
  return { perCpuSecond: (operations * 1000) / (cpuOf(side) - before), perSecond: (operations * 1000) / ms, failed };
}

/** Server, token and authority as the platform's kubeconfig names them. */
function accessOf(kubeconfig: string): ApiAccess {
  const { clusters, users } = parse(readFileSync(kubeconfig, "utf8")) as {
    clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
    users: { user: { token: string } }[];
  };
  const [{ cluster } = { cluster: { server: "", "certificate-authority-data": "" } }] = clusters;
  return { server: cluster.server, ca: Buffer.from(cluster["certificate-authority-data"], "base64").toString(), token: users[0]?.user.token ?? "" };
}

/** One round: each phase on both sides, which take turns in going first. */
async function round(sides: readonly Side[], index: number, signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
  const measured = new Map<string, Measured>();
  for (const phase of PHASES) {
    for (const side of index % 2 === 0 ? sides : sides.toReversed()) {
      signal.throwIfAborted();
      measured.set(`${phase.name} ${side.name}`, await measure(side, phase));
    }
  }
  return measured;
}

function figuresOf(rounds: readonly ReadonlyMap<string, Measured>[]): Figure[] {
  return PHASES.flatMap(({ name, unit, goal }) => {
    const of = (side: Side["name"]): readonly Measured[] => rounds.map((each) => each.get(`${name} ${side}`) as Measured);
    const [ours, theirs] = [of("eider"), of("kube-apiserver")];
    const ratios = ours.map((each, index) => each.perCpuSecond / (theirs[index]?.perCpuSecond ?? Number.NaN));
    return [
      { name: `${name}, eider`, unit: `${unit}/CPU s`, rounds: ours.map((each) => each.perCpuSecond) },
      { name: `${name}, kube-apiserver + etcd`, unit: `${unit}/CPU s`, rounds: theirs.map((each) => each.perCpuSecond) },
      { name: `${name}, ratio`, unit: "x", rounds: ratios, goal: { is: ">=", value: goal } },
      {
        name: `${name}, eider's wall time rate over theirs`,
        unit: "x",
        rounds: ours.map((each, index) => each.perSecond / (theirs[index]?.perSecond ?? Number.NaN)),
      },
      { name: `${name}, failed`, unit: "", rounds: [sum([...ours, ...theirs].map((each) => each.failed))], goal: { is: "==", value: 0 } },
    ];
  });
}

async function syncFigures(sides: readonly Side[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const side of sides) {
    const syncs = await syncsWhile(side.writerPid, () => side.load.write(SYNCED_WRITES, SYNCED_WRITERS));
    if (syncs !== undefined)
      figures.push({ name: `fsyncs for each write, ${SYNCED_WRITERS} writers, ${side.name}`, unit: "", rounds: [syncs / SYNCED_WRITES] });
  }
  return figures;
}

/** Rejects when KUBE_APISERVER and ETCD do not name a reference. */
export async function benchApi(options: { readonly rounds: number; readonly note: (line: string) => void }, signal: AbortSignal): Promise<Report> {
  const paths = realPaths();
  if (typeof paths === "string") throw new Error(`no reference to compare with: ${paths}`);
  await using ends = new AsyncDisposableStack();
  const build = packedBuild();
  ends.defer(() => build.remove());
  const platform = await BenchPlatform.start(build.command);
  ends.defer(() => platform.stop());
  const real = await startReal(paths, { syncs: true });
  ends.defer(() => real.end());
  const server = `https://127.0.0.1:${real.running.port}`;
  const sides: readonly Side[] = [
    {
      name: "eider",
      load: new ApiLoad(accessOf(platform.state.kubeconfig), "bench"),
      pids: () => familyOf(platform.state.keeperPid),
      writerPid: platform.state.pid,
    },
    {
      name: "kube-apiserver",
      load: new ApiLoad({ server, token: TOKENS["admin"] ?? "", ca: real.running.caPem }, "bench"),
      pids: () => real.pids,
      writerPid: real.pids[1],
    },
  ];
  for (const side of sides) {
    ends.defer(() => side.load.close());
    await side.load.createNamespace();
  }
  const idle = sides.map(pssOf);
  const rounds: ReadonlyMap<string, Measured>[] = [];
  const memory: number[][] = [];
  for (let index = 0; index < options.rounds; index++) {
    options.note(`round ${index + 1} of ${options.rounds}`);
    rounds.push(await round(sides, index, signal));
    memory.push(sides.map(pssOf));
  }
  options.note("counting fsyncs");
  const syncs = await syncFigures(sides);
  const of = (pair: readonly number[]): number => (pair[0] ?? Number.NaN) / (pair[1] ?? Number.NaN);
  const figures: Figure[] = [
    ...figuresOf(rounds),
    ...syncs,
    { name: "memory at rest, eider (whole platform, PSS)", unit: "MB", rounds: [(idle[0] ?? 0) / MB] },
    { name: "memory at rest, kube-apiserver + etcd", unit: "MB", rounds: [(idle[1] ?? 0) / MB] },
    { name: "memory at rest, ratio", unit: "x", rounds: [of(idle)], goal: { is: "<=", value: 0.2 } },
    { name: "memory after each round, ratio", unit: "x", rounds: memory.map(of), goal: { is: "<=", value: 0.2 } },
  ];
  const notes = [
    "both answer a write once it is on disk; one HTTP/2 connection, JSON, objects of about 1 kB; the load's own CPU time is not counted",
    "eider counts whole: keeper, controllers, gateway threads; kube-apiserver without controller-manager",
  ];
  return { bench: "api", measured: "packed build", versions: { ...versionsOf(root), "kube-apiserver": "v1.34" }, figures, notes };
}

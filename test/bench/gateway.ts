// `bench gateway`: the data path beside nginx, haproxy and Knative's own programs, in turns in front of one back-end.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#host";
import { versionsOf, type Figure, type Report } from "./figures.ts";
import { eider, firstLine, NAMES, start, startBackend, startContenders, stopped, type Contender, type Ground, type Name } from "./gateway-contenders.ts";
import {
  bodyFigures,
  idleFigures,
  messageFigures,
  requestFigures,
  threadFigures,
  unableFigure,
  type Cost,
  type Rounds,
  type ThreadRounds,
} from "./gateway-figures.ts";
import type { ClientOptions, ClientResult } from "./gateway-client.ts";
import { bodyRequest, requestTable } from "./gateway-requests.ts";
import { wrk, wrkScript } from "./gateway-wrk.ts";
import { root } from "./packed.ts";
import { cpuMs, pssBytes } from "./proc.ts";
import { programPath, requirePrograms } from "./programs.ts";

export const PARTS = ["requests", "bodies", "websockets", "idle", "threads"] as const;
export type Part = (typeof PARTS)[number];

export interface GatewayBenchOptions {
  readonly rounds: number;
  /** Of one load of small requests; other loads take the half. */
  readonly seconds: number;
  readonly connections: readonly number[];
  readonly only: readonly Name[];
  readonly parts: readonly Part[];
  readonly note: (line: string) => void;
}

const BODY_BYTES = 1_000_000;
const BODY_CONNECTIONS = 8;
const SOCKET_CONNECTIONS = 50;
const IDLE_CONNECTIONS = 5_000;
const IDLE_ROUNDS = 3;
const SHARED_CONNECTIONS = 1_000;
const SCRAPE_EVERY_MS = 1_000;
/** So many connections take a part of the time to be made. */
const MANY_CONNECTIONS = 5_000;
const MANY_SECONDS = 4;
/** Between two loads: what the last one left behind is not the next one's. */
const PAUSE_MS = 100;
/** After connections were opened, until memory is looked at. */
const SETTLE_MS = 2_000;

/** What is the same for all parts. */
interface Run extends Pick<GatewayBenchOptions, "rounds" | "seconds" | "only" | "note"> {
  readonly folder: string;
  readonly node: string;
  /** Commands that bind to a core: load and back-end to one, contenders to the other. */
  readonly loadPin: readonly string[];
  readonly proxyPin: readonly string[];
  readonly notes: Set<string>;
  /** Names of contenders that had to be left out of a load, once for each. */
  readonly unable: string[];
  readonly signal: AbortSignal;
}

type Load = (contender: Contender, signal: AbortSignal) => Promise<Omit<Cost, "cpuMs" | "pssBytes">>;

const total = (pids: readonly number[], of: (pid: number) => number): number => pids.reduce((sum, pid) => sum + of(pid), 0);

async function costOf(contender: Contender, load: Load, signal: AbortSignal): Promise<Cost> {
  const before = total(contender.pids(), cpuMs);
  const result = await load(contender, signal);
  const used = total(contender.pids(), cpuMs) - before;
  return { ...result, cpuMs: used, pssBytes: total(contender.pids(), pssBytes) };
}

/** Every contender in every round, each round beginning with another; one that cannot is left out from there on, and told. */
async function inTurns(run: Run, contenders: readonly Contender[], what: string, load: Load): Promise<Rounds> {
  const rounds = new Map<string, Cost[]>(contenders.map(({ name }) => [name, []]));
  const able = new Set(contenders);
  // The first round warms up and is forgotten.
  for (let round = -1; round < run.rounds; round++) {
    run.note(`${what}: round ${round + 1} of ${run.rounds}`);
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(turn + Math.max(0, round)) % contenders.length];
      if (contender === undefined || !able.has(contender)) continue;
      try {
        const cost = await costOf(contender, load, run.signal);
        if (round >= 0) rounds.get(contender.name)?.push(cost);
      } catch (error) {
        if (run.signal.aborted) throw error;
        able.delete(contender);
        rounds.delete(contender.name);
        run.unable.push(contender.name);
        run.notes.add(`${contender.name} could not take "${what}": ${String(error).split("\n")[0]}`);
      }
      await systemClock.sleep(PAUSE_MS, run.signal);
    }
  }
  return rounds;
}

/** Reads `/metrics` of those who have them once a second, as Prometheus would at its busiest. */
async function scrape(contenders: readonly Contender[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const { controlPort } of contenders) {
      if (controlPort !== undefined) await fetch(`http://127.0.0.1:${controlPort}/metrics`, { signal }).then((answer) => answer.text());
    }
    await systemClock.sleep(SCRAPE_EVERY_MS, signal);
  }
}

/** Starts contenders before the back-end at `backend`, scrapes them while `work` runs, and ends them. */
async function among<T>(run: Run, backend: number, names: readonly Name[], work: (contenders: readonly Contender[], ground: Ground) => Promise<T>): Promise<T> {
  const ground: Ground = { folder: run.folder, pin: run.proxyPin, backend, node: run.node };
  const { contenders, skipped, stop } = await startContenders(
    ground,
    names.filter((name) => run.only.includes(name)),
  );
  for (const { name, why } of skipped) run.notes.add(`${name} was skipped: ${why}`);
  const over = new AbortController();
  const scraping = scrape(contenders, over.signal).catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  try {
    return await work(contenders, ground);
  } finally {
    over.abort();
    await scraping;
    await stop();
  }
}

function wrkLoad(
  run: Run,
  scripts: ReadonlyMap<string, string>,
  how: { readonly connections: number; readonly seconds: number; readonly pin?: readonly string[] },
): Load {
  const { connections, seconds, pin = run.loadPin } = how;
  return async ({ name, port }, signal) => {
    const { requests: answers, ...rest } = await wrk({ port, connections, seconds, script: scripts.get(name) ?? "", pin }, signal);
    return { answers, ...rest };
  };
}

const scriptsFor = (
  run: Run,
  contenders: readonly Contender[],
  kind: string,
  table: (lines: readonly string[]) => readonly string[],
  bodyBytes = 0,
): Map<string, string> =>
  new Map(contenders.map(({ name, lines }) => [name, wrkScript(run.folder, `${kind}-${name.replace(" ", "-")}`, { requests: table(lines), bodyBytes })]));

async function smallRequests(run: Run, backend: number, connections: readonly number[]): Promise<Figure[]> {
  return among(run, backend, NAMES, async (contenders) => {
    const scripts = scriptsFor(run, contenders, "small", requestTable);
    const figures: Figure[] = [];
    for (const count of connections) {
      const seconds = count < MANY_CONNECTIONS ? run.seconds : Math.max(run.seconds, MANY_SECONDS);
      const rounds = await inTurns(run, contenders, `small requests, ${count} connections`, wrkLoad(run, scripts, { connections: count, seconds }));
      figures.push(...requestFigures(rounds, count));
    }
    return figures;
  });
}

const PROXIES: readonly Name[] = NAMES.filter((name) => name !== "direct");

async function bodiesDown(run: Run, backend: number): Promise<Figure[]> {
  return among(run, backend, PROXIES, async (contenders) => {
    const scripts = scriptsFor(run, contenders, "down", (lines) => [bodyRequest("GET", "/large", { lines })]);
    const load = wrkLoad(run, scripts, { connections: BODY_CONNECTIONS, seconds: Math.ceil(run.seconds / 2) });
    return bodyFigures(await inTurns(run, contenders, "1 MB down", load), "down");
  });
}

/** Bodies to the application and websockets, with an application of our own behind. */
async function withApp(run: Run, parts: readonly Part[]): Promise<Figure[]> {
  const app = start(run, [...run.loadPin, process.execPath, "--conditions=source", join(import.meta.dirname, "gateway-app.ts")], {
    log: "app.log",
    piped: true,
  });
  try {
    const { port } = await firstLine<{ port: number }>(app);
    return await among(run, port, PROXIES, async (contenders) => {
      const figures: Figure[] = [];
      if (parts.includes("bodies")) {
        const scripts = scriptsFor(run, contenders, "up", (lines) => [bodyRequest("POST", "/up", { bytes: BODY_BYTES, lines })], BODY_BYTES);
        const load = wrkLoad(run, scripts, { connections: BODY_CONNECTIONS, seconds: Math.ceil(run.seconds / 2) });
        figures.push(...bodyFigures(await inTurns(run, contenders, "1 MB up", load), "up"));
      }
      if (parts.includes("websockets")) {
        const load: Load = async ({ port: to, lines }) => {
          const client = startClient(run, { mode: "websocket", port: to, connections: SOCKET_CONNECTIONS, seconds: run.seconds / 2, lines });
          return { ...(await firstLine<ClientResult>(client)), p99Ms: Number.NaN };
        };
        figures.push(...messageFigures(await inTurns(run, contenders, "websocket messages", load)));
      }
      return figures;
    });
  } finally {
    await stopped(app);
  }
}

function startClient(run: Run, options: ClientOptions): ReturnType<typeof start> {
  const argv = [...run.loadPin, process.execPath, "--conditions=source", join(import.meta.dirname, "gateway-client.ts"), JSON.stringify(options)];
  return start(run, argv, { log: "client.log", piped: true });
}

/** Memory of connections that wait, in contenders that were started for that and have served a load. */
async function idle(run: Run, backend: number): Promise<Figure[]> {
  const bytes = new Map<string, number[]>();
  const failed: number[] = [];
  for (let round = 0; round < Math.min(IDLE_ROUNDS, run.rounds); round++) {
    run.note(`idle connections: round ${round + 1}`);
    await among(run, backend, PROXIES, async (contenders) => {
      const scripts = scriptsFor(run, contenders, "small", requestTable);
      for (const contender of contenders) {
        await wrkLoad(run, scripts, { connections: SOCKET_CONNECTIONS, seconds: 1 })(contender, run.signal);
        await systemClock.sleep(SETTLE_MS, run.signal);
        const before = total(contender.pids(), pssBytes);
        const client = startClient(run, { mode: "idle", port: contender.port, connections: IDLE_CONNECTIONS, seconds: 0, lines: contender.lines });
        const opened = await firstLine<ClientResult>(client);
        await systemClock.sleep(SETTLE_MS, run.signal);
        const each = (total(contender.pids(), pssBytes) - before) / opened.answers;
        await stopped(client);
        bytes.set(contender.name, [...(bytes.get(contender.name) ?? []), each]);
        if (contender.name === "eider") failed.push(opened.failed);
        else if (opened.failed > 0) run.notes.add(`${contender.name} failed ${opened.failed} of ${IDLE_CONNECTIONS} idle connections`);
      }
    });
  }
  const name = `${IDLE_CONNECTIONS} idle connections, eider, failed`;
  return [...idleFigures(bytes, IDLE_CONNECTIONS), { name, unit: "", rounds: [Math.max(0, ...failed)], goal: { is: "==", value: 0 } }];
}

/** One gateway thread and two on both cores, beside load and back-end, which are not bound either. */
async function threads(run: Run, backend: number): Promise<Figure[]> {
  const ground: Ground = { folder: run.folder, pin: [], backend, node: run.node };
  const one = { ...(await eider(ground)), name: "one thread" };
  try {
    const two = { ...(await eider(ground, { threads: 2 })), name: "two threads" };
    try {
      const contenders = [one, two];
      const scripts = scriptsFor(run, contenders, "small", requestTable);
      const shares: number[] = [];
      const small = wrkLoad(run, scripts, { connections: SHARED_CONNECTIONS, seconds: run.seconds, pin: [] });
      const load: Load = async (contender, signal) => {
        const before = await acceptedBy(contender, signal);
        const result = await small(contender, signal);
        const accepted = (await acceptedBy(contender, signal)).map((count, thread) => count - (before[thread] ?? 0));
        if (accepted.length > 1) shares.push(Math.max(...accepted) / accepted.reduce((sum, count) => sum + count, 0));
        return result;
      };
      const rounds: ThreadRounds = { rounds: await inTurns(run, contenders, "one thread and two", load), shares };
      return threadFigures(rounds, SHARED_CONNECTIONS);
    } finally {
      await two.stop();
    }
  } finally {
    await one.stop();
  }
}

/** Connections that each thread has accepted so far. */
async function acceptedBy({ controlPort }: Contender, signal: AbortSignal): Promise<number[]> {
  const answer = await fetch(`http://127.0.0.1:${controlPort}/threads`, { signal });
  return ((await answer.json()) as Record<string, number>[]).map((counters) => counters["eider_gateway_connections_total"] ?? Number.NaN);
}

function versions(): Record<string, string> {
  const first = (command: string, args: readonly string[]): string => {
    const path = programPath(command);
    if (path === undefined) return "missing";
    // nginx tells its version on the other output.
    const text = execFileSync("sh", ["-c", `${path} ${args.join(" ")} 2>&1 | head -1`], { encoding: "utf8" });
    return /[0-9]+\.[0-9]\S*/.exec(text)?.[0] ?? "unknown";
  };
  return { ...versionsOf(root), nginx: first("nginx", ["-v"]), haproxy: first("haproxy", ["-v"]), wrk: first("wrk", ["-v"]) };
}

export async function benchGateway(options: GatewayBenchOptions, signal: AbortSignal): Promise<Report> {
  requirePrograms(["nginx", "wrk", "taskset"]);
  const folder = mkdtempSync(join(tmpdir(), "eider-bench-gateway-"));
  const node = join(folder, "node");
  copyFileSync(process.execPath, node);
  const run: Run = { ...options, folder, node, loadPin: ["taskset", "-c", "0"], proxyPin: ["taskset", "-c", "1"], notes: new Set(), unable: [], signal };
  const { parts, connections } = options;
  const figures: Figure[] = [];
  try {
    const backend = await startBackend({ folder, pin: run.loadPin, node });
    try {
      if (parts.includes("idle")) figures.push(...(await idle(run, backend.port)));
      if (parts.includes("requests")) figures.push(...(await smallRequests(run, backend.port, connections)));
      if (parts.includes("bodies")) figures.push(...(await bodiesDown(run, backend.port)));
      if (parts.includes("threads")) figures.push(...(await threads(run, backend.port)));
    } finally {
      await backend.stop();
    }
    if (parts.includes("bodies") || parts.includes("websockets")) figures.push(...(await withApp(run, parts)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  figures.push(unableFigure(run.unable));
  return { bench: "gateway", measured: "gateway threads in a process of their own", versions: versions(), figures, notes: [...NOTES, ...run.notes] };
}

const NOTES: readonly string[] = [
  "contenders on core 1, load and back-end (nginx) on core 0, one worker or thread each; medians of rounds and of ratios within a round",
  "CPU: user and system time of the contender's processes from /proc; the activator's is that of activator and queue-proxy together",
  "heads: 1,024 requests to 64 of 1,000 hosts, four kinds of heads; no connection sends the same head twice in a row",
  "eider: 1,000 hosts on 250 revisions, containerConcurrency 1,000, timeouts armed, access log in JSON to a file, /metrics read once a second, 1 % of traces (told to the control thread, exported nowhere)",
  "nginx and haproxy have the same hosts, add the same forwarding headers and write an access log in JSON with the same fields to a file, too (nginx buffers 64 kB as ours does, haproxy a line a request); Knative's programs run with their defaults: no request log, no traces",
  "relay: haproxy in TCP mode, one connection to the back-end for each of the client's: what passing octets on costs at least; where that is more than an eighth of activator and queue-proxy, as at one connection, our ratio to those is told and not judged",
  "the activator has no autoscaler to report to: it tries to connect and fails, which costs it less than reports would",
];

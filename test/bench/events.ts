// `bench events`: what an event costs to take in, to keep and to bring to a subscriber, beside NATS JetStream, in turns on the same disk.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#host";
import { eider, nats, type EiderContender, type EventsContender, type EventsGround } from "./events-contenders.ts";
import { knative } from "./events-knative.ts";
import { deliveryFigures, filterFigures, ingestFigures, latencyFigures } from "./events-figures.ts";
import type { ProducerOptions, ProducerResult, ProducerWay } from "./events-producer.ts";
import { versionsOf, type Figure, type Report } from "./figures.ts";
import { firstLine, start } from "./gateway-contenders.ts";
import type { Cost } from "./gateway-figures.ts";
import { packedBuild, root } from "./packed.ts";
import { cpuMs, pssBytes } from "./proc.ts";
import { requirePrograms } from "./programs.ts";

export const EVENT_PARTS = ["ingest", "batches", "delivery", "latency", "filters"] as const;
export type EventPart = (typeof EVENT_PARTS)[number];

export interface EventsBenchOptions {
  readonly rounds: number;
  /** Of one load. */
  readonly events: number;
  readonly parts: readonly EventPart[];
  readonly note: (line: string) => void;
}

const AT_ONCE = 50;
const BATCH = 100;
/** Producers of batches: each has as much under way as many single ones. */
const BATCHES_AT_ONCE = 4;
const PACED_EVENTS = 200;
const PACED_EVERY_MS = 5;
const FEW_TRIGGERS = 100;
const MANY_TRIGGERS = 1_000;
/** Longer than any load takes. */
const LOAD_MS_MAX = 120_000;
/** What was begun for a load is over when a contender is idle for so long. */
const REST_MS = 200;
const RESTS_MAX = 50;
/** Of a core: what a platform that has nothing to do may use. */
const IDLE_SHARE = 0.06;

const total = (pids: readonly number[], of: (pid: number) => number): number => pids.reduce((sum, pid) => sum + of(pid), 0);

interface Load extends Omit<ProducerOptions, "way"> {
  readonly way: ProducerWay;
  /** Whether all of it comes to the subscriber. */
  readonly delivered: boolean;
}

interface Run extends EventsBenchOptions {
  readonly ground: EventsGround;
  readonly signal: AbortSignal;
}

async function atRest(contender: EventsContender, signal: AbortSignal): Promise<void> {
  for (let rest = 0; rest < RESTS_MAX; rest++) {
    const before = total(contender.pids(), cpuMs);
    await systemClock.sleep(REST_MS, signal);
    if (total(contender.pids(), cpuMs) - before <= REST_MS * IDLE_SHARE) return;
  }
}

/** One load on one contender, with everything that it leads to. */
async function costOf(run: Run, contender: EventsContender, { delivered, ...options }: Load): Promise<Cost> {
  const signal = AbortSignal.any([run.signal, AbortSignal.timeout(LOAD_MS_MAX)]);
  await atRest(contender, signal);
  const before = total(contender.pids(), cpuMs);
  const argv = [...run.ground.loadPin, process.execPath, "--conditions=source", join(import.meta.dirname, "events-producer.ts"), JSON.stringify(options)];
  const producing = firstLine<ProducerResult>(start(run.ground, argv, { log: "producer.log", piped: true }));
  const [produced, received] = await Promise.all([producing, delivered ? contender.subscriber.received(options.events, signal) : undefined]);
  await atRest(contender, signal);
  const used = total(contender.pids(), cpuMs) - before;
  return { ...produced, ...received, cpuMs: used, pssBytes: total(contender.pids(), pssBytes) };
}

/** Every contender in every round, each round beginning with another; the first round warms up and is forgotten. */
async function inTurns<T extends EventsContender>(
  run: Run,
  contenders: readonly T[],
  what: string,
  load: (contender: T) => Load,
): Promise<Map<string, Cost[]>> {
  const rounds = new Map<string, Cost[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < run.rounds; round++) {
    run.note(`${what}: round ${round + 1} of ${run.rounds}`);
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(turn + Math.max(0, round)) % contenders.length];
      if (contender === undefined) continue;
      const cost = await costOf(run, contender, load(contender));
      if (round >= 0) rounds.get(contender.name)?.push(cost);
    }
  }
  return rounds;
}

async function beside(run: Run, contenders: readonly EventsContender[]): Promise<Figure[]> {
  const { parts, events } = run;
  const figures: Figure[] = [];
  const singles = parts.includes("ingest") || parts.includes("delivery");
  const single =
    (place: "kept" | "delivered") =>
    (contender: EventsContender): Load => ({
      way: contender.wayTo(place),
      atOnce: AT_ONCE,
      events,
      everyMs: 0,
      delivered: place === "delivered",
    });
  const kept = singles ? await inTurns(run, contenders, "ingest", single("kept")) : new Map<string, Cost[]>();
  if (singles) figures.push(...ingestFigures(kept, "single"));
  if (parts.includes("delivery")) figures.push(...deliveryFigures(kept, await inTurns(run, contenders, "delivery", single("delivered"))));
  if (parts.includes("latency")) {
    const paced = (contender: EventsContender): Load => ({
      ...single("delivered")(contender),
      atOnce: 1,
      events: PACED_EVENTS,
      everyMs: PACED_EVERY_MS,
    });
    figures.push(...latencyFigures(await inTurns(run, contenders, "latency", paced)));
  }
  return figures;
}

/** Batches are what CloudEvents have over HTTP; JetStream takes one message at a time. */
const batches = (way: ProducerWay, events: number): Load => ({
  way: way.over === "http" ? { ...way, batch: BATCH } : way,
  atOnce: BATCHES_AT_ONCE,
  events,
  everyMs: 0,
  delivered: false,
});

async function alone(run: Run, ours: EiderContender): Promise<Figure[]> {
  const { parts, events } = run;
  const figures: Figure[] = [];
  if (parts.includes("batches")) {
    figures.push(...ingestFigures(await inTurns(run, [ours], "batches", ({ wayTo }) => batches(wayTo("kept"), events * 4)), "in batches"));
  }
  if (parts.includes("filters")) {
    const counts = [FEW_TRIGGERS, MANY_TRIGGERS] as const;
    const rounds = new Map<number, Cost[]>();
    for (const count of counts) {
      run.note(`making ${count} Triggers`);
      const triggers = Array.from({ length: count }, (_, index) => ({ filters: [{ exact: { type: `unwanted-${index}` } }] }));
      const way = await ours.broker(`beside-${count}`, triggers);
      const costs = await inTurns(run, [ours], `${count} filters`, () => batches(way, events));
      rounds.set(count, costs.get(ours.name) ?? []);
    }
    figures.push(...filterFigures(rounds, counts));
  }
  return figures;
}

export async function benchEvents(options: EventsBenchOptions, signal: AbortSignal): Promise<Report> {
  requirePrograms(["taskset"]);
  const folder = mkdtempSync(join(tmpdir(), "eider-bench-events-"));
  const run: Run = { ...options, ground: { folder, loadPin: ["taskset", "-c", "0"], pin: ["taskset", "-c", "1"] }, signal };
  const notes = [...NOTES];
  await using ends = new AsyncDisposableStack();
  ends.defer(() => rmSync(folder, { recursive: true, force: true }));
  options.note("building");
  const build = packedBuild();
  ends.defer(() => build.remove());
  const ours = await eider(run.ground, build.command);
  ends.defer(() => ours.stop());
  const contenders: EventsContender[] = [ours];
  const versions: Record<string, string> = versionsOf(root);
  for (const [name, begin] of Object.entries({ nats, knative })) {
    const theirs = await begin(run.ground);
    versions[name] = typeof theirs === "string" ? "missing" : theirs.version;
    if (typeof theirs === "string") {
      notes.push(`${name} was skipped: ${theirs}`);
      continue;
    }
    ends.defer(() => theirs.stop());
    contenders.push(theirs);
    notes.push(...theirs.notes);
  }
  const figures = [...(await beside(run, contenders)), ...(await alone(run, ours))];
  return { bench: "events", measured: "packed build", versions, figures, notes };
}

const NOTES: readonly string[] = [
  "contenders on core 1, producers and subscribers on core 0, in processes of their own; medians of rounds and of differences and ratios within a round",
  "CPU: user and system time of all processes of the contender from /proc, until it is at rest: keeper, control plane, gateway and log of eider count whole",
  `events: 1,000 octets of JSON and six attributes, ${AT_ONCE} requests under way (batches: ${BATCH} events, ${BATCHES_AT_ONCE} under way), acknowledged once they are on the disk; through the gateway, deliveries to a URL on loopback`,
];

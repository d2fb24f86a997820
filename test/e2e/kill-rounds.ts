// Kill rounds: at a random moment of creates, updates and load one process or both die; afterwards everything is as it was.
import { below, SeededRng, type Rng } from "#core";
import {
  brokenTraffic,
  doubledPods,
  fallingRevisions,
  lostWrites,
  movedPods,
  orphanProcesses,
  resetsAtKills,
  unreadyServices,
  wrongStatuses,
  type Snapshot,
} from "./kill-facts.ts";
import { KillWorld, sleep } from "./kill-world.ts";
import { type State } from "./platform.ts";

export type Victim = "platform" | "keeper";

export interface RoundsOptions {
  readonly victim: Victim;
  readonly rounds: number;
  readonly seed: number;
  /** Called with one line a round. */
  readonly tell: (line: string) => void;
}

export interface RoundsReport {
  /** Empty when everything held. */
  readonly complaints: readonly string[];
  readonly acknowledged: number;
  readonly unknown: number;
  readonly rejected: number;
  readonly answered: number;
  readonly resets: number;
  /** From the kill to the next platform's announcement, one a round. */
  readonly downMs: readonly number[];
}

/** A kill falls somewhere within this time after the round's first write. */
const KILL_WITHIN_MS = 1_500;
const SETTLE_LIMIT_MS = 60_000;
const STEADY = "steady-00001";

/** Starts a platform, kills it `rounds` times, and ends it. Throws only when the platform does not come back. */
export async function runKillRounds({ victim, rounds, seed, tell }: RoundsOptions): Promise<RoundsReport> {
  const rng = new SeededRng(seed);
  const world = await KillWorld.start();
  const complaints: string[] = [];
  const downMs: number[] = [];
  try {
    let before = await settled(world, complaints, "before the first kill");
    world.begin(rng);
    for (let round = 1; round <= rounds; round++) {
      const { state, ms } = await killOnce(world, { victim, round, rng });
      downMs.push(ms);
      if (victim === "keeper" && state.keeperPid === world.platform.state.keeperPid) complaints.push(`round ${round}: the keeper is the old one`);
      const after = await settled(world, complaints, `round ${round}`);
      complaints.push(...movedPods(before, after, [STEADY]).map((text) => `round ${round}: ${text}`));
      before = after;
      tell(`round ${round}: ${victim} killed, announced again after ${ms.toFixed(0)} ms, ${after.pods.length} pods, complaints ${complaints.length}`);
    }
    await world.quiet();
    complaints.push(...(await lastLook(world)));
    complaints.push(...world.rejections.map((text) => `rejected write: ${text}`));
    if (complaints.length > 0) complaints.push(world.platform.logs());
    return { complaints, downMs, ...countsOf(world) };
  } finally {
    await world.stop();
  }
}

/** Creates, changes and deletes begin, the kill comes in between; answers the state before and how long it was down. */
async function killOnce(
  world: KillWorld,
  { victim, round, rng }: { readonly victim: Victim; readonly round: number; readonly rng: Rng },
): Promise<{ state: State; ms: number }> {
  const { state } = world.platform;
  const writing = writeServices(world, round);
  await sleep(below(rng, KILL_WITHIN_MS));
  const from = performance.now();
  if (victim === "platform") await world.kill([state.pid]);
  else await world.kill([state.keeperPid]);
  await world.nextState(state);
  const ms = performance.now() - from;
  await writing;
  return { state, ms };
}

async function writeServices(world: KillWorld, round: number): Promise<void> {
  await world.create({ name: `made-${round}`, version: 1 });
  await sleep(100);
  await world.change({ name: "changing", version: round + 1 });
  await sleep(100);
  if (round > 1) await world.remove(`made-${round - 1}`);
  await sleep(100);
  await world.change({ name: `made-${round}`, version: 2 });
}

/** Waits until nothing is to be complained about; what is left after the limit is. */
async function settled(world: KillWorld, complaints: string[], when: string): Promise<Snapshot> {
  const until = performance.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const snapshot = await world.snapshot().catch(() => undefined);
    const wrong =
      snapshot === undefined ? ["the API does not answer"] : [unreadyServices, orphanProcesses, doubledPods, wrongStatuses].flatMap((check) => check(snapshot));
    if (snapshot !== undefined && wrong.length === 0) return snapshot;
    if (performance.now() > until) {
      complaints.push(...wrong.map((text) => `${when}: ${text}`));
      if (snapshot === undefined) throw new Error(`the platform did not come back\n${world.platform.logs()}`);
      return snapshot;
    }
    await sleep(50);
  }
}

/** The facts of the whole run. */
async function lastLook(world: KillWorld): Promise<string[]> {
  const stored = await world.stored();
  return [
    ...world.writes.flatMap((writes) => [...lostWrites(writes, stored), ...fallingRevisions(writes)]),
    ...brokenTraffic(world.traffic, world.kills),
    ...(world.steadyMost > 2 ? [`doubled pod: ${STEADY} had ${world.steadyMost} processes at a time`] : []),
    ...(world.writes.length < 3 ? ["the writers did not run: nothing was checked"] : []),
  ];
}

function countsOf(world: KillWorld): Pick<RoundsReport, "acknowledged" | "unknown" | "rejected" | "answered" | "resets"> {
  const writes = world.writes.flat();
  const count = (outcome: string): number => writes.filter((write) => write.outcome === outcome).length;
  return {
    acknowledged: count("acknowledged"),
    unknown: count("unknown"),
    rejected: count("rejected"),
    answered: world.traffic.answered,
    resets: resetsAtKills(world.traffic, world.kills),
  };
}

/** One line of figures. */
export function describeReport({ downMs, acknowledged, unknown, rejected, answered, resets }: RoundsReport): string {
  const sorted = downMs.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(0);
  return `${sorted.length} rounds; down p50 ${at(0.5)} ms, max ${at(1)} ms; writes ${acknowledged} acknowledged, ${unknown} unknown, ${rejected} rejected; requests ${answered} answered, ${resets} reset by kills`;
}

// The soak: load that changes, and by a seed every few seconds something that is done to the platform; the verdict is over the facts.
import { below, SeededRng, type Rng } from "#core";
import { join } from "node:path";
import { sleep } from "../e2e/kill-world.ts";
import { judge, type Verdict } from "./facts.ts";
import { killProcess, killThread } from "./victims.ts";
import { SoakWorld } from "./world.ts";

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Called with one line a deed. */
  readonly tell: (line: string) => void;
}

export interface SoakReport extends Verdict {
  readonly answered: number;
  readonly failed: number;
  /** How often what was done. */
  readonly deeds: Readonly<Record<string, number>>;
}

const CLIENTS = 16;
const PAUSE_MS = 3_000;
const PACES: readonly number[] = [0.2, 1, 3];

type Deed = (world: SoakWorld, rng: Rng) => Promise<void>;

/** All that may happen; a deed ends when the platform is as it was. */
const DEEDS: readonly (readonly [name: string, deed: Deed])[] = [
  ["rollout", (world) => world.rollOut()],
  ["shift", (world, rng) => world.shiftTraffic(1 + below(rng, 99))],
  ["tag", (world, rng) => world.moveTag(below(rng, 2) === 0)],
  ["pod crash", crashPod],
  ["thread kill", killOneThread],
  ["platform kill", killPlatform],
  ["keeper kill", killKeeper],
  ["hand-over", handOver],
];

export async function runSoak({ minutes, seed, tell }: SoakOptions): Promise<SoakReport> {
  const rng = new SeededRng(seed);
  const world = await SoakWorld.start();
  const deeds: Record<string, number> = Object.fromEntries(DEEDS.map(([name]) => [name, 0]));
  const troubles: string[] = [];
  const told = new Set<string>();
  try {
    world.begin(CLIENTS, () => new SeededRng(rng.uint32()));
    const until = performance.now() + minutes * 60_000;
    // Each once in a chance order, then again: nothing is left out.
    let order: (readonly [string, Deed])[] = [];
    while (performance.now() < until && troubles.length === 0) {
      if (order.length === 0) order = shuffled(DEEDS, rng);
      const [name, deed] = order.pop() as readonly [string, Deed];
      world.pace = PACES[below(rng, PACES.length)] ?? 1;
      await sleep(below(rng, PAUSE_MS));
      const fromMs = performance.now();
      try {
        await deed(world, rng);
      } catch (error) {
        troubles.push(`${name}: ${(error as Error).message}`);
      }
      deeds[name] = (deeds[name] ?? 0) + 1;
      tell(`${Math.round(fromMs)} ms ${name} took ${Math.round(performance.now() - fromMs)} ms; ${summary(world)}`);
      for (const complaint of judge(world.facts).complaints.filter((each) => !told.has(each) && !each.includes("nothing was checked"))) {
        told.add(complaint);
        tell(`COMPLAINT: ${complaint}`);
      }
    }
    await world.quiet();
    const verdict = judge(world.facts);
    const undone = Object.entries(deeds).filter(([, count]) => count === 0);
    const complaints = [...troubles, ...verdict.complaints, ...undone.map(([name]) => `there was no ${name}: nothing was checked`)];
    const answered = world.requests.filter(({ outcome }) => "answered" in outcome).length;
    if (complaints.length > 0) complaints.push(world.platform.logs());
    return { complaints, explained: verdict.explained, answered, failed: world.requests.length - answered, deeds };
  } finally {
    await world.stop();
  }
}

function summary(world: SoakWorld): string {
  const { complaints, explained } = judge(world.facts);
  return `${world.requests.length} requests, ${explained.length} explained, ${complaints.length} complaints`;
}

function shuffled<T>(items: readonly T[], rng: Rng): T[] {
  const left = [...items];
  return items.map(() => left.splice(below(rng, left.length), 1)[0] as T);
}

async function crashPod(world: SoakWorld, rng: Rng): Promise<void> {
  const pid = world.podOf(["steady", "single", "shift"][below(rng, 3)] ?? "steady", rng);
  if (pid !== undefined) world.kills.push(await killProcess("pod", pid, world.httpPort));
}

async function killOneThread(world: SoakWorld, rng: Rng): Promise<void> {
  const { pid } = world.platform.state;
  const death = below(rng, 2) === 0 ? "exit" : "throw";
  world.kills.push(await killThread(pid, join(world.platform.data, "log/start.log"), { port: world.httpPort, thread: 0, death }));
}

async function killPlatform(world: SoakWorld): Promise<void> {
  const { state } = world.platform;
  world.kills.push(await killProcess("platform", state.pid, world.httpPort));
  await world.nextState(state);
}

/** It holds no connection: its platform hands over to that of the next keeper, and no request may be lost. */
async function killKeeper(world: SoakWorld): Promise<void> {
  const { state } = world.platform;
  world.kills.push(await killProcess("keeper", state.keeperPid, world.httpPort));
  await world.nextState(state);
}

/** Nothing dies: no request may be lost. */
async function handOver(world: SoakWorld): Promise<void> {
  const { code, stdout, stderr } = await world.platform.eider("up", "--detach", "--take-over", "-o", "json");
  if (code !== 0) throw new Error(stderr);
  world.platform.state = JSON.parse(stdout) as typeof world.platform.state;
}

/** One line of figures. */
export function describeSoak({ answered, failed, explained, deeds }: SoakReport): string {
  const done = Object.entries(deeds).map(([name, count]) => `${count} × ${name}`);
  return `${answered} requests answered, ${failed} failed, ${explained.length} of them in flight on what was killed; ${done.join(", ")}`;
}

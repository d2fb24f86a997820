// Pods that are frozen and thawed, with real processes: by an engine of the test's own that finds them as the next platform would.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { SeededRng, silentLogger, type Clock } from "#core";
import { connectKeeper, containerEngine, findSandboxHost, LateDaemon, processEngine, sandboxEngine, type EngineFactory } from "#runtimes";
import { eventually, type Answer, type Platform } from "./platform.ts";

type Engine = ReturnType<EngineFactory>;
type Freezing = Pick<Engine, "freeze" | "thaw">;
type Pod = Parameters<Engine["freeze"]>[0];

const clock: Clock = {
  monotonicMs: () => Number(process.hrtime.bigint() / 1_000_000n),
  wallMs: () => new Date().getTime(),
  sleep: (ms, signal) => pause(ms, undefined, { signal }),
};

/** What the kernel tells of a process: that a signal has stopped it, or that its control group is frozen. */
export function isHeld(pid: number): boolean {
  const read = (...path: readonly string[]): string => {
    try {
      return readFileSync(join(...path), "utf8");
    } catch {
      return "";
    }
  };
  if (/^\d+ \(.*\) T /s.test(read("/proc", String(pid), "stat"))) return true;
  const groups = read("/proc", String(pid), "cgroup");
  const own = (controller: string): string => new RegExp(`^\\d+:${controller}:(.*)$`, "m").exec(groups)?.[1] ?? "none";
  return (
    read("/sys/fs/cgroup/freezer", own("freezer"), "freezer.state").trim() === "FROZEN" || /^frozen 1$/m.test(read("/sys/fs/cgroup", own(""), "cgroup.events"))
  );
}

/** A process and all below it. */
export function treeOf(pid: number): readonly number[] {
  const below = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  return [pid, ...below.flatMap(treeOf)];
}

export interface Held {
  readonly engine: Freezing;
  readonly pod: Pod;
  readonly pids: readonly number[];
  /** A request that one of them answers. */
  readonly ask: () => Promise<Answer>;
  /** Something that needs none of them. */
  readonly meanwhile: () => Promise<unknown>;
  readonly limitMs?: number;
}

/** Throws unless all of them stand still after a freeze, and a request that was made meanwhile is answered after the thaw. */
export async function holdsStill({ engine, pod, pids, ask, meanwhile, limitMs }: Held): Promise<void> {
  assert.ok(pids.length > 0 && !pids.some(isHeld), "they run");
  try {
    await engine.freeze(pod);
    await eventually("all stand still", async () => pids.every(isHeld), limitMs);
    let answered = false;
    const answer = ask().then((given) => ((answered = true), given));
    await meanwhile();
    assert.equal(answered, false, "it was answered by a pod that stands still");
    await engine.thaw(pod);
    await eventually("all go on", async () => !pids.some(isHeld), limitMs);
    assert.equal((await answer).status, 200);
  } finally {
    await engine.thaw(pod);
  }
}

/** What no engine asks for when it freezes. */
const unused = (): never => assert.fail("freezing needs nothing of it");
const others = { images: unused, podImages: unused, users: unused, names: unused, layers: unused, onBridge: unused } as never;
const tools = { clock, outputFile: unused, imageProgress: unused };

/** Knows the pods that run on a platform. */
export async function engineBeside(platform: Platform, name: "process" | "sandbox" | "container", signal: AbortSignal): Promise<Engine> {
  const shared = { ...(others as object), rng: new SeededRng(1), logger: silentLogger, dataDir: platform.data, path: process.env["PATH"] ?? "", signal };
  const made = async (): Promise<EngineFactory> => {
    if (name === "container") {
      const daemon = new LateDaemon({ asked: "auto", env: process.env, clock, logger: silentLogger });
      return containerEngine({ ...shared, daemon, platform: readFileSync(join(platform.data, "container-platform"), "utf8").trim() } as never);
    }
    const keeper = await connectKeeper({ dataDir: platform.data, clock, logger: silentLogger }, signal);
    signal.addEventListener("abort", () => keeper.close(), { once: true });
    if (name === "process") return processEngine({ ...shared, keeper } as never);
    const host = await findSandboxHost({ ...shared, asRoot: true });
    if (typeof host === "string") assert.fail(host);
    return sandboxEngine({ ...shared, keeper, host } as never);
  };
  return (await made())(tools);
}

/** First processes of the pod's containers, as the engine finds them. */
export async function leadersOf(engine: Engine, { metadata: { uid } }: Pod): Promise<readonly number[]> {
  const found = (await engine.list()).filter(({ id, running }) => running && id.startsWith(`${uid}/`));
  return found.map(({ identity }) => identity.pid ?? assert.fail("its process is of another machine"));
}

// Cold starts through the whole control path, interleaved with the bare start of the same program.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "#host";
import type { RuntimeName } from "#runtimes";
import { ask, type BenchPlatform } from "./platform.ts";
import type { Program } from "./proc.ts";

/** Between starts, so that one does not disturb the next. */
const PAUSE_MS = 60;
/** Pods are back at zero after that, and their end is part of what the platform does meanwhile. */
const AT_ZERO = { "autoscaling.knative.dev/initial-scale": "0", "autoscaling.knative.dev/window": "6s", "eider.dev/server-timing": "true" };
const CREATE_BATCH = 25;
const POLL_MS = 1;
const START_MS_MAX = 10_000;

export interface ColdRounds {
  readonly app: string;
  readonly bareMs: number[];
  readonly coldMs: number[];
  readonly statuses: number[];
  /** Milliseconds by part, and their total, as the platform tells them. */
  readonly receipts: Readonly<Record<string, number>>[];
}

/** Milliseconds to the first answer; whatever was started has ended when it resolves, and as soon as the signal aborts. */
export type BareStart = (signal: AbortSignal) => Promise<number>;

export interface App {
  readonly name: string;
  readonly image: string;
  /** Undefined: the platform's choice. */
  readonly runtimeClassName?: RuntimeName;
  /** Milliseconds from the start of the bare program to its first answer; without it the program is spawned as its pod spawned it. */
  readonly bareStart?: BareStart;
  /** After a start, where the platform has more to do then: to make ahead what the next one takes. */
  readonly restMs?: number;
}

/** Every Service is created at zero and woken once, by its first request. */
export async function coldStarts(
  platform: BenchPlatform,
  { apps, starts }: { readonly apps: readonly App[]; readonly starts: number },
  signal: AbortSignal,
): Promise<ColdRounds[]> {
  const measured: (ColdRounds & { readonly bare: BareStart; readonly restMs: number })[] = [];
  for (const { name, image, runtimeClassName, bareStart, restMs = PAUSE_MS } of apps) {
    const runtime = runtimeClassName === undefined ? {} : { runtimeClassName };
    const bare = bareStart ?? (await spawnAgain(platform, { name, image }, signal));
    for (let first = 0; first < starts; first += CREATE_BATCH) {
      const names = Array.from({ length: Math.min(CREATE_BATCH, starts - first) }, (_, index) => `${name}-${first + index}`);
      await platform.createReady(names, { image, annotations: AT_ZERO, ...runtime }, signal);
    }
    measured.push({ app: name, bareMs: [], coldMs: [], statuses: [], receipts: [], bare, restMs });
  }
  await systemClock.sleep(2_000, signal);
  for (let start = 0; start < starts; start++) {
    for (const { app, bare, bareMs, coldMs, statuses, receipts, restMs } of measured) {
      bareMs.push(await bare(signal));
      await systemClock.sleep(PAUSE_MS, signal);
      const { status, ms, receipt } = await ask(platform.httpPort, platform.hostOf(`${app}-${start}`));
      statuses.push(status);
      coldMs.push(ms);
      receipts.push(receipt);
      await systemClock.sleep(restMs, signal);
    }
  }
  return measured;
}

/** How a pod of the app spawned its program: the same, again and again. */
async function spawnAgain(platform: BenchPlatform, { name, image }: Pick<App, "name" | "image">, signal: AbortSignal): Promise<BareStart> {
  await platform.createReady([`${name}-first`], { image }, signal);
  const { program } = platform.podOf(`${name}-first`);
  await platform.delete([`${name}-first`], signal);
  return async (ending) => spawnToAnswer(program, await freePort(), ending);
}

/** Milliseconds from the spawn to the whole first answer; the port is tried every millisecond. The program ends with all that it started. */
export async function spawnToAnswer({ argv: [command = "", ...args], env, cwd, uid, gid }: Program, port: number, signal: AbortSignal): Promise<number> {
  const from = performance.now();
  const child = spawn(command, args, { cwd, env: { ...env, PORT: String(port) }, uid, gid, detached: true, stdio: "ignore" });
  const ended = once(child, "exit");
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode} before it answered`);
      const answer = await ask(port, "bare").catch(() => undefined);
      if (answer?.status === 200) return performance.now() - from;
      if (performance.now() - from > START_MS_MAX) throw new Error(`${command} did not answer`);
      await sleep(POLL_MS, undefined, { signal });
    }
  } finally {
    if (child.pid !== undefined) killGroup(child.pid);
    await ended;
  }
}

/** A program that starts another one and waits for it, as bwrap does, does not take that along. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as import("node:net").AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

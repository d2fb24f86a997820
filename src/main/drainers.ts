// Which platforms drain: a file each, which the next platform reads before its gateway threads start.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#core";
import { identify, isRunning } from "#keeper";
import type { ProcessIdentity } from "#protocol";

const FOLDER = "draining";
/** How often it is looked whether those that are waited for live. */
const LOOK_MS = 50;
/** One that lives and does not come by then has hung, or been stopped. */
const COMES_MS = 5_000;

/** This process drains from now on, until it ends. */
export function beginDraining(run: string): void {
  mkdirSync(join(run, FOLDER), { recursive: true, mode: 0o700 });
  writeFileSync(fileOf(run, process.pid), JSON.stringify(identify(process.pid) ?? {}), { mode: 0o600 });
  process.once("exit", () => endDraining(run));
}

/** Nobody has to wait for it any more. */
export function endDraining(run: string): void {
  rmSync(fileOf(run, process.pid), { force: true });
}

export class Drainers {
  readonly #run: string;
  /** By pid: those that have not told which places they have. */
  readonly #awaited = new Map<number, ProcessIdentity>();

  /** Those that live; the files of others are removed. */
  constructor(run: string) {
    this.#run = run;
    for (const name of names(run)) {
      const identity = identityIn(join(run, FOLDER, name));
      if (identity === undefined || !isRunning(identity)) rmSync(join(run, FOLDER, name), { force: true });
      else this.#awaited.set(identity.pid, identity);
    }
  }

  get awaited(): number {
    return this.#awaited.size;
  }

  /** One has told. */
  told(pid: number): void {
    this.#awaited.delete(pid);
  }

  /** Resolves when all have told, or have ended; true unless one has done neither in time. */
  async settled(clock: Clock, signal: AbortSignal): Promise<boolean> {
    const until = clock.monotonicMs() + COMES_MS;
    while (this.#awaited.size > 0 && clock.monotonicMs() < until) {
      await clock.sleep(LOOK_MS, signal);
      for (const [pid, identity] of this.#awaited) {
        if (isRunning(identity)) continue;
        this.told(pid);
        rmSync(fileOf(this.#run, pid), { force: true });
      }
    }
    return this.#awaited.size === 0;
  }
}

function fileOf(run: string, pid: number): string {
  return join(run, FOLDER, String(pid));
}

function names(run: string): string[] {
  try {
    return readdirSync(join(run, FOLDER));
  } catch {
    return [];
  }
}

function identityIn(file: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime, bootId, uid } = JSON.parse(readFileSync(file, "utf8")) as Partial<ProcessIdentity>;
    return typeof pid === "number" && typeof startTime === "string" ? { pid, startTime, bootId: bootId ?? "", uid: uid ?? 0 } : undefined;
  } catch {
    return undefined;
  }
}

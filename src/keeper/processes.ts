// The pods' processes: started in sessions of their own, so that they outlive a keeper, and adopted by the next one.
import { spawn, type ChildProcess } from "node:child_process";
import type { Clock, Logger } from "#core";
import type { ProcessExit, ProcessIdentity, ProcessSpec, ProcessState } from "#protocol";
import { identify, isRunning } from "./identity.ts";
import { limitOutput } from "./output-file.ts";
import { noteTimes } from "./output-times.ts";
import { openStdio } from "./stdio.ts";
import { findByOutput, type ProcessRecord, type ProcessRecords } from "./process-records.ts";

export type ProcessSignal = "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT";

/** A request that cannot be met; the message is for the platform's log. */
export class ProcessError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ProcessError";
  }
}

/** The platform asks for one process a container; this is far above what one machine runs. */
const PROCESSES_MAX = 10_000;
/** How often adopted processes and sizes of output files are looked at, while there are any processes. */
const LOOK_EVERY_MS = 500;

interface Entry {
  readonly record: ProcessRecord & { readonly identity: ProcessIdentity };
  /** Undefined for an adopted process: it is not our child. */
  readonly child: ChildProcess | undefined;
  readonly exit: ProcessExit | null | undefined;
  /** Aborts with its end. */
  readonly over: AbortController;
}

export interface ProcessesOptions {
  readonly records: ProcessRecords;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onExit: (id: string, exit: ProcessExit | null) => void;
}

export class Processes {
  readonly #entries = new Map<string, Entry>();
  readonly #options: ProcessesOptions;
  #wakeWatch: () => void = () => {};

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** Takes over what an earlier keeper started. Processes that ended meanwhile are listed with exit `null`. */
  adopt(): void {
    for (const record of this.#options.records.readAll()) {
      const identity = record.identity ?? findByOutput(record.outputFile);
      if (identity === undefined) {
        this.#options.records.remove(record.id);
        continue;
      }
      const found = { ...record, identity };
      const exit = record.exit !== undefined ? record.exit : isRunning(identity) ? undefined : null;
      const over = new AbortController();
      this.#entries.set(record.id, { record: found, child: undefined, exit, over });
      if (exit === undefined) this.#noteTimes(found, over.signal);
      if (record.identity === undefined) this.#options.records.write(found);
    }
    this.#options.logger.info("processes adopted", { count: this.#entries.size });
  }

  /** Throws ProcessError when the id is in use or the program cannot be started. */
  start(spec: ProcessSpec): Promise<ProcessIdentity> {
    if (this.#entries.has(spec.id)) throw new ProcessError(`process ${spec.id} exists`);
    if (this.#entries.size >= PROCESSES_MAX) throw new ProcessError(`there are ${PROCESSES_MAX} processes already`);
    const { records } = this.#options;
    const { id, outputFile, outputBytesMax, timesFile } = spec;
    const record: ProcessRecord = { id, outputFile, outputBytesMax, ...(timesFile === undefined ? {} : { timesFile }) };
    records.write(record);
    let child: ChildProcess;
    try {
      child = spawnDetached(spec);
    } catch (error) {
      records.remove(spec.id);
      throw new ProcessError(`cannot start ${spec.argv[0]}: ${(error as Error).message}`, error);
    }
    if (child.pid === undefined) {
      records.remove(spec.id);
      return new Promise((_, reject) => child.once("error", (error) => reject(new ProcessError(`cannot start ${spec.argv[0]}: ${error.message}`, error))));
    }
    // A program that ended at once is a zombie until its exit is reported, so only a kernel without /proc can miss it.
    const identity = identify(child.pid) ?? { bootId: "", pid: child.pid, startTime: "", uid: spec.user?.uid ?? process.getuid?.() ?? 0 };
    const over = new AbortController();
    this.#entries.set(spec.id, { record: { ...record, identity }, child, exit: undefined, over });
    this.#noteTimes(record, over.signal);
    records.write({ ...record, identity });
    this.#wakeWatch();
    child.once("exit", (code, signal) => this.#ended(spec.id, { code, signal, atWallMs: this.#options.clock.wallMs() }));
    return Promise.resolve(identity);
  }

  /** To the whole process group; nothing happens when it has ended. Throws ProcessError for an unknown id. */
  signal(id: string, signal: ProcessSignal): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new ProcessError(`no process ${id}`);
    if (entry.exit !== undefined) return;
    const { identity } = entry.record;
    if (entry.child === undefined && !isRunning(identity)) return this.#ended(id, null);
    killGroup(identity.pid, signal);
  }

  /** Throws ProcessError while it runs. */
  forget(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (entry.exit === undefined) throw new ProcessError(`process ${id} runs`);
    this.#entries.delete(id);
    this.#options.records.remove(id);
  }

  list(): ProcessState[] {
    return [...this.#entries.values()].map(({ record, exit }) => ({
      id: record.id,
      identity: record.identity,
      running: exit === undefined,
      ...(exit === undefined ? {} : { exit }),
    }));
  }

  /** Ends all within `graceMs`: SIGTERM, then SIGKILL. */
  async endAll(graceMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const until = clock.monotonicMs() + graceMs;
    for (const id of this.#runningIds()) this.signal(id, "SIGTERM");
    while (this.#runningIds().length > 0 && clock.monotonicMs() < until) {
      await clock.sleep(20, signal);
      this.#lookAtAdopted();
    }
    for (const id of this.#runningIds()) this.signal(id, "SIGKILL");
    while (this.#runningIds().length > 0) {
      await clock.sleep(10, signal);
      this.#lookAtAdopted();
    }
  }

  /** Watches adopted processes and sizes of output files until the signal aborts; sets no timer while nothing runs. */
  async watch(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#wakeWatch(), { once: true });
    while (!signal.aborted) {
      if (this.#runningIds().length === 0) await new Promise<void>((resolve) => (this.#wakeWatch = resolve));
      await this.#options.clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
      this.#lookAtAdopted();
      for (const { record, exit } of this.#entries.values()) {
        if (exit === undefined) await limitOutput(record.outputFile, record.outputBytesMax, this.#options.logger);
      }
    }
  }

  #noteTimes({ outputFile, timesFile }: ProcessRecord, signal: AbortSignal): void {
    if (timesFile !== undefined) void noteTimes({ outputFile, timesFile }, this.#options, signal);
  }

  #runningIds(): string[] {
    return [...this.#entries].filter(([, entry]) => entry.exit === undefined).map(([id]) => id);
  }

  #lookAtAdopted(): void {
    for (const [id, entry] of this.#entries) {
      if (entry.child === undefined && entry.exit === undefined && !isRunning(entry.record.identity)) this.#ended(id, null);
    }
  }

  #ended(id: string, exit: ProcessExit | null): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.exit !== undefined) return;
    // Whatever the leader left behind in its group belongs to the container and ends with it.
    killGroup(entry.record.identity.pid, "SIGKILL");
    this.#entries.set(id, { ...entry, exit });
    entry.over.abort();
    try {
      this.#options.records.write({ ...entry.record, exit });
    } catch (error) {
      // A full disk may not end the keeper: a later one finds the process ended, with exit unknown.
      this.#options.logger.warn("exit cannot be recorded", { process: id, err: error });
    }
    this.#options.onExit(id, exit);
  }
}

function spawnDetached(spec: ProcessSpec): ChildProcess {
  const { through = [], user } = spec;
  const [program, ...args] = [...through, ...spec.argv];
  if (program === undefined) throw new Error("there is no program");
  const stdio = openStdio(spec);
  try {
    return spawn(program, args, {
      cwd: spec.cwd,
      env: { ...spec.env },
      detached: true,
      stdio: [stdio.input ?? "ignore", stdio.output, stdio.error ?? stdio.output],
      ...(user === undefined || through.length > 0 ? {} : { uid: user.uid, gid: user.gid }),
    });
  } finally {
    stdio.close();
  }
}

function killGroup(leader: number, signal: ProcessSignal): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    // ESRCH: the group is gone, which is what was wanted; EPERM: what is left belongs to another user.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

// What a keeper writes down about its processes, so that the next one finds them again.
import { mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessExit, ProcessIdentity } from "#protocol";
import { identify } from "./identity.ts";

export interface ProcessRecord {
  readonly id: string;
  readonly outputFile: string;
  readonly outputBytesMax: number;
  readonly timesFile?: string;
  /** Absent in an intent: the keeper was about to start it. */
  readonly identity?: ProcessIdentity;
  readonly exit?: ProcessExit | null;
}

/**
 * One file a process: an intent before the spawn, the identity after it. No fsync: after a power cut the processes are
 * gone, too. A keeper that is killed between the two finds the process by its output file.
 */
export class ProcessRecords {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  write(record: ProcessRecord): void {
    const file = this.#file(record.id);
    writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  remove(id: string): void {
    rmSync(this.#file(id), { force: true });
  }

  /** All records; what cannot be read was never finished and counts for nothing. */
  readAll(): ProcessRecord[] {
    return readdirSync(this.#dir)
      .filter((name) => name.endsWith(".json"))
      .flatMap((name) => readRecord(join(this.#dir, name)));
  }

  #file(id: string): string {
    return join(this.#dir, `${encodeURIComponent(id)}.json`);
  }
}

function readRecord(file: string): ProcessRecord[] {
  try {
    const record = JSON.parse(readFileSync(file, "utf8")) as ProcessRecord;
    return typeof record.id === "string" ? [record] : [];
  } catch {
    return [];
  }
}

/** The leader of a process group whose standard output is `outputFile`: what became of an intent. */
export function findByOutput(outputFile: string): ProcessIdentity | undefined {
  for (const name of entriesOfProc()) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || linkOf(`/proc/${name}/fd/1`) !== outputFile || groupOf(name) !== pid) continue;
    return identify(pid);
  }
  return undefined;
}

function entriesOfProc(): string[] {
  try {
    return readdirSync("/proc");
  } catch {
    return [];
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function groupOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
  } catch {
    return undefined;
  }
}

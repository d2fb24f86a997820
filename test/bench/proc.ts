// What the kernel says of processes: memory, CPU time, children.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** USER_HZ of every Linux that Node runs on. */
const TICKS_PER_S = 100;

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Bytes of memory, shared pages divided among those who share them. */
export function pssBytes(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
}

/** Milliseconds of CPU time, in user and kernel, of all threads. */
export function cpuMs(pid: number): number {
  const text = read(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 1000) / TICKS_PER_S;
}

export function childrenOf(pid: number): number[] {
  const tasks = names(`/proc/${pid}/task`);
  return tasks.flatMap((task) => read(`/proc/${pid}/task/${task}/children`).trim().split(" ").filter(Boolean).map(Number));
}

/** The process and all that descends from it. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

const names = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

export interface Program {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
}

/** How a running process was started. */
export function programOf(pid: number): Program {
  const list = (file: string): string[] => read(`/proc/${pid}/${file}`).split("\0").filter(Boolean);
  const ids = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
  const env = Object.fromEntries(list("environ").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  return { argv: list("cmdline"), env, cwd: readlinkSync(`/proc/${pid}/cwd`), uid: ids("Uid"), gid: ids("Gid") };
}

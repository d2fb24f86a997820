// What process trees use, read from /proc when somebody asks.
import { readdir, readFile } from "node:fs/promises";

export interface TreeUsage {
  /** CPU time of the tree, of ended processes that somebody waited for, too. */
  readonly cpuNanos: number;
  /** Each process's share of its memory: pages that several hold are counted once. */
  readonly memoryBytes: number;
}

/** One line of /proc/PID/stat, as far as it is of use here. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly cpuNanos: number;
}

/** /proc counts in hundredths of a second on all of Linux' architectures that Node runs on. */
const NANOS_A_TICK = 10_000_000;
/** Places behind the name of the program, which may hold anything. */
const FIELD = { parent: 1, session: 3, userTime: 11, systemTime: 12, childrenUserTime: 13, childrenSystemTime: 14 } as const;
/** Processes looked at side by side. */
const AT_ONCE = 64;

/** Undefined for what is no line of a process. */
export function processRow(stat: string): ProcessRow | undefined {
  const pid = Number.parseInt(stat, 10);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const numberAt = (place: number): number => Number(fields[place]);
  const ticks = numberAt(FIELD.userTime) + numberAt(FIELD.systemTime) + numberAt(FIELD.childrenUserTime) + numberAt(FIELD.childrenSystemTime);
  const row = { pid, parent: numberAt(FIELD.parent), session: numberAt(FIELD.session), cpuNanos: ticks * NANOS_A_TICK };
  return Object.values(row).every(Number.isFinite) ? row : undefined;
}

/** A container's processes: those below its first one, and those of its session that have lost their parent. */
export function treeOf(rows: readonly ProcessRow[], root: number): readonly ProcessRow[] {
  const byParent = Map.groupBy(rows, ({ parent }) => parent);
  const found = new Map(rows.filter(({ pid, session }) => pid === root || session === root).map((row) => [row.pid, row]));
  // The map grows while it is walked: children of children follow.
  for (const { pid } of found.values()) for (const child of byParent.get(pid) ?? []) found.set(child.pid, child);
  return [...found.values()];
}

/** The share of the memory from `smaps_rollup`; undefined where it does not tell. */
export function shareOf(rollup: string): number | undefined {
  const share = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  return share === undefined ? undefined : Number(share) * 1024;
}

/** Tells for each first process what its tree uses; what does not run (any more) is left out. Undefined where there is no /proc. */
export type ReadTrees = (roots: readonly number[]) => Promise<ReadonlyMap<number, TreeUsage> | undefined>;

/** Who asks while the processes are being listed gets the same list. */
export function processUsage(folder = "/proc"): ReadTrees {
  let listing: Promise<readonly ProcessRow[]> | undefined;
  const rows = (): Promise<readonly ProcessRow[]> => {
    listing ??= listProcesses(folder).finally(() => (listing = undefined));
    return listing;
  };
  return async (roots) => {
    const all = await rows();
    if (all.length === 0) return undefined;
    const trees = roots.filter((root) => all.some(({ pid }) => pid === root)).map(async (root) => [root, await sumOf(folder, treeOf(all, root))] as const);
    return new Map(await Promise.all(trees));
  };
}

async function sumOf(folder: string, tree: readonly ProcessRow[]): Promise<TreeUsage> {
  let memoryBytes = 0;
  for (const { pid } of tree) memoryBytes += await memoryOf(`${folder}/${pid}`);
  return { cpuNanos: tree.reduce((sum, { cpuNanos }) => sum + cpuNanos, 0), memoryBytes };
}

/** Without leave to read the share: what it holds of memory of its own and of others. */
async function memoryOf(folder: string): Promise<number> {
  const share = shareOf(await text(`${folder}/smaps_rollup`));
  if (share !== undefined) return share;
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(await text(`${folder}/status`))?.[1];
  return Number(resident ?? 0) * 1024;
}

async function listProcesses(folder: string): Promise<readonly ProcessRow[]> {
  const pids = (await readdir(folder).catch(() => [])).filter((name) => /^\d+$/.test(name));
  const rows: ProcessRow[] = [];
  for (let at = 0; at < pids.length; at += AT_ONCE) {
    const lines = await Promise.all(pids.slice(at, at + AT_ONCE).map((pid) => text(`${folder}/${pid}/stat`)));
    for (const line of lines) {
      const row = processRow(line);
      if (row !== undefined) rows.push(row);
    }
  }
  return rows;
}

/** Processes end while we look: what is gone is empty. */
const text = (file: string): Promise<string> => readFile(file, "utf8").catch(() => "");

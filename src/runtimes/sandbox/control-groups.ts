// Control groups of containers, version 1 or 2, as far as the machine lets us make any.
//
//   <hierarchy>/<our own group>/eider-<mark>/<pod uid>/<container>
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface GroupLimits {
  readonly memoryBytesMax?: number;
  /** Processors, 0.5 for half of one. */
  readonly cpuMax?: number;
  /** What the container, and its pod, weigh when processors are short: 1024 for each one that was requested. */
  readonly cpuShares?: number;
  readonly podCpuShares?: number;
  readonly processesMax?: number;
}

/** Groups of one container as it sees them itself. */
export interface GroupView {
  /** Undefined for the one of all controllers. */
  readonly controller: string | undefined;
  readonly folder: string;
}

/** One of each that we use: `memory` of version 1 is a hierarchy of its own, in version 2 there is one for all. */
interface Hierarchies {
  readonly version: 1 | 2;
  readonly freezer?: string;
  readonly memory?: string;
  readonly cpu?: string;
  readonly cpuacct?: string;
  readonly pids?: string;
}

const ROOT = "/sys/fs/cgroup";
export const CONTROLLERS_V1 = ["freezer", "memory", "cpu", "cpuacct", "pids"] as const;
const CPU_PERIOD_US = 100_000;

export class ControlGroups {
  readonly #found: Hierarchies;

  constructor(mark: string) {
    this.#found = findHierarchies(`eider-${mark}`);
  }

  get canFreeze(): boolean {
    return this.#found.freezer !== undefined;
  }

  /** What limits are not kept. */
  get missing(): readonly ("memory" | "cpu")[] {
    return (["memory", "cpu"] as const).filter((name) => this.#found[name] === undefined);
  }

  /** In words, for `eider status`. */
  get text(): string {
    const { version, ...found } = this.#found;
    const names = Object.keys(found);
    return names.length === 0 ? "no control groups" : `control groups v${version} (${names.sort().join(", ")})`;
  }

  /** Makes the container's groups; answers the files that a process writes itself to. */
  make(podUid: string, container: string, limits: GroupLimits): string[] {
    const folders = this.#folders(podUid, container);
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    const { version } = this.#found;
    const set = (controller: "memory" | "cpu" | "pids", file: string, value: string, at = container): void => {
      const base = this.#found[controller];
      if (base !== undefined) writeFileSync(join(base, podUid, at, file), value);
    };
    const weigh = (shares: number | undefined, at: string): void => {
      if (shares !== undefined) set("cpu", version === 1 ? "cpu.shares" : "cpu.weight", String(version === 1 ? shares : weightOf(shares)), at);
    };
    weigh(limits.podCpuShares, ".");
    weigh(limits.cpuShares, container);
    if (limits.memoryBytesMax !== undefined) set("memory", version === 1 ? "memory.limit_in_bytes" : "memory.max", String(limits.memoryBytesMax));
    if (limits.cpuMax !== undefined) {
      const quota = String(Math.max(1_000, Math.round(limits.cpuMax * CPU_PERIOD_US)));
      if (version === 2) set("cpu", "cpu.max", `${quota} ${CPU_PERIOD_US}`);
      else set("cpu", "cpu.cfs_quota_us", quota);
    }
    if (limits.processesMax !== undefined) set("pids", "pids.max", String(limits.processesMax));
    return folders.map((folder) => join(folder, "cgroup.procs"));
  }

  /** Empty where there are none. */
  views(podUid: string, container: string): GroupView[] {
    const { version, ...found } = this.#found;
    if (version === 2) return this.#folders(podUid, container).map((folder) => ({ controller: undefined, folder }));
    return Object.entries(found).map(([controller, base]) => ({ controller, folder: join(base, podUid, container) }));
  }

  /** How often the kernel ended a process of the container for want of memory. */
  oomKills(podUid: string, container: string): number {
    const { version, memory } = this.#found;
    if (memory === undefined) return 0;
    const text = read(join(memory, podUid, container, version === 1 ? "memory.oom_control" : "memory.events"));
    return Number(/^oom_kill (\d+)/m.exec(text)?.[1] ?? 0);
  }

  /** Undefined where nobody counts. */
  usage(podUid: string, container: string): { readonly cpuNanos: number; readonly memoryBytes: number } | undefined {
    const { version, memory, cpu, cpuacct } = this.#found;
    if (memory === undefined) return undefined;
    const at = join(memory, podUid, container);
    const used = Number(read(join(at, version === 1 ? "memory.usage_in_bytes" : "memory.current")));
    const inactive = Number((version === 1 ? /^total_inactive_file (\d+)/m : /^inactive_file (\d+)/m).exec(read(join(at, "memory.stat")))?.[1] ?? 0);
    const accounting = version === 1 ? cpuacct : cpu;
    if (accounting === undefined || !existsSync(at)) return undefined;
    const own = join(accounting, podUid, container);
    const cpuNanos =
      version === 1 ? Number(read(join(own, "cpuacct.usage"))) : 1_000 * Number(/^usage_usec (\d+)/m.exec(read(join(own, "cpu.stat")))?.[1] ?? 0);
    return { cpuNanos, memoryBytes: Math.max(0, used - inactive) };
  }

  /** False where there is no freezer, or nothing to freeze. */
  freeze(podUid: string, frozen: boolean): boolean {
    const { version, freezer } = this.#found;
    if (freezer === undefined || !existsSync(join(freezer, podUid))) return false;
    if (version === 1) writeFileSync(join(freezer, podUid, "freezer.state"), frozen ? "FROZEN" : "THAWED");
    else writeFileSync(join(freezer, podUid, "cgroup.freeze"), frozen ? "1" : "0");
    return true;
  }

  /** False while the kernel still has processes in it. */
  remove(podUid: string): boolean {
    let gone = true;
    for (const base of this.#bases()) gone = removeTree(join(base, podUid)) && gone;
    return gone;
  }

  podUids(): ReadonlySet<string> {
    return new Set(this.#bases().flatMap(foldersOf));
  }

  purge(): void {
    for (const base of this.#bases()) removeTree(base);
  }

  /** Processes in the pod's groups. */
  pids(podUid: string): number[] {
    const base = this.#found.freezer ?? this.#found.memory;
    if (base === undefined) return [];
    const folder = join(base, podUid);
    return [folder, ...foldersOf(folder).map((name) => join(folder, name))].flatMap((each) =>
      read(join(each, "cgroup.procs")).split("\n").filter(Boolean).map(Number),
    );
  }

  #bases(): string[] {
    const { version: _version, ...found } = this.#found;
    return [...new Set(Object.values(found))];
  }

  #folders(podUid: string, container: string): string[] {
    return this.#bases().map((base) => join(base, podUid, container));
  }
}

/** Shares are 2 to 262144, weights 1 to 10000. */
function weightOf(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9_999) / 262_142);
}

function findHierarchies(name: string): Hierarchies {
  const own = new Map(
    read("/proc/self/cgroup")
      .split("\n")
      .flatMap((line): [string, string][] => {
        const [, controllers = "", path = "/"] = line.split(":");
        return controllers.split(",").map((each) => [each, path]);
      }),
  );
  if (existsSync(join(ROOT, "cgroup.controllers"))) return unified(join(ROOT, own.get("") ?? "/", name));
  const found = CONTROLLERS_V1.flatMap((controller): [string, string][] => {
    const folder = [join(ROOT, controller, own.get(controller) ?? "/", name)].find(canMake);
    return folder === undefined ? [] : [[controller, folder]];
  });
  return { version: 1, ...Object.fromEntries(found) };
}

/** A group with processes of its own passes no controllers on; then there is the freezer alone, which needs none. */
function unified(folder: string): Hierarchies {
  if (!canMake(folder)) return { version: 2 };
  const parent = join(folder, "..");
  const wanted = ["memory", "cpu", "pids"].filter((name) => read(join(parent, "cgroup.controllers")).split(/\s+/).includes(name));
  for (const at of [parent, folder])
    for (const name of wanted) {
      try {
        writeFileSync(join(at, "cgroup.subtree_control"), `+${name}`);
      } catch {
        // It is told by what the folder has then.
      }
    }
  const given = new Set(read(join(folder, "cgroup.subtree_control")).trim().split(/\s+/));
  return { version: 2, freezer: folder, ...Object.fromEntries(wanted.filter((name) => given.has(name)).map((name) => [name, folder])) };
}

function canMake(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    return true;
  } catch {
    return false;
  }
}

function foldersOf(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** A group's files go with its folder; only folders have to be taken away, the deepest first. */
function removeTree(folder: string): boolean {
  for (const name of foldersOf(folder)) removeTree(join(folder, name));
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

// What a platform has on the machine: lists to compare before and after. Only what is a data folder's own, since others use the machine, too.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statfsSync } from "node:fs";
import { join } from "node:path";

export interface MachineLists {
  /** Command lines of its containers and of what started them. */
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  /** Network namespaces of processes and files. */
  readonly networks: readonly string[];
  readonly devices: readonly string[];
  /** Tables of nftables. */
  readonly tables: readonly string[];
  readonly groups: readonly string[];
  /** Files and folders of pods and layers, with their sizes. */
  readonly files: readonly string[];
  /** Blocks of the data folder's disk that no file accounts for: what was deleted and is still held. Only where the disk is its own. */
  readonly heldBlocks: number;
  /** Containers, volumes and storage of a daemon, where there is one. */
  readonly things?: readonly string[];
}

const LISTS = ["processes", "mounts", "networks", "devices", "tables", "groups", "files", "things"] as const;

/** One line for each thing that is in one list and not in the other. */
export function differences(before: MachineLists, after: MachineLists): string[] {
  const held = before.heldBlocks === after.heldBlocks ? [] : [`disk: ${after.heldBlocks - before.heldBlocks} blocks more are held by nothing that has a name`];
  return [
    ...LISTS.flatMap((list) => [
      ...missing(after[list] ?? [], before[list] ?? []).map((each) => `${list}: left ${each}`),
      ...missing(before[list] ?? [], after[list] ?? []).map((each) => `${list}: lost ${each}`),
    ]),
    ...held,
  ];
}

/** What `a` has more often than `b`. */
export function missing(a: readonly string[], b: readonly string[]): string[] {
  const rest = [...b];
  return a.filter((each) => {
    const at = rest.indexOf(each);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

/** As src/runtimes/sandbox names things. */
export function markOf(data: string): string {
  return createHash("sha256").update(data).digest("hex").slice(0, 6);
}

export function machineLists(data: string): MachineLists {
  const mark = markOf(data);
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const ours = pids.filter((pid) => read(`/proc/${pid}/cgroup`).includes(`eider-${mark}`) || isOfPods(pid, data));
  const mounts = read("/proc/self/mountinfo")
    .split("\n")
    .filter((line) => line.split(" ")[4]?.startsWith(data) === true);
  const host = link("/proc/self/ns/net");
  return {
    processes: ours.map((pid) => read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").slice(0, 120)).toSorted(),
    mounts: mounts.map((line) => spareless(line.split(" ")[4] ?? "")).toSorted(),
    networks: [...new Set([...ours.map((pid) => link(`/proc/${pid}/ns/net`)), ...mounts.map((line) => line.split(" ")[3] ?? "")])]
      .filter((name) => name.startsWith("net:") && name !== host)
      .map(() => "a network namespace"),
    devices: readdirSync("/sys/class/net")
      .filter((name) => name.startsWith(`ei${mark}`))
      .map((name) => (/^\d+$/.test(name.slice(`ei${mark}`.length)) ? POD_DEVICE : "a device of the platform's own")),
    tables: tablesOf(mark),
    groups: groupsOf("/sys/fs/cgroup", `eider-${mark}`).toSorted(),
    files: [...filesOf(join(data, "sandbox")), ...filesOf(join(data, "images", "layers")), ...filesOf(join(data, "pods")), ...filesOf(join(data, "fifos"))]
      .map((file) => `${spareless(file)} ${file.includes("/net/") ? "" : sizeOf(file)}`)
      .toSorted(),
    heldBlocks: heldBlocks(data),
  };
}

/** The machine's end of one pod's network, or of one that is made ahead. */
export const POD_DEVICE = "a pod's device";

function tablesOf(mark: string): string[] {
  const { stdout, status } = spawnSync("nft", ["list", "tables"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n").filter((line) => line.includes(`ei${mark}`)) : [];
}

const BLOCK_BYTES = 512;

/** A disk of its own is one that begins at the folder's parent. */
function heldBlocks(data: string): number {
  const disk = join(data, "..");
  if (lstatSync(disk).dev === lstatSync(join(disk, "..")).dev) return 0;
  const { blocks, bfree, bsize } = statfsSync(disk);
  const named = new Map(
    [disk, ...filesOf(disk)].flatMap((file) => {
      const stat = lstatSync(file, { throwIfNoEntry: false });
      return stat?.dev === lstatSync(disk).dev ? [[stat.ino, stat.blocks] as const] : [];
    }),
  );
  return ((blocks - bfree) * bsize) / BLOCK_BYTES - [...named.values()].reduce((sum, each) => sum + each, 0);
}

/** Descriptors of a process, by what they are: sockets and pipes have no names of their own. */
export function descriptorsOf(pid: number): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => link(`/proc/${pid}/fd/${fd}`).replace(/\d+/g, "n"))
    .filter((name) => name !== "")
    .toSorted();
}

/** Networks that are made ahead are numbered. */
function spareless(path: string): string {
  return path.replace(/spare-[\d-]+/, "spare");
}

function isOfPods(pid: string, data: string): boolean {
  const line = read(`/proc/${pid}/cmdline`);
  return line.includes(join(data, "sandbox")) && !line.includes("--eider-");
}

function groupsOf(folder: string, name: string): string[] {
  const found = folders(folder);
  if (folder.endsWith(`/${name}`)) return found.flatMap((each) => [join(folder, each), ...groupsBelow(join(folder, each))]);
  return found.flatMap((each) => groupsOf(join(folder, each), name));
}

function groupsBelow(folder: string): string[] {
  return folders(folder).flatMap((each) => [join(folder, each), ...groupsBelow(join(folder, each))]);
}

function folders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  // Links to /proc/self lead to the descriptors of whoever looks.
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((name) => !name.includes("/dev/fd/"));
}

/**
 * Octets. Not blocks: what is written to a disk that was just full lies in more pieces, of which ext4 keeps a list in blocks of the file;
 * that none is held by nothing is `heldBlocks`' part. Folders keep the size of their fullest day.
 */
function sizeOf(file: string): number {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  return stat === undefined || stat.isDirectory() ? 0 : stat.size;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}

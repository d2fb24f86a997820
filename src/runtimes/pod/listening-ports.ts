// Which TCP ports the processes of a group listen on: tells a program that ignores PORT from one that is slow.
import { readdir, readFile, readlink } from "node:fs/promises";

const LISTEN = "0A";

/** Sorted; empty where /proc does not tell. */
export async function listeningPorts(group: number): Promise<readonly number[]> {
  const inodes = new Set<string>();
  for (const pid of (await entries("/proc")).filter((name) => /^\d+$/.test(name))) {
    if ((await groupOf(pid)) !== group) continue;
    for (const fd of await entries(`/proc/${pid}/fd`)) {
      const socket = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ""));
      if (socket?.[1] !== undefined) inodes.add(socket[1]);
    }
  }
  const ports = new Set<number>();
  for (const file of [`/proc/${group}/net/tcp`, `/proc/${group}/net/tcp6`]) {
    for (const line of (await text(file)).split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === LISTEN && inodes.has(fields[9] ?? "")) ports.add(Number.parseInt(fields[1]?.split(":")[1] ?? "", 16));
    }
  }
  return [...ports].toSorted((a, b) => a - b);
}

async function groupOf(pid: string): Promise<number | undefined> {
  const stat = await text(`/proc/${pid}/stat`);
  return stat === "" ? undefined : Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
}

/** Processes come and go while we look: what is gone is empty. */
const text = (file: string): Promise<string> => readFile(file, "utf8").catch(() => "");
const entries = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

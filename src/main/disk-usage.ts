// Who uses how much of the disk: the parts of a data folder.
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Bytes on the disk. */
export interface DiskUsage {
  /** Blobs and names. */
  readonly images: number;
  /** Images' files, as pods use them. */
  readonly unpacked: number;
  readonly uploads: number;
  /** Objects. */
  readonly store: number;
  readonly logs: number;
  /** Pods' folders and their output. */
  readonly pods: number;
  /** Of PersistentVolumeClaims: nothing here deletes them but their claims. */
  readonly claims: number;
  readonly other: number;
}

const PARTS: Readonly<Record<string, keyof DiskUsage>> = {
  images: "images",
  "images/unpacked": "unpacked",
  "images/layers": "unpacked",
  "images/uploads": "uploads",
  "images/partial": "uploads",
  store: "store",
  log: "logs",
  pods: "pods",
  logs: "pods",
  volumes: "pods",
  processes: "pods",
  claims: "claims",
};

/** Files with several names that are remembered: some megabytes. */
const LINKED_MAX = 50_000;

/**
 * Walks the folder; what cannot be read, or goes meanwhile, is not counted. A file with several names counts once, where its first name is; beyond
 * those that are remembered each name counts for its part of the file.
 */
export async function diskUsage(root: string, { linkedMax = LINKED_MAX }: { readonly linkedMax?: number } = {}): Promise<DiskUsage> {
  const usage: Record<keyof DiskUsage, number> = { images: 0, unpacked: 0, uploads: 0, store: 0, logs: 0, pods: 0, claims: 0, other: 0 };
  const linked = new Set<number>();
  const folders: { readonly path: string; readonly part: keyof DiskUsage }[] = [{ path: "", part: "other" }];
  const { dev: device } = await lstat(root).catch(() => ({ dev: undefined }));
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const { path, part } = folder;
    for (const entry of await readdir(join(root, path), { withFileTypes: true }).catch(() => [])) {
      const below = path === "" ? entry.name : `${path}/${entry.name}`;
      const found = await lstat(join(root, below)).catch(() => undefined);
      // What is mounted there lies elsewhere.
      if (found === undefined || found.dev !== device) continue;
      const its = PARTS[below] ?? part;
      let names = 1;
      if (found.nlink > 1 && !found.isDirectory()) {
        if (linked.has(found.ino)) continue;
        if (linked.size < linkedMax) linked.add(found.ino);
        else names = found.nlink;
      }
      usage[its] += Math.floor((found.blocks * 512) / names);
      if (entry.isDirectory()) folders.push({ path: below, part: its });
    }
  }
  return usage;
}

export function totalOf(usage: DiskUsage): number {
  return Object.values(usage).reduce((sum: number, bytes: number) => sum + bytes, 0);
}

/** `images 12.3 MiB, logs 4.0 KiB`: the largest first, without what is empty. */
export function usageText(usage: DiskUsage | Readonly<Record<string, number>>): string {
  return Object.entries(usage)
    .filter(([, bytes]) => bytes > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([part, bytes]) => `${part} ${bytesText(bytes)}`)
    .join(", ");
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

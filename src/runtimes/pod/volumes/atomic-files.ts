// Files that change all at once: programs see the old ones or the new ones, never a mixture.
//
//   <folder>/..2026_01_01_00_00_00.000000001/<path>   what is in force
//   <folder>/..data                                   → that folder; it is replaced by a rename
//   <folder>/<first part of path>                     → ..data/<first part of path>
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { VolumeFiles } from "./volume-files.ts";

const DATA = "..data";
const DATA_NEW = "..data_tmp";

export interface AtomicOptions {
  /** Of the folder of these files. */
  readonly stamp: string;
  /** Who else may read them: the pod's `fsGroup`. */
  readonly group?: number | undefined;
}

/** Answers whether anything changed. Paths were checked when the pod was admitted: relative, without `..`. */
export function writeFiles(folder: string, files: VolumeFiles, { stamp, group }: AtomicOptions): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const before = currentOf(folder);
  if (before !== undefined && isSame(join(folder, before), files)) return false;
  const fresh = join(folder, `..${stamp}`);
  rmSync(fresh, { recursive: true, force: true });
  makeFolder(fresh, group);
  for (const [path, { bytes, mode }] of files) {
    const file = join(fresh, path);
    if (dirname(path) !== ".") makeFolder(dirname(file), group);
    writeFileSync(file, bytes);
    // After the write, and past the umask.
    chmodSync(file, group === undefined ? mode : mode | 0o440);
    give(file, group);
  }
  const next = join(folder, DATA_NEW);
  rmSync(next, { force: true });
  symlinkSync(`..${stamp}`, next);
  renameSync(next, join(folder, DATA));
  linkParts(folder, files);
  if (before !== undefined && before !== `..${stamp}`) rmSync(join(folder, before), { recursive: true, force: true });
  return true;
}

function makeFolder(folder: string, group: number | undefined): void {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  give(folder, group);
}

function give(path: string, group: number | undefined): void {
  if (group !== undefined && process.getuid?.() === 0) chownSync(path, 0, group);
}

function currentOf(folder: string): string | undefined {
  try {
    return readlinkSync(join(folder, DATA));
  } catch {
    return undefined;
  }
}

/** A link for each first part of a path, and none for parts that are gone. */
function linkParts(folder: string, files: VolumeFiles): void {
  const parts = new Set([...files.keys()].map((path) => path.split("/")[0] ?? path));
  for (const name of readdirSync(folder)) {
    if (!name.startsWith("..") && !parts.has(name)) rmSync(join(folder, name), { force: true });
  }
  for (const part of parts) if (!isLink(join(folder, part))) symlinkSync(join(DATA, part), join(folder, part));
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function isSame(folder: string, files: VolumeFiles): boolean {
  if (!existsSync(folder)) return false;
  const there = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(folder, name)).isFile());
  return (
    there.length === files.size &&
    there.every((name) => files.get(name) !== undefined && readFileSync(join(folder, name)).equals(files.get(name)?.bytes ?? new Uint8Array()))
  );
}

// Files and folders of the machine in a pod, checked as the kubelet does.
import { lstatSync, mkdirSync, statSync, writeFileSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { VolumeError } from "./volume-files.ts";

const WORDS: Readonly<Record<string, { readonly name: string; readonly is: (stats: Stats) => boolean }>> = {
  Directory: { name: "a directory", is: (stats) => stats.isDirectory() },
  File: { name: "a file", is: (stats) => stats.isFile() },
  Socket: { name: "a socket file", is: (stats) => stats.isSocket() },
  CharDevice: { name: "a character device", is: (stats) => stats.isCharacterDevice() },
  BlockDevice: { name: "a block device", is: (stats) => stats.isBlockDevice() },
};

/** Makes what is to be made. Throws VolumeError when there is something else. */
export function hostPath({ path, type = "" }: { readonly path: string; readonly type?: string }): string {
  if (type === "DirectoryOrCreate" && !isThere(path)) mkdirSync(path, { recursive: true, mode: 0o755 });
  if (type === "FileOrCreate" && !isThere(path)) {
    if (!isThere(dirname(path))) throw new VolumeError(`hostPath type check failed: ${path} is not a file`);
    writeFileSync(path, "", { mode: 0o644 });
  }
  const wanted = WORDS[type.replace("OrCreate", "")];
  const stats = statSync(path, { throwIfNoEntry: false });
  if (wanted !== undefined && (stats === undefined || !wanted.is(stats))) throw new VolumeError(`hostPath type check failed: ${path} is not ${wanted.name}`);
  if (stats === undefined) throw new VolumeError(`hostPath ${path} does not exist`);
  return path;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

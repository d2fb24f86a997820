// A part of a volume, which programs may fill with links: none of them leads out of it.
import { chmodSync, chownSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { VolumeError } from "./volume-files.ts";

/** The real path of the part, made as a folder where it is not there and may be. Throws VolumeError. */
export function subPathIn(folder: string, part: string, { mayMake }: { readonly mayMake: boolean }): string {
  const root = realpathSync(folder);
  let at = root;
  for (const name of part.split("/").filter((each) => each !== "" && each !== ".")) {
    if (name === "..") throw new VolumeError(`subPath ${JSON.stringify(part)} must not contain '..'`);
    const next = join(at, name);
    at = existing(next) ?? made(next, mayMake ? root : undefined, part);
    if (at !== root && !at.startsWith(root + sep)) throw new VolumeError(`subPath ${JSON.stringify(part)} leads out of the volume`);
  }
  return at;
}

function existing(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Who may use the volume may use the part: it gets the mode and the group of `root`. */
function made(path: string, root: string | undefined, part: string): string {
  if (root === undefined) throw new VolumeError(`there is no ${JSON.stringify(part)} in the volume`);
  try {
    const { mode, gid } = statSync(root);
    mkdirSync(path);
    if (process.getuid?.() === 0) chownSync(path, -1, gid);
    chmodSync(path, mode & 0o7777);
  } catch (error) {
    // A link to nowhere: following it would make a folder somewhere else.
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw new VolumeError(`subPath ${JSON.stringify(part)} leads out of the volume`);
    throw error;
  }
  return realpathSync(path);
}

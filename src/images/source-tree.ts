// The files of a source folder as they go into a layer: sorted, with normal modes, nothing from outside.
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { ImageError } from "./image-error.ts";
import { parseIgnore, type Ignores } from "./ignore.ts";

/** One entry of a layer; `path` is relative with `/`. */
export type TreeEntry =
  | { readonly type: "directory"; readonly path: string; /** 0755 without one. */ readonly mode?: number }
  | { readonly type: "symlink"; readonly path: string; readonly target: string }
  | { readonly type: "file"; readonly path: string; readonly executable: boolean; readonly size: number; readonly source: string | Uint8Array };

const FILES_MAX = 200_000;
const BYTES_MAX = 2 ** 30;

/** `.eiderignore`, else `.dockerignore`, else nothing but what is always left out. */
export async function ignoresOf(dir: string): Promise<Ignores> {
  for (const name of [".eiderignore", ".dockerignore"]) {
    const text = await readFile(join(dir, name), "utf8").catch(() => undefined);
    if (text !== undefined) return parseIgnore(text);
  }
  return parseIgnore("");
}

/** All entries below `dir`, in order of their paths' bytes. Throws ImageError `TooLarge` or `BuildFailed`. */
export async function readTree(dir: string, ignores: Ignores): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  let bytes = 0;
  const walk = async (folder: string): Promise<void> => {
    for (const name of await readdir(join(dir, folder))) {
      const path = posix.join(folder, name);
      // A folder is still walked: a later `!` pattern may keep something in it.
      const stat = await lstat(join(dir, path));
      if (stat.isDirectory()) {
        if (!ignores(path)) entries.push({ type: "directory", path });
        if (path !== ".git") await walk(path);
        continue;
      }
      if (ignores(path)) continue;
      if (stat.isSymbolicLink()) entries.push({ type: "symlink", path, target: await linkInside(dir, path) });
      else if (stat.isFile()) entries.push({ type: "file", path, executable: (stat.mode & 0o111) !== 0, size: stat.size, source: join(dir, path) });
      bytes += stat.size;
      if (entries.length > FILES_MAX) throw new ImageError("TooLarge", `${dir} has more than ${FILES_MAX} files; name what is not needed in .eiderignore`);
      if (bytes > BYTES_MAX) throw new ImageError("TooLarge", `${dir} is larger than ${BYTES_MAX} bytes; name what is not needed in .eiderignore`);
    }
  };
  await walk(".");
  return sorted(entries.map((entry) => ({ ...entry, path: posix.normalize(entry.path) })));
}

/** In order of their paths' bytes, the same on every machine. */
export function sorted(entries: readonly TreeEntry[]): TreeEntry[] {
  return entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

async function linkInside(dir: string, path: string): Promise<string> {
  const target = await readlink(join(dir, path));
  const resolved = posix.normalize(posix.join(posix.dirname(path), target));
  if (posix.isAbsolute(target) || resolved === ".." || resolved.startsWith("../")) {
    throw new ImageError("BuildFailed", `${path} is a link to ${target}, outside of ${dir}: copy it into the folder or name it in .eiderignore`);
  }
  return target;
}

// Looking into a root that is not mounted yet: what a path means in layers that lie on top of one another.
import { lstatSync, readFileSync, readlinkSync, statSync, type Stats } from "node:fs";
import { join, posix } from "node:path";

/** Folders of the host, the topmost first. */
export type Layers = readonly string[];

export interface Found {
  /** Absolute inside, without links, as far as it is there; what is missing of it follows as it was asked for. */
  readonly path: string;
  /** Of the host; undefined when nothing is there. */
  readonly at: string | undefined;
  readonly stat: Stats | undefined;
}

const LINKS_MAX = 40;

/** Follows links inside the root, also the last one; whatever they say they do not lead out of it. Throws for a path with too many links or below a file. */
export function findIn(layers: Layers, path: string): Found {
  let done: string[] = [];
  let left = partsOf(path);
  let missing = false;
  for (let links = 0; left.length > 0;) {
    const [part = "", ...rest] = left;
    left = rest;
    if (part === "..") {
      done = done.slice(0, -1);
      continue;
    }
    const next = [...done, part];
    const entry = missing ? undefined : entryAt(layers, next);
    if (entry === undefined) missing = true;
    else if (entry.stat.isSymbolicLink()) {
      if (++links > LINKS_MAX) throw new Error(`too many levels of symbolic links: ${path}`);
      const target = readlinkSync(entry.at);
      if (posix.isAbsolute(target)) done = [];
      left = [...partsOf(target), ...left];
      continue;
    } else if (!entry.stat.isDirectory() && left.length > 0) throw new Error(`not a directory: /${next.join("/")}`);
    done = next;
  }
  const entry = missing ? undefined : entryAt(layers, done);
  return { path: `/${done.join("/")}`, at: entry?.at, stat: entry?.stat };
}

/** Undefined when it is not there, or too large to be what was meant. */
export function readIn(layers: Layers, path: string, bytesMax: number): string | undefined {
  const { at, stat } = findIn(layers, path);
  return at === undefined || stat?.isFile() !== true || stat.size > bytesMax ? undefined : readFileSync(at, "utf8");
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** The entry itself, links not followed. */
function entryAt(layers: Layers, parts: readonly string[]): { readonly at: string; readonly stat: Stats } | undefined {
  let visible = layers;
  let found: { readonly at: string; readonly stat: Stats } | undefined;
  for (let depth = 0; depth <= parts.length; depth++) {
    const name = parts.slice(0, depth).join("/");
    const folders: string[] = [];
    found = undefined;
    for (const layer of visible) {
      const at = join(layer, name);
      // The layer itself may be a link: a container's root in /proc.
      const stat = (depth === 0 ? statSync : lstatSync)(at, { throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (stat.isCharacterDevice() && stat.rdev === 0) break;
      if (stat.isDirectory()) folders.push(layer);
      if (found === undefined) found = { at, stat };
      if (!stat.isDirectory()) break;
    }
    if (found === undefined) return undefined;
    visible = folders;
  }
  return found;
}

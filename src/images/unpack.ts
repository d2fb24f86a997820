// Unpacking a layer without trusting it: nothing is written outside the folder, nothing grows without limit.
import { createWriteStream } from "node:fs";
import { chmod, lstat, mkdir, readlink, rm, symlink } from "node:fs/promises";
import { join, normalize, posix } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { ImageError } from "./image-error.ts";

export interface UnpackLimits {
  /** Sum of the files' sizes. */
  readonly bytesMax: number;
  readonly entriesMax: number;
}

export const UNPACK_LIMITS: UnpackLimits = { bytesMax: 4 * 2 ** 30, entriesMax: 500_000 };
const PATH_BYTES_MAX = 4096;

/** Unpacks a gzipped tar stream into `root`, which exists. Throws ImageError `Damaged` or `TooLarge`. */
export async function unpackLayer(layer: Readable, root: string, limits: UnpackLimits = UNPACK_LIMITS): Promise<void> {
  const entries = extract();
  const gunzip = createGunzip();
  let bytes = 0;
  let count = 0;
  const consumed = (async () => {
    for await (const entry of entries) {
      bytes += entry.header.size ?? 0;
      count += 1;
      if (bytes > limits.bytesMax) throw new ImageError("TooLarge", `the image unpacks to more than ${limits.bytesMax} bytes`);
      if (count > limits.entriesMax) throw new ImageError("TooLarge", `the image has more than ${limits.entriesMax} files`);
      await unpackEntry(entry.header, entry as unknown as Readable, root);
    }
  })();
  try {
    await Promise.all([
      pipeline(layer, gunzip, entries),
      consumed.catch((error: unknown) => {
        layer.destroy();
        throw error;
      }),
    ]);
  } catch (error) {
    // The consumer's own complaint says more than the broken pipe that follows from it.
    const first = await consumed.then(
      () => error,
      (reason: unknown) => reason,
    );
    throw first instanceof ImageError ? first : new ImageError("Damaged", "the image's layer cannot be read", first);
  }
}

async function unpackEntry(header: Header, body: Readable, root: string): Promise<void> {
  const name = safeName(header.name);
  const path = join(root, name);
  if (name === "." && header.type !== "directory") throw new ImageError("Damaged", `the image holds ${JSON.stringify(header.name)} in place of its own folder`);
  // A link that an earlier entry left would lead out of the folder: every parent must be a real folder.
  await realFolder(root, posix.dirname(name));
  switch (header.type) {
    case "directory":
      await realFolder(root, name);
      body.resume();
      return;
    case "symlink":
      await rm(path, { recursive: true, force: true });
      await symlink(safeTarget(name, header.linkname ?? ""), path);
      body.resume();
      return;
    case "file":
    case "contiguous-file":
      await rm(path, { recursive: true, force: true });
      await pipeline(body, createWriteStream(path, { flags: "wx", mode: 0o644 }));
      await chmod(path, ((header.mode ?? 0o644) & 0o111) === 0 ? 0o644 : 0o755);
      return;
    default:
      throw new ImageError("Damaged", `the image holds ${JSON.stringify(header.name)} of type ${header.type ?? "unknown"}, which a process image may not have`);
  }
}

/** A relative path without `..`; throws for anything that leads out of the folder. */
function safeName(name: string): string {
  const clean = posix.normalize(name.replace(/^\/+/, "")).replace(/\/+$/, "");
  if (name.includes("\0") || clean === ".." || clean.startsWith("../") || Buffer.byteLength(clean) > PATH_BYTES_MAX) {
    throw new ImageError("Damaged", `the image holds the path ${JSON.stringify(name)}, which leads out of its folder`);
  }
  return clean;
}

/** Links may point anywhere inside the image; absolute ones would mean the host's files. */
function safeTarget(name: string, target: string): string {
  const resolved = posix.normalize(posix.join(posix.dirname(name), target));
  if (target === "" || target.includes("\0") || posix.isAbsolute(target) || resolved === ".." || resolved.startsWith("../")) {
    throw new ImageError("Damaged", `the image's link ${JSON.stringify(name)} points to ${JSON.stringify(target)}, out of its folder`);
  }
  return target;
}

async function realFolder(root: string, name: string): Promise<void> {
  let path = root;
  for (const part of normalize(name)
    .split("/")
    .filter((each) => each !== "" && each !== ".")) {
    path = join(path, part);
    const stat = await lstat(path).catch(() => undefined);
    if (stat?.isDirectory() === true) continue;
    if (stat !== undefined) {
      const what = stat.isSymbolicLink() ? `a link to ${await readlink(path)}` : "a file";
      throw new ImageError("Damaged", `the image writes below ${JSON.stringify(name)}, of which a part is ${what}`);
    }
    await mkdir(path, { mode: 0o755 });
    await chmod(path, 0o755);
  }
}

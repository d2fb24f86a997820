// Unpacking one layer into a folder of its own, as overlayfs wants it: what it takes away from the layers below are whiteouts.
import { createWriteStream } from "node:fs";
import { chmod, lchown, link, lstat, lutimes, mkdir, readlink, rm, symlink } from "node:fs/promises";
import { join, posix } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { ImageError } from "./image-error.ts";
import type { UnpackLimits } from "./unpack.ts";

export interface LayerTarget {
  /** Exists and is empty. */
  readonly root: string;
  readonly limits: UnpackLimits;
  /** Owners as in the tar; otherwise everything is ours. */
  readonly owners: boolean;
  /** A whiteout (character device 0:0) on the same file system, which others are links to; made when it is first needed. */
  readonly whiteout: () => Promise<string>;
}

export interface UnpackedLayer {
  /** Folders that hide what the layers below have in them, relative. */
  readonly opaque: readonly string[];
  readonly bytes: number;
  readonly entries: number;
}

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
const PATH_BYTES_MAX = 4096;
const LINKS_MAX = 40;
const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** `taken` is what the layers below it unpacked to. Throws ImageError `Damaged` or `TooLarge`. */
export async function unpackApart(layer: Readable, target: LayerTarget, taken: { readonly bytes: number; readonly entries: number }): Promise<UnpackedLayer> {
  const unpacking = new LayerUnpacking(target);
  const entries = extract();
  let { bytes, entries: count } = taken;
  const consumed = (async () => {
    for await (const entry of entries) {
      bytes += entry.header.size ?? 0;
      count += 1;
      if (bytes > target.limits.bytesMax) throw new ImageError("TooLarge", `the image unpacks to more than ${target.limits.bytesMax} bytes`);
      if (count > target.limits.entriesMax) throw new ImageError("TooLarge", `the image has more than ${target.limits.entriesMax} files`);
      await unpacking.add(entry.header, entry as unknown as Readable);
    }
    await unpacking.finish();
  })();
  try {
    await Promise.all([
      decompressed(layer).then((stage) => (stage === undefined ? pipeline(layer, entries) : pipeline(layer, stage, entries))),
      consumed.catch((error: unknown) => {
        layer.destroy();
        throw error;
      }),
    ]);
  } catch (error) {
    entries.destroy();
    // The consumer's own complaint says more than the broken pipe that follows from it.
    const first = await consumed.then(
      () => error,
      (reason: unknown) => reason,
    );
    const { code } = first as NodeJS.ErrnoException;
    if (first instanceof ImageError || code === "ENOSPC" || code === "EDQUOT") throw first;
    throw new ImageError("Damaged", `the image's layer cannot be read: ${(first as Error).message}`, first);
  }
  return { opaque: [...unpacking.opaque].toSorted(), bytes: bytes - taken.bytes, entries: count - taken.entries };
}

/** Whatever its media type says: gzip, zstd or a plain tar, by its first octets. */
async function decompressed(layer: Readable): Promise<Gunzip | ZstdDecompress | undefined> {
  const first = await new Promise<Buffer>((resolve, reject) => {
    layer.once("error", reject);
    layer.once("end", () => resolve(Buffer.alloc(0)));
    layer.once("readable", () => {
      const chunk = layer.read() as Buffer | null;
      layer.off("error", reject);
      if (chunk !== null) layer.unshift(chunk);
      resolve(chunk ?? Buffer.alloc(0));
    });
  });
  if (first.subarray(0, GZIP.length).equals(GZIP)) return createGunzip();
  return first.subarray(0, ZSTD.length).equals(ZSTD) ? createZstdDecompress() : undefined;
}

class LayerUnpacking {
  readonly opaque = new Set<string>();
  readonly #target: LayerTarget;
  /** Set when all is there: what is written into a folder changes its time. */
  readonly #folderTimes = new Map<string, Date>();

  constructor(target: LayerTarget) {
    this.#target = target;
  }

  async add(header: Header, body: Readable): Promise<void> {
    const { root } = this.#target;
    const given = safeName(header.name);
    const folder = await this.#folderOf(posix.dirname(given));
    const base = posix.basename(given);
    if (base.startsWith(WHITEOUT)) {
      body.resume();
      return base === OPAQUE ? void this.opaque.add(folder) : this.#whiteOut(posix.join(folder, base.slice(WHITEOUT.length)));
    }
    const name = posix.join(folder, base);
    const path = join(root, name);
    switch (header.type) {
      case "directory":
        await this.#folder(name, header);
        body.resume();
        return;
      case "symlink":
        await this.#makeWay(name);
        await symlink(linkTarget(name, header.linkname), path);
        body.resume();
        return this.#own(path, header, true);
      case "link":
        await this.#makeWay(name);
        await this.#link(name, header.linkname ?? "");
        body.resume();
        return;
      case "file":
      case "contiguous-file":
        await this.#makeWay(name);
        await pipeline(body, createWriteStream(path, { flags: "wx", mode: 0o600 }));
        return this.#own(path, header, false);
      default:
        // Devices and FIFOs: containers get their devices from us, and nodes of an image are of no use in a file system without devices.
        body.resume();
    }
  }

  async finish(): Promise<void> {
    for (const [path, time] of [...this.#folderTimes].toReversed()) await lutimes(path, time, time).catch(() => undefined);
  }

  async #folder(name: string, header: Header): Promise<void> {
    const path = join(this.#target.root, name);
    const stat = await lstat(path).catch(() => undefined);
    if (stat?.isDirectory() !== true) {
      if (stat?.isCharacterDevice() === true) this.opaque.add(name);
      await rm(path, { recursive: true, force: true });
      await mkdir(path);
    }
    await this.#own(path, header, false);
    if (header.mtime !== undefined) this.#folderTimes.set(path, header.mtime);
  }

  /** What an earlier entry put there goes. */
  async #makeWay(name: string): Promise<void> {
    if (name === ".") throw new ImageError("Damaged", "the image holds something else in place of its own folder");
    await rm(join(this.#target.root, name), { recursive: true, force: true });
  }

  async #whiteOut(name: string): Promise<void> {
    const path = join(this.#target.root, name);
    const stat = await lstat(path).catch(() => undefined);
    // The layer has it anew: only what is below is taken away.
    if (stat?.isDirectory() === true) return void this.opaque.add(name);
    if (stat === undefined) await link(await this.#target.whiteout(), path);
  }

  async #link(name: string, target: string): Promise<void> {
    const { root } = this.#target;
    const clean = safeName(target);
    const source = join(root, await this.#folderOf(posix.dirname(clean)), posix.basename(clean));
    const stat = await lstat(source).catch(() => undefined);
    if (stat === undefined || stat.isDirectory() || stat.isCharacterDevice())
      throw new ImageError("Damaged", `the image's hard link ${JSON.stringify(name)} leads to ${JSON.stringify(target)}, which its layer does not hold`);
    await link(source, join(root, name));
  }

  async #own(path: string, { uid, gid, mode, mtime }: Header, isLink: boolean): Promise<void> {
    // The owner first: a change of it takes away the set-uid bit.
    if (this.#target.owners) await lchown(path, uid, gid);
    if (!isLink) await chmod(path, (mode ?? 0o644) & 0o7777);
    if (mtime !== undefined) await lutimes(path, mtime, mtime);
  }

  /** The real folder that `name` stands for, made as far as it is not there; links on the way are followed inside of the layer. */
  async #folderOf(name: string): Promise<string> {
    let done = ".";
    let left = name.split("/").filter((part) => part !== "" && part !== ".");
    for (let links = 0; left.length > 0;) {
      const [part = "", ...rest] = left;
      left = rest;
      if (part === "..") {
        done = posix.dirname(done);
        continue;
      }
      const next = posix.join(done, part);
      const path = join(this.#target.root, next);
      const stat = await lstat(path).catch(() => undefined);
      if (stat?.isSymbolicLink() === true) {
        if (++links > LINKS_MAX) throw new ImageError("Damaged", `the image's path ${JSON.stringify(name)} has too many links`);
        const target = await readlink(path);
        if (posix.isAbsolute(target)) done = ".";
        left = [...target.split("/").filter((each) => each !== "" && each !== "."), ...left];
        continue;
      }
      if (stat !== undefined && !stat.isDirectory() && !stat.isCharacterDevice())
        throw new ImageError("Damaged", `the image writes below ${JSON.stringify(next)}, which is a file`);
      if (stat?.isCharacterDevice() === true) {
        await rm(path);
        this.opaque.add(next);
      }
      if (stat?.isDirectory() !== true) {
        await mkdir(path);
        await chmod(path, 0o755);
      }
      done = next;
    }
    return done;
  }
}

/** A relative path without `..`; throws for anything that leads out of the folder. */
function safeName(name: string): string {
  const clean = posix.normalize(name.replace(/^\/+/, "")).replace(/\/+$/, "") || ".";
  if (name.includes("\0") || clean === ".." || clean.startsWith("../") || Buffer.byteLength(clean) > PATH_BYTES_MAX)
    throw new ImageError("Damaged", `the image holds the path ${JSON.stringify(name)}, which leads out of its folder`);
  return clean;
}

/** Anything but nothing: links are followed inside of the container only. */
function linkTarget(name: string, target: string | null | undefined): string {
  if (target === undefined || target === null || target === "" || target.includes("\0"))
    throw new ImageError("Damaged", `the image's link ${JSON.stringify(name)} has no target`);
  return target;
}

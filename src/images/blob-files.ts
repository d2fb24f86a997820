// Blobs as files named by their digest: they appear whole, with the right content, or not at all.
//
//   blobs/<algorithm>/<hex>
//   partial/<algorithm>-<hex>        what came of a blob whose fetch was cut off, to be gone on with
//   partial/….<random>.tmp           the same, while somebody writes it
import type { Hash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { chmod, mkdir, open, readFile, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { appendStream } from "./append.ts";
import { ALGORITHMS, digestOf, fileNameOf, hasherOf, parseDigest, type Algorithm } from "./digest.ts";
import { syncFolder, takeOldFile, temporaryName, touchFile, writeWhole } from "./files.ts";
import { absent, ImageError, spaceError } from "./image-error.ts";

export interface BlobWanted {
  readonly digest: string;
  /** Bytes; more or fewer are refused. */
  readonly size?: number;
}

export interface StoredBlob {
  readonly digest: string;
  readonly size: number;
}

/** Either all bytes, or what gives them from a position on: then a fetch that was cut off before goes on where it ended. */
export type BlobSource = Readable | ((offset: number) => Promise<Readable>);

const SIXTEEN_KB = 1 << 14;

export class BlobFiles {
  readonly #dir: string;
  readonly #wallMs: () => number;
  readonly #mayGrow: (bytes: number) => void;

  /** `mayGrow` is asked before each piece is written, and throws when the store may not grow. */
  constructor(dir: string, options: { readonly wallMs: () => number; readonly mayGrow: (bytes: number) => void }) {
    this.#dir = dir;
    this.#wallMs = options.wallMs;
    this.#mayGrow = options.mayGrow;
  }

  async prepare(): Promise<void> {
    for (const folder of [...ALGORITHMS.map((algorithm) => join("blobs", algorithm)), "partial"])
      await mkdir(join(this.#dir, folder), { recursive: true, mode: 0o755 });
  }

  /** Throws ImageError `Damaged` for what is no digest. */
  path(digest: string): string {
    const parsed = parseDigest(digest);
    if (parsed === undefined) throw new ImageError("Damaged", `${JSON.stringify(digest)} is not a digest`);
    return join(this.#dir, "blobs", parsed.algorithm, parsed.hex);
  }

  /** Does not leave this turn of the loop. */
  has(digest: string): boolean {
    return existsSync(this.path(digest));
  }

  /** Undefined when it is not there. */
  async size(digest: string): Promise<number | undefined> {
    return (await stat(this.path(digest)).catch(absent))?.size;
  }

  /** Marks the blob as used just now, so that no collection takes it soon; false when it is not there. */
  async touch(digest: string): Promise<boolean> {
    return touchFile(this.path(digest), this.#wallMs());
  }

  /** Removes the blob unless somebody has touched it after `beforeMs`; answers whether it is gone by that. */
  async takeOld(digest: string, beforeMs: number): Promise<boolean> {
    return takeOldFile(this.path(digest), beforeMs);
  }

  /** A small blob, checked. Throws ImageError `NotFound` or `Damaged`. */
  async read(digest: string, bytesMax: number): Promise<Buffer> {
    const bytes = await readFile(this.path(digest)).catch(absent);
    if (bytes === undefined) throw new ImageError("NotFound", `there is no blob ${digest} in the store`);
    if (bytes.length > bytesMax || digestOf(bytes, algorithmOf(digest)) !== digest) throw new ImageError("Damaged", `the blob ${digest} is damaged`);
    return bytes;
  }

  /** Stores a small blob; answers its digest. */
  async put(bytes: Uint8Array, algorithm: Algorithm = "sha256"): Promise<string> {
    const digest = digestOf(bytes, algorithm);
    if (await this.touch(digest)) return digest;
    this.#mayGrow(bytes.length);
    await writeWhole(this.path(digest), bytes).catch((error: unknown) => {
      throw spaceError(error, `the blob ${digest}`);
    });
    return digest;
  }

  /** Stores what the stream gives, whatever it is. */
  async putStream(stream: Readable): Promise<StoredBlob> {
    const file = temporaryName(join(this.#dir, "partial", "unknown"));
    const hash = hasherOf("sha256");
    try {
      const handle = await open(file, "wx", 0o644);
      try {
        const { bytes, error } = await appendStream(handle, stream, { hash, what: "an image's layer", mayGrow: this.#mayGrow });
        if (error !== undefined) throw error;
        const digest = `sha256:${hash.digest("hex")}`;
        await this.#complete(handle, file, digest);
        return { digest, size: bytes };
      } finally {
        await handle.close();
      }
    } finally {
      await rm(file, { force: true });
    }
  }

  /**
   * Stores a blob whose digest is known; at once when it is there. Throws ImageError `WrongContent`, `NoSpace`, or what the source
   * threw: then what came is kept, and the next call with a function as source goes on from there, also in another process.
   */
  async putBlobStream({ digest, size }: BlobWanted, source: BlobSource): Promise<StoredBlob> {
    const there = (await this.touch(digest)) ? await this.size(digest) : undefined;
    if (there !== undefined) {
      if (typeof source !== "function") source.resume();
      return { digest, size: there };
    }
    const kept = join(this.#dir, "partial", fileNameOf(digest));
    const file = temporaryName(kept);
    // Whoever renames it has it for himself.
    const resumes = typeof source === "function" && (await rename(kept, file).then(() => true, absent)) === true;
    const handle = await open(file, resumes ? "r+" : "wx+", 0o644);
    let keep = false;
    try {
      const hash = hasherOf(algorithmOf(digest));
      const offset = await hashFile(handle, hash);
      const stream = typeof source === "function" ? await source(offset) : source;
      keep = true;
      const limit = size === undefined ? {} : { bytesMax: size - offset };
      const { bytes, error } = await appendStream(handle, stream, { hash, what: `the blob ${digest}`, mayGrow: this.#mayGrow, ...limit });
      if (error !== undefined) throw error;
      keep = false;
      if (size !== undefined && offset + bytes !== size)
        throw new ImageError("WrongContent", `the blob ${digest} has ${offset + bytes} bytes instead of ${size}`);
      const actual = `${algorithmOf(digest)}:${hash.digest("hex")}`;
      if (actual !== digest) throw new ImageError("WrongContent", `what came as ${digest} has the digest ${actual}`);
      await this.#complete(handle, file, digest);
      return { digest, size: offset + bytes };
    } catch (error) {
      // What is wrong is of no use, and on a full disk somebody else needs the room.
      keep &&= !(error instanceof ImageError);
      throw error;
    } finally {
      await handle.close();
      if (keep) await rename(file, kept).catch(absent);
      await rm(file, { force: true });
    }
  }

  /** A file of this store's disk becomes the blob, once its content is known to have this digest; the file is gone then. */
  async adopt(file: string, digest: string): Promise<void> {
    const handle = await open(file, "r+");
    try {
      await this.#complete(handle, file, digest);
    } finally {
      await handle.close();
    }
  }

  async digestOfFile(file: string, algorithm: Algorithm): Promise<string> {
    const hash = hasherOf(algorithm);
    const handle = await open(file, "r");
    try {
      await hashFile(handle, hash);
    } finally {
      await handle.close();
    }
    return `${algorithm}:${hash.digest("hex")}`;
  }

  /** From `start` to `end`, both included. The caller has seen that it is there. */
  stream(digest: string, range: { readonly start?: number; readonly end?: number } = {}): Readable {
    return createReadStream(this.path(digest), { ...range, highWaterMark: SIXTEEN_KB * 16 });
  }

  async #complete(handle: FileHandle, file: string, digest: string): Promise<void> {
    const path = this.path(digest);
    await handle.sync().catch((error: unknown) => {
      throw spaceError(error, `the blob ${digest}`);
    });
    await chmod(file, 0o644);
    await rename(file, path);
    await syncFolder(join(path, ".."));
  }
}

function algorithmOf(digest: string): Algorithm {
  return parseDigest(digest)?.algorithm ?? "sha256";
}

/** Hashes what the file holds; answers how much that is. */
async function hashFile(handle: FileHandle, hash: Hash): Promise<number> {
  const buffer = Buffer.allocUnsafe(SIXTEEN_KB * 16);
  let position = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return position;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

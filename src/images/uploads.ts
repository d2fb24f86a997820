// Uploads under way: files that grow until their digest is told, found again after a restart, removed when nobody goes on with them.
//
//   uploads/<id>/repository      the full name
//   uploads/<id>/data            what has come so far
import { randomUUID, type Hash } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { appendStream } from "./append.ts";
import type { BlobFiles } from "./blob-files.ts";
import { hasherOf, parseDigest, type Algorithm } from "./digest.ts";
import { absent, ImageError, spaceError } from "./image-error.ts";

/** Begun and neither finished nor cancelled nor expired. */
const UPLOADS_MAX = 256;
/** Nobody went on with it for so long: it is removed. */
const UPLOAD_EXPIRES_MS = 24 * 3_600_000;
const ID = /^[0-9a-f-]{36}$/;

/** What a client gets that asks at the wrong moment. */
export type UploadRefusal = "unknown" | "busy" | "too many" | "out of order";

export interface Upload {
  readonly id: string;
  /** Bytes that have come so far. */
  readonly size: number;
}

export interface Piece {
  readonly stream: AsyncIterable<Uint8Array>;
  /** Position of its first byte, when the client says it. */
  readonly start?: number;
  /** Its bytes, when the client says how many. */
  readonly length?: number;
}

/** A running hash of the first `size` bytes; lost with the process, and made anew from the file then. */
interface Progress {
  readonly hash: Hash;
  readonly algorithm: Algorithm;
  size: number;
}

export class Uploads {
  readonly #dir: string;
  readonly #blobs: BlobFiles;
  readonly #mayGrow: (bytes: number) => void;
  readonly #progress = new Map<string, Progress>();
  /** Somebody writes to it just now. */
  readonly #busy = new Set<string>();

  constructor(dir: string, options: { readonly blobs: BlobFiles; readonly mayGrow: (bytes: number) => void }) {
    this.#dir = join(dir, "uploads");
    this.#blobs = options.blobs;
    this.#mayGrow = options.mayGrow;
  }

  async begin(repository: string, algorithm: Algorithm = "sha256"): Promise<Upload | UploadRefusal> {
    await mkdir(this.#dir, { recursive: true, mode: 0o755 });
    if ((await readdir(this.#dir)).length >= UPLOADS_MAX) return "too many";
    const id = randomUUID();
    const folder = join(this.#dir, id);
    try {
      await mkdir(folder, { mode: 0o755 });
      for (const [name, text] of [
        ["data", ""],
        ["repository", repository],
      ] as const) {
        await writeFile(join(folder, name), text, { flag: "wx", mode: 0o644 });
      }
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw spaceError(error, "an upload");
    }
    this.#progress.set(id, { hash: hasherOf(algorithm), algorithm, size: 0 });
    return { id, size: 0 };
  }

  /** Undefined when this repository has no such upload. */
  async find(repository: string, id: string): Promise<Upload | undefined> {
    if (!ID.test(id)) return undefined;
    const of = await readFile(join(this.#dir, id, "repository"), "utf8").catch(absent);
    const size = (await stat(join(this.#dir, id, "data")).catch(absent))?.size;
    return of === repository && size !== undefined ? { id, size } : undefined;
  }

  /**
   * Puts the piece at the end. What came before a connection broke stays, and so the client can go on from there; the break is thrown.
   * Throws ImageError `NoSpace`, and `WrongContent` for a piece of another length than was said; then the upload is as it was before.
   */
  async append(repository: string, id: string, piece: Piece): Promise<Upload | UploadRefusal> {
    return this.#alone(repository, id, (upload) => this.#append(upload, piece));
  }

  /**
   * The last piece, which may be empty, and the digest of the whole: it becomes a blob, and the upload is over. Throws ImageError
   * `WrongContent` when it is another: the upload is over then, too.
   */
  async finish(repository: string, id: string, { digest, ...piece }: Piece & { readonly digest: string }): Promise<{ readonly size: number } | UploadRefusal> {
    return this.#alone(repository, id, async (begun) => {
      const upload = await this.#append(begun, piece);
      if (typeof upload === "string") return upload;
      const actual = await this.#digest(id, parseDigest(digest)?.algorithm ?? "sha256");
      const file = join(this.#dir, id, "data");
      if (actual === digest) await this.#blobs.adopt(file, digest);
      await this.#remove(id);
      if (actual !== digest) throw new ImageError("WrongContent", `what was uploaded has the digest ${actual}, not ${digest}`);
      return { size: upload.size };
    });
  }

  async cancel(repository: string, id: string): Promise<"cancelled" | UploadRefusal> {
    return this.#alone(repository, id, async () => {
      await this.#remove(id);
      return "cancelled" as const;
    });
  }

  /** Removes what nobody has gone on with for long; answers how many are left. */
  async expire(nowMs: number): Promise<number> {
    const beforeMs = nowMs - UPLOAD_EXPIRES_MS;
    const ids = ((await readdir(this.#dir).catch(absent)) ?? []).filter((name) => ID.test(name));
    let left = 0;
    for (const id of ids) {
      const found = await stat(join(this.#dir, id, "data")).catch(absent);
      const changedMs = found?.mtimeMs ?? (await stat(join(this.#dir, id)).catch(absent))?.mtimeMs ?? 0;
      if (changedMs < beforeMs && !this.#busy.has(id)) await this.#remove(id);
      else left++;
    }
    return left;
  }

  async #alone<T>(repository: string, id: string, work: (upload: Upload) => Promise<T>): Promise<T | UploadRefusal> {
    if (this.#busy.has(id)) return "busy";
    this.#busy.add(id);
    try {
      const upload = await this.find(repository, id);
      return upload === undefined ? "unknown" : await work(upload);
    } finally {
      this.#busy.delete(id);
    }
  }

  async #append({ id, size }: Upload, { stream, start, length }: Piece): Promise<Upload | "out of order"> {
    if (start !== undefined && start !== size) return "out of order";
    const known = this.#progress.get(id);
    const progress = known?.size === size ? known : undefined;
    if (progress === undefined) this.#progress.delete(id);
    const file = join(this.#dir, id, "data");
    const handle = await open(file, "r+");
    try {
      const limit = length === undefined ? {} : { bytesMax: length };
      const { bytes, error } = await appendStream(handle, stream, { hash: progress?.hash, what: "the upload", mayGrow: this.#mayGrow, ...limit });
      if (progress !== undefined) progress.size += bytes;
      if (error !== undefined) throw error;
      if (length === undefined || bytes === length) return { id, size: size + bytes };
      throw new ImageError("WrongContent", `${length} bytes were announced and ${bytes} came`);
    } catch (error) {
      // Of what is refused nothing stays; of what was cut off, all.
      if (error instanceof ImageError) {
        await handle.truncate(size);
        this.#progress.delete(id);
      }
      throw error;
    } finally {
      await handle.close();
    }
  }

  async #digest(id: string, algorithm: Algorithm): Promise<string> {
    const file = join(this.#dir, id, "data");
    const progress = this.#progress.get(id);
    if (progress?.algorithm === algorithm && progress.size === (await stat(file)).size) return `${algorithm}:${progress.hash.digest("hex")}`;
    return this.#blobs.digestOfFile(file, algorithm);
  }

  async #remove(id: string): Promise<void> {
    this.#progress.delete(id);
    await rm(join(this.#dir, id), { recursive: true, force: true });
  }
}

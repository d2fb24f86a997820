// Collecting what nobody needs: which digests stay is decided first, then files go. It may run in any process, beside pushes and pulls.
//
// needed:  every tag and what it stands for · the digests that the caller names (Revisions, pods) · pulled names, unless space is short
//          · what refers to a needed manifest (signatures) · what was written or asked for within the grace
// A file that goes is first moved aside: who has touched it just then gets it back. So a push that was told "it is there" finds it there.
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { ALGORITHMS, digestOfFile, fileNameOf, isDigest } from "./digest.ts";
import { absent } from "./image-error.ts";
import type { ImageStore } from "./image-store.ts";
import { DOCUMENT_BYTES_MAX } from "./oci.ts";
import { parseManifest } from "./references.ts";

/** A push has this long from a blob to the manifest that refers to it. */
export const GRACE_MS = 3_600_000;
/** Manifests that were pushed by digest wait so long for somebody to need them. */
const UNTAGGED_MS = 24 * 3_600_000;
/** What is half written waits so long to be gone on with. */
const LEFTOVER_MS = 24 * 3_600_000;

export interface GarbageOptions {
  /** Digests of manifests that Revisions and pods name. */
  readonly needed: Iterable<string>;
  readonly nowMs: number;
  /** Default: an hour. */
  readonly graceMs?: number;
  /** Pulled images that nobody needs go, too: they can be pulled again. */
  readonly pulledToo?: boolean;
}

export interface Collected {
  readonly blobs: number;
  /** Of blobs; unpacked files come on top. */
  readonly bytes: number;
  /** How much is kept for the grace only. */
  readonly freshBytes: number;
  /** When the first of that may go, wall-clock milliseconds; undefined when nothing is kept only for that. */
  readonly nextMs: number | undefined;
}

export async function collectGarbage(store: ImageStore, options: GarbageOptions): Promise<Collected> {
  return new Collection(store, options).run();
}

class Collection {
  readonly #store: ImageStore;
  readonly #options: GarbageOptions;
  readonly #graceMs: number;
  readonly #needed = new Set<string>();
  #blobs = 0;
  #bytes = 0;
  #freshBytes = 0;
  #nextMs: number | undefined;

  constructor(store: ImageStore, options: GarbageOptions) {
    this.#store = store;
    this.#options = options;
    this.#graceMs = options.graceMs ?? GRACE_MS;
  }

  async run(): Promise<Collected> {
    const { nowMs, pulledToo } = this.#options;
    const needed = [...this.#options.needed].filter(isDigest);
    const tagged = (await this.#store.tags.list()).map(({ digest }) => digest);
    for (const digest of [...needed, ...tagged]) await this.#mark(digest);
    const pulled = await this.#store.pulled.list();
    for (const { name, digest } of pulled) {
      const used = pulledToo !== true || this.#needed.has(digest) || !(await this.#isOld(this.#store.blobs.path(digest), this.#graceMs));
      await (used ? this.#mark(digest) : this.#store.pulled.remove(name));
    }
    for (const repository of await this.#store.repositories.names()) await this.#sweepRepository(repository);
    await this.#sweepBlobs();
    await this.#sweepFolders();
    await this.#store.uploads.expire(nowMs);
    return { blobs: this.#blobs, bytes: this.#bytes, freshBytes: this.#freshBytes, nextMs: this.#nextMs };
  }

  async #mark(digest: string): Promise<void> {
    if (this.#needed.has(digest)) return;
    for (const each of await this.#store.blobsOf(digest)) this.#needed.add(each);
  }

  /** Fresh links need what they link to; needed manifests need their referrers; the rest is unlinked. */
  async #sweepRepository(repository: string): Promise<void> {
    const { repositories } = this.#store;
    const manifests = await repositories.links(repository, "manifests");
    for (const { digest, usedMs } of manifests) if (this.#isFresh(usedMs, Math.min(UNTAGGED_MS, 24 * this.#graceMs))) await this.#mark(digest);
    await this.#markReferrers(repository);
    for (const { digest, usedMs } of manifests) if (!this.#needed.has(digest)) await this.#forget(repository, digest, usedMs);
    for (const { digest, usedMs } of await repositories.links(repository, "blobs")) {
      if (this.#needed.has(digest)) continue;
      if (this.#isFresh(usedMs, this.#graceMs)) this.#needed.add(digest);
      else await repositories.unlinkOld(repository, "blobs", { digest, beforeMs: this.#before(this.#graceMs) });
    }
    await repositories.removeEmpty(repository);
  }

  async #markReferrers(repository: string): Promise<void> {
    const subjects = await this.#store.repositories.subjects(repository);
    for (let before = -1; before !== this.#needed.size;) {
      before = this.#needed.size;
      for (const subject of subjects.filter((each) => this.#needed.has(each)))
        for (const { digest } of await this.#store.repositories.referrers(repository, subject)) await this.#mark(digest);
    }
  }

  async #forget(repository: string, digest: string, beforeMs: number): Promise<void> {
    if (!(await this.#store.repositories.unlinkOld(repository, "manifests", { digest, beforeMs }))) return;
    const text = (await this.#store.blobs.read(digest, DOCUMENT_BYTES_MAX).catch(() => undefined))?.toString("utf8");
    const manifest = text === undefined ? undefined : parseManifest(text);
    if (manifest !== undefined && "subject" in manifest && manifest.subject !== undefined)
      await this.#store.repositories.removeReferrer(repository, manifest.subject.digest, digest);
  }

  async #sweepBlobs(): Promise<void> {
    for (const algorithm of ALGORITHMS) {
      const folder = join(this.#store.dir, "blobs", algorithm);
      for (const name of await readdir(folder)) {
        if (this.#needed.has(`${algorithm}:${name}`)) continue;
        if (!isDigest(`${algorithm}:${name}`)) {
          await this.#removeLeftover(join(folder, name));
          continue;
        }
        const path = join(folder, name);
        const found = await stat(path).catch(absent);
        if (found === undefined) continue;
        if (this.#isFresh(found.mtimeMs, this.#graceMs)) this.#freshBytes += found.size;
        else if (await this.#store.blobs.takeOld(`${algorithm}:${name}`, this.#before(this.#graceMs))) {
          this.#blobs++;
          this.#bytes += found.size;
        }
      }
    }
  }

  /** Unpacked images that are nobody's, and what processes left that were killed while they wrote. */
  async #sweepFolders(): Promise<void> {
    const { dir } = this.#store;
    for (const boot of await readdir(join(dir, "unpacked"))) {
      for (const name of await readdir(join(dir, "unpacked", boot))) {
        const path = join(dir, "unpacked", boot, name);
        const digest = digestOfFile(name);
        const gone = digest === undefined ? name.endsWith(".tmp") : !this.#needed.has(digest);
        if (!gone || !(await this.#isOld(path, this.#graceMs))) continue;
        // Moved first: half an image must not be found under its name.
        const aside = digest === undefined ? path : join(dir, "unpacked", boot, `${fileNameOf(digest)}.gone.tmp`);
        if (aside !== path) await rename(path, aside).catch(absent);
        await rm(aside, { recursive: true, force: true });
      }
    }
    for (const name of await readdir(join(dir, "partial"))) {
      const path = join(dir, "partial", name);
      await this.#removeLeftover(path);
    }
  }

  async #removeLeftover(path: string): Promise<void> {
    if (await this.#isOld(path, LEFTOVER_MS)) await rm(path, { force: true });
  }

  #before(graceMs: number): number {
    return this.#options.nowMs - graceMs;
  }

  /** Also notes when it will not be any more. */
  #isFresh(usedMs: number, graceMs: number): boolean {
    const untilMs = usedMs + graceMs;
    if (untilMs <= this.#options.nowMs) return false;
    this.#nextMs = Math.min(this.#nextMs ?? Infinity, untilMs);
    return true;
  }

  async #isOld(path: string, graceMs: number): Promise<boolean> {
    const found = await stat(path).catch(absent);
    return found !== undefined && found.mtimeMs + graceMs <= this.#options.nowMs;
  }
}

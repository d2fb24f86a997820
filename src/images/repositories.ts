// Which repository knows which content: a blob that was pushed to one is not seen in another. Links are files, made and removed whole.
//
//   repositories/<name, encoded>/blobs/<alg>-<hex>                   empty
//   repositories/<name, encoded>/manifests/<alg>-<hex>               the media type that it was pushed with
//   repositories/<name, encoded>/referrers/<alg>-<hex of the subject>/<alg>-<hex>   the referrer's descriptor
import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { digestOfFile, fileNameOf } from "./digest.ts";
import { removeIfEmpty, takeOldFile, touchFile, writeWhole } from "./files.ts";
import { absent, ImageError } from "./image-error.ts";
import type { Descriptor } from "./oci.ts";

export type LinkKind = "blobs" | "manifests";

/** Names of files end at 255 bytes; some are needed for what is written beside it. */
const FILE_NAME_MAX = 230;

export interface LinkUse {
  readonly digest: string;
  /** When it was made or last asked for, wall-clock milliseconds. */
  readonly usedMs: number;
}

export class Repositories {
  readonly #dir: string;
  readonly #wallMs: () => number;

  constructor(dir: string, wallMs: () => number) {
    this.#dir = join(dir, "repositories");
    this.#wallMs = wallMs;
  }

  /** Full names: `dev.local/hello`. */
  async names(): Promise<readonly string[]> {
    const folders = await readdir(this.#dir).catch(absent);
    return (folders ?? []).map((folder) => decodeURIComponent(folder)).toSorted();
  }

  async exists(repository: string): Promise<boolean> {
    return existsSync(this.#folder(repository));
  }

  /** Whether the repository's name can be a file's. */
  fits(repository: string): boolean {
    return encodeURIComponent(repository).length <= FILE_NAME_MAX;
  }

  hasLink(repository: string, kind: LinkKind, digest: string): boolean {
    return existsSync(this.#link(repository, kind, digest));
  }

  async link(repository: string, kind: LinkKind, { digest, mediaType = "" }: { readonly digest: string; readonly mediaType?: string }): Promise<void> {
    await writeWhole(this.#link(repository, kind, digest), mediaType);
  }

  /** False when there was none. */
  async unlink(repository: string, kind: LinkKind, digest: string): Promise<boolean> {
    return rm(this.#link(repository, kind, digest)).then(
      () => true,
      (error: unknown) => absent(error) ?? false,
    );
  }

  /** Undefined without a link; empty when the manifest says its type itself. */
  async mediaType(repository: string, digest: string): Promise<string | undefined> {
    return readFile(this.#link(repository, "manifests", digest), "utf8").catch(absent);
  }

  /** Somebody asked for it, and may count on it: it is not collected soon. False when the repository does not know it. */
  async touch(repository: string, kind: LinkKind, digest: string): Promise<boolean> {
    return touchFile(this.#link(repository, kind, digest), this.#wallMs());
  }

  /** Removes a link that nobody has touched after `beforeMs`. */
  async unlinkOld(repository: string, kind: LinkKind, { digest, beforeMs }: { readonly digest: string; readonly beforeMs: number }): Promise<boolean> {
    return takeOldFile(this.#link(repository, kind, digest), beforeMs);
  }

  async links(repository: string, kind: LinkKind): Promise<readonly LinkUse[]> {
    const folder = join(this.#folder(repository), kind);
    const files = (await readdir(folder).catch(absent)) ?? [];
    const uses = files.map(async (file) => {
      const digest = digestOfFile(file);
      const found = digest === undefined ? undefined : await stat(join(folder, file)).catch(absent);
      return digest === undefined || found === undefined ? [] : [{ digest, usedMs: found.mtimeMs }];
    });
    return (await Promise.all(uses)).flat();
  }

  async addReferrer(repository: string, subject: string, referrer: Descriptor): Promise<void> {
    await writeWhole(join(this.#referrers(repository, subject), fileNameOf(referrer.digest)), JSON.stringify(referrer));
  }

  async removeReferrer(repository: string, subject: string, digest: string): Promise<void> {
    await rm(join(this.#referrers(repository, subject), fileNameOf(digest)), { force: true });
  }

  /** In order of their digests. */
  async referrers(repository: string, subject: string): Promise<readonly Descriptor[]> {
    const folder = this.#referrers(repository, subject);
    const files = ((await readdir(folder).catch(absent)) ?? []).filter((file) => digestOfFile(file) !== undefined).toSorted();
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8").catch(absent)));
    return texts.flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as Descriptor]));
  }

  /** Manifests (there or not) that others refer to. */
  async subjects(repository: string): Promise<readonly string[]> {
    const folders = (await readdir(join(this.#folder(repository), "referrers")).catch(absent)) ?? [];
    return folders.flatMap((folder) => digestOfFile(folder) ?? []);
  }

  /** The folders of a repository in which nothing is left. */
  async removeEmpty(repository: string): Promise<void> {
    const folder = this.#folder(repository);
    for (const subject of await this.subjects(repository)) await removeIfEmpty(this.#referrers(repository, subject));
    for (const kind of ["blobs", "manifests", "referrers"]) await removeIfEmpty(join(folder, kind));
    await removeIfEmpty(folder);
  }

  #folder(repository: string): string {
    if (!this.fits(repository)) throw new ImageError("InvalidName", `the name ${repository} is too long`);
    return join(this.#dir, encodeURIComponent(repository));
  }

  #link(repository: string, kind: LinkKind, digest: string): string {
    return join(this.#folder(repository), kind, fileNameOf(digest));
  }

  #referrers(repository: string, subject: string): string {
    return join(this.#folder(repository), "referrers", fileNameOf(subject));
  }
}

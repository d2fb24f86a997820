// The image store on disk: blobs by digest, tags as files, unpacked images reused by pods.
//
//   format                       number of this layout
//   blobs/sha256/<hex>           manifests, configs, layers
//   tags/<full name, encoded>    the digest of a manifest
//   unpacked/<boot>/sha256-<hex>/  the files of an image, moved into place when complete; unpacked anew after each boot of the machine
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { syncFolder, temporaryName, writeWhole } from "./files.ts";
import { ImageError } from "./image-error.ts";
import { parseImageName } from "./image-name.ts";
import { BASE_LABEL, type ImageConfig, type ImageManifest } from "./oci.ts";
import { UNPACK_LIMITS, unpackLayer, type UnpackLimits } from "./unpack.ts";

export interface ImageEntry {
  /** `index.docker.io/library/hello:latest` */
  readonly name: string;
  /** `sha256:…` of the manifest. */
  readonly digest: string;
}

/** An image whose files lie on disk, readable by every user. */
export interface UnpackedImage {
  readonly digest: string;
  /** Folder that stands for `/`; the app is in `<root>/workspace`. */
  readonly root: string;
  readonly config: ImageConfig;
  /** Value of the label `dev.eider.base`; "none" without one. */
  readonly base: string;
}

const FORMAT = 1;
/** Manifests and configs are small; layers are read as streams. */
const DOCUMENT_BYTES_MAX = 4 << 20;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

const REMEMBERED_MAX = 1_000;

export interface StoreOptions {
  readonly limits?: UnpackLimits;
  /**
   * Of the machine's boot. Unpacked files are not synced one by one, so what a power cut left of them is not trusted:
   * those of other boots are removed.
   */
  readonly bootId?: string;
}

const UNKNOWN_BOOT = "boot";

/** Opens or creates the store in `dir`. Throws ImageError `NewerFormat`. */
export async function openImageStore(dir: string, options: StoreOptions = {}): Promise<ImageStore> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const file = join(dir, "format");
  const text = await readFile(file, "utf8").catch(absent);
  if (text === undefined) await writeWhole(file, `${FORMAT}\n`);
  else if (!(Number(text) <= FORMAT))
    throw new ImageError("NewerFormat", `the image store ${dir} has format ${text.trim()}; this Eider knows formats up to ${FORMAT}`);
  const boot = options.bootId ?? UNKNOWN_BOOT;
  for (const folder of ["blobs/sha256", "tags", `unpacked/${boot}`]) await mkdir(join(dir, folder), { recursive: true, mode: 0o755 });
  if (options.bootId !== undefined) await removeOthers(join(dir, "unpacked"), boot);
  return new ImageStore(dir, { limits: options.limits ?? UNPACK_LIMITS, boot });
}

async function removeOthers(folder: string, kept: string): Promise<void> {
  for (const name of await readdir(folder)) if (name !== kept) await rm(join(folder, name), { recursive: true, force: true });
}

/** Several processes may use one store: every file appears whole. */
export class ImageStore {
  readonly #dir: string;
  readonly #limits: UnpackLimits;
  readonly #boot: string;
  /** Unpacking under way, so that pods that start together do it once. */
  readonly #unpacking = new Map<string, Promise<UnpackedImage>>();
  /** What was unpacked before, so that a pod's start reads no documents. */
  readonly #unpacked = new Map<string, UnpackedImage>();

  constructor(dir: string, { limits, boot }: { readonly limits: UnpackLimits; readonly boot: string }) {
    this.#dir = dir;
    this.#limits = limits;
    this.#boot = boot;
  }

  /**
   * Digest of the manifest for a name, tag or digest reference; undefined when the store does not have it. Asks the disk
   * without leaving this turn of the loop: a pod that waits for its start does not queue up behind other work.
   */
  async resolve(name: string): Promise<string | undefined> {
    const parsed = parseImageName(name);
    if (parsed === undefined) return undefined;
    const digest = parsed.digest ?? this.#tagged(parsed.full);
    return digest !== undefined && DIGEST.test(digest) && this.#has(digest) ? digest : undefined;
  }

  manifest(digest: string): Promise<ImageManifest> {
    return this.#document(digest);
  }

  async config(digest: string): Promise<ImageConfig> {
    return this.#document((await this.manifest(digest)).config.digest);
  }

  /** Unpacks once; later calls and other pods get the same folder. Throws ImageError `NotFound`, `Damaged` or `TooLarge`. */
  materialize(digest: string): Promise<UnpackedImage> {
    const running = this.#unpacking.get(digest);
    if (running !== undefined) return running;
    const started = this.#materialize(digest).finally(() => this.#unpacking.delete(digest));
    this.#unpacking.set(digest, started);
    return started;
  }

  /** Sorted by name. */
  async list(): Promise<readonly ImageEntry[]> {
    const files = (await readdir(join(this.#dir, "tags"))).filter((name) => !name.endsWith(".tmp")).toSorted();
    const entries = files.map(async (file) => ({
      name: decodeURIComponent(file),
      digest: (await readFile(join(this.#dir, "tags", file), "utf8").catch(absent))?.trim() ?? "",
    }));
    return (await Promise.all(entries)).filter((entry) => DIGEST.test(entry.digest));
  }

  /** Removes the tag, and the blobs and files that no other tag needs. Throws ImageError `NotFound`. */
  async remove(name: string): Promise<void> {
    const parsed = parseImageName(name);
    const digest = await this.resolve(name);
    if (parsed?.tag === undefined || digest === undefined) throw new ImageError("NotFound", `there is no image ${name} in the store`);
    const gone = await this.#blobsOf(digest);
    await rm(this.#tagFile(parsed.full), { force: true });
    await syncFolder(join(this.#dir, "tags"));
    const needed = new Set((await Promise.all((await this.list()).map((entry) => this.#blobsOf(entry.digest)))).flat());
    if (!needed.has(digest)) await rm(this.#unpackedFolder(digest), { recursive: true, force: true });
    for (const blob of gone.filter((each) => !needed.has(each))) await rm(this.#blobFile(blob), { force: true });
  }

  /** Stores a blob; answers its digest. */
  async putBlob(bytes: Uint8Array): Promise<string> {
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (!this.#has(digest)) await writeWhole(this.#blobFile(digest), bytes);
    return digest;
  }

  /** Stores what the stream gives; answers digest and size in bytes. */
  async putStream(stream: Readable): Promise<{ readonly digest: string; readonly size: number }> {
    const partial = temporaryName(join(this.#dir, "blobs", "layer"));
    const hash = createHash("sha256");
    let size = 0;
    try {
      const handle = await open(partial, "wx", 0o644);
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          hash.update(chunk);
          size += chunk.length;
          await handle.writeFile(chunk);
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
      const digest = `sha256:${hash.digest("hex")}`;
      await rename(partial, this.#blobFile(digest));
      await syncFolder(join(this.#dir, "blobs", "sha256"));
      return { digest, size };
    } finally {
      await rm(partial, { force: true });
    }
  }

  /** Points the name at a manifest that is stored. Throws ImageError `InvalidName` or `NotFound`. */
  async tag(name: string, digest: string): Promise<void> {
    const parsed = parseImageName(name);
    if (parsed?.tag === undefined) throw new ImageError("InvalidName", `${JSON.stringify(name)} is not an image name with a tag`);
    if (!this.#has(digest)) throw new ImageError("NotFound", `there is no manifest ${digest} in the store`);
    await writeWhole(this.#tagFile(parsed.full), `${digest}\n`);
  }

  async #materialize(digest: string): Promise<UnpackedImage> {
    const root = this.#unpackedFolder(digest);
    const known = this.#unpacked.get(digest);
    if (known !== undefined && existsSync(root)) return known;
    const image = await this.#unpack(digest, root);
    if (this.#unpacked.size >= REMEMBERED_MAX) this.#unpacked.clear();
    this.#unpacked.set(digest, image);
    return image;
  }

  async #unpack(digest: string, root: string): Promise<UnpackedImage> {
    const config = await this.config(digest);
    const image = { digest, root, config, base: config.config.Labels?.[BASE_LABEL] ?? "none" };
    if (existsSync(root)) return image;
    const { layers } = await this.manifest(digest);
    const partial = temporaryName(root);
    await mkdir(partial, { mode: 0o755 });
    try {
      await chmod(partial, 0o755);
      for (const layer of layers) await unpackLayer(createReadStream(this.#blobFile(layer.digest)), partial, this.#limits);
      await rename(partial, root);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      // Another process was faster: its folder holds the same.
      if (!existsSync(root)) throw error;
    }
    return image;
  }

  async #blobsOf(digest: string): Promise<string[]> {
    const manifest = await this.manifest(digest).catch(() => undefined);
    return manifest === undefined ? [digest] : [digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)];
  }

  async #document<T>(digest: string): Promise<T> {
    const bytes = await readFile(this.#blobFile(digest)).catch(absent);
    if (bytes === undefined) throw new ImageError("NotFound", `there is no blob ${digest} in the store`);
    const actual = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    if (bytes.length > DOCUMENT_BYTES_MAX || actual !== digest) throw new ImageError("Damaged", `the blob ${digest} is damaged`);
    return JSON.parse(bytes.toString("utf8")) as T;
  }

  #has(digest: string): boolean {
    return existsSync(this.#blobFile(digest));
  }

  #tagged(full: string): string | undefined {
    try {
      return readFileSync(this.#tagFile(full), "utf8").trim();
    } catch (error) {
      return absent(error);
    }
  }

  #blobFile(digest: string): string {
    if (!DIGEST.test(digest)) throw new ImageError("Damaged", `${JSON.stringify(digest)} is not a digest`);
    return join(this.#dir, "blobs", "sha256", digest.slice("sha256:".length));
  }

  #tagFile(full: string): string {
    return join(this.#dir, "tags", encodeURIComponent(full));
  }

  #unpackedFolder(digest: string): string {
    return join(this.#dir, "unpacked", this.#boot, digest.replace(":", "-"));
  }
}

/** Absence as data; every other failure is thrown. */
function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

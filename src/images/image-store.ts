// The image store on disk: blobs by digest, tags as files, what each repository knows, unpacked images reused by pods.
//
//   format                       number of this layout
//   blobs/<algorithm>/<hex>      manifests, configs, layers (blob-files.ts; `partial` belongs to them)
//   tags/<full name, encoded>    the digest of a manifest (tags.ts)
//   pulled/<full name, encoded>  the digest that a registry gave for a name when it was last pulled
//   repositories/…               links to blobs and manifests, referrers (repositories.ts)
//   uploads/…                    what is being pushed (uploads.ts)
//   hosts                        where the registry of this store listens (own-registry.ts)
//   unpacked/<boot>/sha256-<hex>/  the files of an image, moved into place when complete; unpacked anew after each boot of the machine
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { BlobFiles, type BlobSource, type BlobWanted, type StoredBlob } from "./blob-files.ts";
import { temporaryName, writeWhole } from "./files.ts";
import { absent, ImageError } from "./image-error.ts";
import { isLocalName, parseImageName, type ImageName } from "./image-name.ts";
import { BASE_LABEL, DOCUMENT_BYTES_MAX, isIndex, type ImageConfig, type ImageIndex, type ImageManifest } from "./oci.ts";
import { OwnRegistry } from "./own-registry.ts";
import { choiceOf, platformOf, type Platform } from "./platform-choice.ts";
import { referencesOf } from "./references.ts";
import { Repositories } from "./repositories.ts";
import { Tags, type ImageEntry } from "./tags.ts";
import { Uploads } from "./uploads.ts";
import { UNPACK_LIMITS, unpackLayer, type UnpackLimits } from "./unpack.ts";

/** An image whose files lie on disk, readable by every user. */
export interface UnpackedImage {
  readonly digest: string;
  /** Folder that stands for `/`; the app is in `<root>/workspace`. */
  readonly root: string;
  readonly config: ImageConfig;
  /** Value of the label `dev.eider.base`; "none" without one. */
  readonly base: string;
}

/** 2: repositories know what is theirs. */
const FORMAT = 2;
const REMEMBERED_MAX = 1_000;
/** An index may hold indexes, but not for ever. */
const INDEX_DEPTH_MAX = 4;

export interface StoreOptions {
  readonly limits?: UnpackLimits;
  /**
   * Of the machine's boot. Unpacked files are not synced one by one, so what a power cut left of them is not trusted:
   * those of other boots are removed.
   */
  readonly bootId?: string;
  /** What indexes are looked through for. Default: this machine. */
  readonly platform?: Platform;
  readonly wallMs?: () => number;
  /** Asked before so many bytes are written; throws ImageError `NoSpace` when the store may not grow. */
  readonly mayGrow?: (bytes: number) => void;
}

type Opened = StoreOptions & { readonly boot: string };

const UNKNOWN_BOOT = "boot";

/** Opens or creates the store in `dir`, and brings one of an older format up to this one. Throws ImageError `NewerFormat`. */
export async function openImageStore(dir: string, options: StoreOptions = {}): Promise<ImageStore> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const file = join(dir, "format");
  const text = await readFile(file, "utf8").catch(absent);
  if (text !== undefined && !(Number(text) <= FORMAT))
    throw new ImageError("NewerFormat", `the image store ${dir} has format ${text.trim()}; this Eider knows formats up to ${FORMAT}`);
  const boot = options.bootId ?? UNKNOWN_BOOT;
  for (const folder of ["tags", "pulled", "repositories", `unpacked/${boot}`]) await mkdir(join(dir, folder), { recursive: true, mode: 0o755 });
  if (options.bootId !== undefined) await removeOthers(join(dir, "unpacked"), boot);
  const store = new ImageStore(dir, { ...options, boot });
  await store.blobs.prepare();
  // Format 1 had no links; they are added, nothing else is touched, so that no copy is needed and two processes may do it at once.
  if (Number(text ?? 1) < FORMAT) {
    for (const { name, digest } of await store.tags.list()) await store.linkImage(name.slice(0, name.lastIndexOf(":")), digest);
    await writeWhole(file, `${FORMAT}\n`);
  }
  return store;
}

async function removeOthers(folder: string, kept: string): Promise<void> {
  for (const name of await readdir(folder)) if (name !== kept) await rm(join(folder, name), { recursive: true, force: true });
}

/** Several processes may use one store: every file appears whole. */
export class ImageStore {
  readonly blobs: BlobFiles;
  readonly tags: Tags;
  readonly pulled: Tags;
  readonly repositories: Repositories;
  readonly uploads: Uploads;
  readonly own: OwnRegistry;
  readonly dir: string;
  readonly #limits: UnpackLimits;
  readonly #boot: string;
  readonly #platform: Platform;
  /** Unpacking under way, so that pods that start together do it once. */
  readonly #unpacking = new Map<string, Promise<UnpackedImage>>();
  /** What was unpacked before, so that a pod's start reads no documents. */
  readonly #unpacked = new Map<string, UnpackedImage>();

  constructor(
    dir: string,
    { limits = UNPACK_LIMITS, boot, platform = platformOf(process), wallMs = () => new Date().getTime(), mayGrow = () => undefined }: Opened,
  ) {
    this.dir = dir;
    this.#limits = limits;
    this.#boot = boot;
    this.#platform = platform;
    this.blobs = new BlobFiles(dir, { wallMs, mayGrow });
    this.uploads = new Uploads(dir, { blobs: this.blobs, mayGrow });
    this.tags = new Tags(dir);
    this.pulled = new Tags(dir, "pulled");
    this.repositories = new Repositories(dir, wallMs);
    this.own = new OwnRegistry(dir);
  }

  /**
   * Digest of the manifest (or of the index, when that is what the name stands for) for a name, tag or digest reference; undefined when
   * the store does not have it. Asks the disk without leaving this turn of the loop: a pod that waits for its start does not queue up
   * behind other work.
   */
  async resolve(name: string): Promise<string | undefined> {
    const parsed = parseImageName(name);
    if (parsed === undefined) return undefined;
    const digest = parsed.digest ?? this.tags.get(this.own.stored(parsed.full)) ?? this.pulled.get(parsed.full);
    return digest !== undefined && this.blobs.has(digest) ? digest : undefined;
  }

  /** Whether the name was built or pushed here, or can be nowhere else: then no registry is asked about it. */
  isOwn(name: ImageName): boolean {
    return isLocalName(name) || this.own.owns(name.registry) || this.tags.get(name.full) !== undefined;
  }

  /** The manifest; of an index, that of the image for this machine. Throws ImageError `NotFound` or `Damaged`. */
  async manifest(digest: string): Promise<ImageManifest> {
    let document: ImageManifest | ImageIndex = await this.#document(digest);
    for (let depth = 0; isIndex(document); depth++) {
      const choice = choiceOf(document, this.#platform);
      if (choice === undefined || depth >= INDEX_DEPTH_MAX)
        throw new ImageError("NotFound", `the index ${digest} has no image for ${this.#platform.os}/${this.#platform.architecture}`);
      document = await this.#document<ImageManifest | ImageIndex>(choice.digest);
    }
    return document;
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

  /** Sorted by name; our own registry's as people write them. */
  async list(): Promise<readonly ImageEntry[]> {
    return (await this.tags.list()).map(({ name, digest }) => ({ name: this.own.shown(name), digest }));
  }

  /**
   * The name stands for nothing any more; its repository forgets the image unless another of its tags stands for it. Files go when
   * garbage is collected. Throws ImageError `NotFound`.
   */
  async remove(name: string): Promise<void> {
    const parsed = parseImageName(name);
    const full = parsed === undefined ? "" : this.own.stored(parsed.full);
    const digest = parsed?.tag === undefined ? undefined : (this.tags.get(full) ?? this.pulled.get(full));
    if (digest === undefined) throw new ImageError("NotFound", `there is no image ${name} in the store`);
    await this.pulled.remove(full);
    if (this.tags.get(full) === undefined) return;
    await this.tags.remove(full);
    const repository = full.slice(0, full.lastIndexOf(":"));
    const others = (await this.tags.ofRepository(repository)).map((tag) => this.tags.get(`${repository}:${tag}`));
    if (!others.includes(digest)) await this.repositories.unlink(repository, "manifests", digest);
  }

  /** Bytes of all that belongs to the image and is there; parts that images share count for each. */
  async sizeOf(digest: string): Promise<number> {
    const sizes = await Promise.all((await this.blobsOf(digest)).map((each) => this.blobs.size(each)));
    return sizes.reduce((sum: number, size) => sum + (size ?? 0), 0);
  }

  /** Stores a small blob; answers its digest. */
  putBlob(bytes: Uint8Array): Promise<string> {
    return this.blobs.put(bytes);
  }

  /** Stores what the stream gives; answers digest and size in bytes. */
  putStream(stream: Readable): Promise<StoredBlob> {
    return this.blobs.putStream(stream);
  }

  /** Stores a blob whose digest is known; see BlobFiles. */
  putBlobStream(wanted: BlobWanted, source: BlobSource): Promise<StoredBlob> {
    return this.blobs.putBlobStream(wanted, source);
  }

  /** Points the name at a manifest that is stored, and makes it known to the name's repository. Throws ImageError `InvalidName` or `NotFound`. */
  async tag(name: string, digest: string): Promise<void> {
    const parsed = parseImageName(name);
    if (parsed?.tag === undefined) throw new ImageError("InvalidName", `${JSON.stringify(name)} is not an image name with a tag`);
    if (!(await this.blobs.touch(digest))) throw new ImageError("NotFound", `there is no manifest ${digest} in the store`);
    const full = this.own.stored(parsed.full);
    const colon = full.lastIndexOf(":");
    await this.linkImage(full.slice(0, colon), digest);
    await this.tags.set(full, digest);
  }

  /** The repository knows the manifest and all that it refers to, as far as it is there. */
  async linkImage(repository: string, digest: string): Promise<void> {
    await this.#walk(digest, async (each, kind) => this.repositories.link(repository, kind, { digest: each }));
  }

  /** Digests of the manifest and of all that it refers to and that is needed to run it; what is not there is left out. */
  async blobsOf(digest: string): Promise<string[]> {
    const found: string[] = [];
    await this.#walk(digest, async (each) => void found.push(each));
    return found;
  }

  async #walk(digest: string, visit: (digest: string, kind: "blobs" | "manifests") => Promise<void>, depth = 0): Promise<void> {
    if (!this.blobs.has(digest)) return;
    await visit(digest, "manifests");
    const manifest = await this.#document<ImageManifest | ImageIndex>(digest).catch(() => undefined);
    if (manifest === undefined) return;
    const { blobs, manifests } = referencesOf(manifest);
    for (const blob of blobs) if (this.blobs.has(blob.digest)) await visit(blob.digest, "blobs");
    if (depth < INDEX_DEPTH_MAX) for (const each of manifests) await this.#walk(each.digest, visit, depth + 1);
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
      for (const layer of layers) await unpackLayer(this.blobs.stream(layer.digest), partial, this.#limits);
      await rename(partial, root);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      // Another process was faster: its folder holds the same.
      if (!existsSync(root)) throw error;
    }
    return image;
  }

  async #document<T>(digest: string): Promise<T> {
    return JSON.parse((await this.blobs.read(digest, DOCUMENT_BYTES_MAX)).toString("utf8")) as T;
  }

  #unpackedFolder(digest: string): string {
    return join(this.dir, "unpacked", this.#boot, digest.replace(":", "-"));
  }
}

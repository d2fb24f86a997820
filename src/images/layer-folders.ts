// Layers of images as folders, one each, unpacked once and shared by all images and containers: what overlayfs puts on top of one another.
//
//   layers/<boot>/<24 hex>          a layer, named by its digest
//   layers/<boot>/<24 hex>.json     what is known of it; written last, so a layer without it was not finished
//   layers/<boot>/<24 hex>-mask     hides what opaque folders of a layer hide of those below it, named by all of them
//   layers/<boot>/<digest>.image    names of an image's layers and masks; an image without it was not finished
//   layers/<boot>/whiteout          what whiteouts are links to
// For its owner alone: files of layers may have any owner, and may be set-uid.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { temporaryName } from "./files.ts";
import { BASE_LABEL, type ImageConfig, type ImageManifest } from "./oci.ts";
import { UNPACK_LIMITS, type UnpackLimits } from "./unpack.ts";
import { unpackApart, type UnpackedLayer } from "./unpack-apart.ts";

const run = promisify(execFile);

/** What of an image store is needed. */
export interface LayerSource {
  manifest(digest: string): Promise<ImageManifest>;
  config(digest: string): Promise<ImageConfig>;
  readonly blobs: { stream(digest: string): Readable };
}

export interface LayeredImage {
  readonly digest: string;
  readonly config: ImageConfig;
  /** Value of the label `dev.eider.base`: it was built from a folder and expects a host's programs. */
  readonly base: string | undefined;
  /** Names of folders in `dir`, the topmost first. */
  readonly layers: readonly string[];
}

export interface LayerFoldersOptions {
  /** The image store's folder. */
  readonly dir: string;
  readonly source: LayerSource;
  /** Unpacked files are not synced, so those of another boot are not trusted. */
  readonly bootId: string;
  readonly owners: boolean;
  readonly limits?: UnpackLimits;
}

/** Enough against chance and collisions made on purpose, and short enough for a mount's options. */
const NAME_HEX = 24;
const IMAGE = ".image";

export class LayerFolders {
  readonly dir: string;
  readonly #options: LayerFoldersOptions;
  readonly #images = new Map<string, Promise<LayeredImage>>();
  /** One after the other: images that are unpacked at the same time share layers. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LayerFoldersOptions) {
    this.#options = options;
    this.dir = join(options.dir, "layers", options.bootId);
  }

  /** Removes what other boots left, and what was not finished. */
  async prepare(): Promise<void> {
    const layers = join(this.#options.dir, "layers");
    await mkdir(layers, { recursive: true, mode: 0o700 });
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(layers)) if (name !== this.#options.bootId) await rm(join(layers, name), { recursive: true, force: true });
    const names = await readdir(this.dir);
    const finished = new Set(names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length)));
    for (const name of names)
      if (name !== "whiteout" && !name.endsWith(".json") && !name.endsWith(IMAGE) && !finished.has(name))
        await rm(join(this.dir, name), { recursive: true, force: true });
  }

  /** Unpacks what is not there. Throws ImageError `NotFound`, `Damaged` or `TooLarge`. */
  layered(digest: string): Promise<LayeredImage> {
    const known = this.#images.get(digest);
    if (known !== undefined) return known;
    const made = this.#turn.catch(() => undefined).then(() => this.#layered(digest));
    this.#turn = made;
    this.#images.set(digest, made);
    made.catch(() => this.#images.delete(digest));
    return made;
  }

  /** Removes the layers that none of these images needs. */
  keepOnly(digests: ReadonlySet<string>): Promise<void> {
    const pruned = this.#turn.catch(() => undefined).then(() => this.#keepOnly(digests));
    this.#turn = pruned;
    return pruned;
  }

  /** Digests of the images that are unpacked, also by an earlier platform. */
  async unpacked(): Promise<readonly string[]> {
    return (await readdir(this.dir)).filter((name) => name.endsWith(IMAGE)).map((name) => name.slice(0, -IMAGE.length).replace("-", ":"));
  }

  async #keepOnly(digests: ReadonlySet<string>): Promise<void> {
    const needed = new Set<string>();
    for (const digest of await this.unpacked()) {
      if (digests.has(digest)) for (const name of JSON.parse(await readFile(this.#imageFile(digest), "utf8")) as string[]) needed.add(name);
      else {
        this.#images.delete(digest);
        await rm(this.#imageFile(digest), { force: true });
      }
    }
    for (const file of await readdir(this.dir)) {
      const name = file.replace(/\.json$/, "");
      if (name === "whiteout" || needed.has(name) || file.endsWith(IMAGE)) continue;
      // What is known of it first: without that the rest is nothing.
      await rm(join(this.dir, `${name}.json`), { force: true });
      await rm(join(this.dir, name), { recursive: true, force: true });
    }
    if (needed.size === 0) await rm(join(this.dir, "whiteout"), { force: true });
  }

  #imageFile(digest: string): string {
    return join(this.dir, `${digest.replace(":", "-")}${IMAGE}`);
  }

  async #layered(digest: string): Promise<LayeredImage> {
    const { source } = this.#options;
    const [manifest, config] = [await source.manifest(digest), await source.config(digest)];
    const layers: string[] = [];
    const taken = { bytes: 0, entries: 0 };
    for (const layer of manifest.layers) {
      const name = nameFor(layer.digest);
      const known = (await this.#known(name)) ?? (await this.#unpack(name, layer.digest, taken));
      taken.bytes += known.bytes;
      taken.entries += known.entries;
      if (known.opaque.length > 0 && layers.length > 0) layers.unshift(await this.#mask(name, known.opaque, layers));
      layers.unshift(name);
    }
    await writeFile(this.#imageFile(digest), JSON.stringify(layers));
    return { digest, config, base: config.config?.Labels?.[BASE_LABEL], layers };
  }

  async #known(name: string): Promise<UnpackedLayer | undefined> {
    const text = await readFile(join(this.dir, `${name}.json`), "utf8").catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as UnpackedLayer);
  }

  async #unpack(name: string, digest: string, taken: { readonly bytes: number; readonly entries: number }): Promise<UnpackedLayer> {
    const { source, owners, limits = UNPACK_LIMITS } = this.#options;
    const unpacked = await this.#appear(name, (root) =>
      unpackApart(source.blobs.stream(digest), { root, limits, owners, whiteout: () => this.#whiteout() }, taken),
    );
    return unpacked;
  }

  /** Between a layer and those below: a whiteout for each name that they have in its opaque folders. */
  async #mask(layer: string, opaque: readonly string[], below: readonly string[]): Promise<string> {
    const name = `${createHash("sha256")
      .update(JSON.stringify([layer, below]))
      .digest("hex")
      .slice(0, NAME_HEX)}-mask`;
    if ((await this.#known(name)) !== undefined) return name;
    await this.#appear(name, async (root) => {
      for (const folder of opaque) {
        const names = new Set((await Promise.all(below.map((each) => readdir(join(this.dir, each, folder)).catch(() => [])))).flat());
        if (names.size > 0) await mkdir(join(root, folder), { recursive: true });
        for (const each of names) if (!existsSync(join(root, folder, each))) await link(await this.#whiteout(), join(root, folder, each));
      }
      return { opaque: [], bytes: 0, entries: 0 };
    });
    return name;
  }

  async #appear(name: string, fill: (root: string) => Promise<UnpackedLayer>): Promise<UnpackedLayer> {
    const path = join(this.dir, name);
    const partial = temporaryName(path);
    await mkdir(partial, { mode: 0o755 });
    try {
      const unpacked = await fill(partial);
      await rm(path, { recursive: true, force: true });
      await rename(partial, path);
      await writeFile(`${path}.json.new`, JSON.stringify(unpacked));
      await rename(`${path}.json.new`, `${path}.json`);
      return unpacked;
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw error;
    }
  }

  async #whiteout(): Promise<string> {
    const path = join(this.dir, "whiteout");
    // Node cannot make devices; this one may be made by everybody.
    if (!existsSync(path)) await run("mknod", [path, "c", "0", "0"]);
    return path;
  }
}

function nameFor(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, NAME_HEX);
}

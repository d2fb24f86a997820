// What `docker save` gives, into the store: layers compressed once, the config as it is.
import { createReadStream, createWriteStream } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { isDigest } from "./digest.ts";
import { ImageError } from "./image-error.ts";
import type { ImageStore } from "./image-store.ts";
import { compressed } from "./layer.ts";
import { CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, type Descriptor, type ImageConfig, type ImageManifest } from "./oci.ts";

const ENTRIES_MAX = 20_000;
const LAYERS_MAX = 1_000;

interface Saved {
  readonly Config: string;
  readonly Layers: readonly string[];
}

/** Spools the archive in `scratch`, since what it holds is told at its end. Answers the digest of a manifest. Throws ImageError `Damaged`. */
export async function loadArchive(store: ImageStore, archive: AsyncIterable<Uint8Array>, scratch: string): Promise<string> {
  const files = await spool(archive, scratch);
  const fileOf = (name: string): string => files.get(name) ?? damaged(`it does not hold ${JSON.stringify(name)}`);
  const saved = await parsed<readonly Saved[]>(fileOf("manifest.json"));
  const [image] = Array.isArray(saved) ? saved : [];
  if (image === undefined || !Array.isArray(image.Layers) || image.Layers.length > LAYERS_MAX) throw damagedError("its manifest.json is not one of an image");
  const configBytes = await readFile(fileOf(image.Config));
  const config = JSON.parse(configBytes.toString("utf8")) as Partial<ImageConfig>;
  const diffIds = config.rootfs?.diff_ids ?? [];
  if (diffIds.length !== image.Layers.length || !diffIds.every(isDigest)) throw damagedError("its config and its layers do not belong together");
  const layers: Descriptor[] = [];
  for (const name of image.Layers) layers.push({ mediaType: LAYER_TYPE, ...(await putLayer(store, fileOf(name))) });
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: await store.putBlob(configBytes), size: configBytes.length },
    layers,
  };
  return store.putBlob(Buffer.from(JSON.stringify(manifest)));
}

/** Files of the scratch folder by their names in the archive; names are not used as paths. */
async function spool(archive: AsyncIterable<Uint8Array>, scratch: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const entries = extract();
  const done = pipeline(Readable.from(archive), entries);
  done.catch(() => undefined);
  for await (const entry of entries) {
    const { name, type } = entry.header;
    if (files.size >= ENTRIES_MAX) throw damagedError(`it has more than ${ENTRIES_MAX} entries`);
    if (type !== "file") {
      entry.resume();
      continue;
    }
    const file = join(scratch, `entry-${files.size}`);
    await pipeline(entry as unknown as Readable, createWriteStream(file, { flags: "wx", mode: 0o600 }));
    files.set(name.replace(/^\.\//, ""), file);
  }
  await done;
  return files;
}

async function putLayer(store: ImageStore, file: string): Promise<{ readonly digest: string; readonly size: number }> {
  const handle = await open(file, "r");
  const head = Buffer.alloc(4);
  try {
    await handle.read(head, 0, head.length, 0);
  } finally {
    await handle.close();
  }
  if (head.readUInt32LE(0) === 0xfd2fb528) throw damagedError("its layers are compressed with zstd, which other runtimes cannot read");
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  return store.putStream(isGzip ? createReadStream(file) : compressed(createReadStream(file)));
}

async function parsed<T>(file: string): Promise<T> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as T;
  } catch (error) {
    throw damagedError("its manifest.json is not JSON", error);
  }
}

function damagedError(why: string, cause?: unknown): ImageError {
  return new ImageError("Damaged", `the daemon's archive of the image cannot be used: ${why}`, cause);
}

function damaged(why: string): never {
  throw damagedError(why);
}

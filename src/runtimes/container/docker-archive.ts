// An image of our store as `docker load` takes it: one tar, with the layers as they lie there.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";

export interface StoredLayer {
  readonly digest: string;
  readonly size: number;
}

export interface StoredImage {
  /** The name it is given in the daemon. */
  readonly name: string;
  /** The config, byte for byte: its digest is the image's id. */
  readonly config: Uint8Array;
  readonly layers: readonly StoredLayer[];
  readonly open: (digest: string) => Readable;
}

/** Layers may be compressed: daemons look at their first bytes. A layer that is used twice is sent once. */
export function dockerArchive(image: StoredImage): Pack {
  const archive = pack();
  void fill(archive, image).catch((error: unknown) => archive.destroy(error as Error));
  return archive;
}

async function fill(archive: Pack, { name, config, layers, open }: StoredImage): Promise<void> {
  const manifest = [{ Config: "config.json", RepoTags: [name], Layers: layers.map(({ digest }) => fileOf(digest)) }];
  await entry(archive, { name: "config.json", size: config.length }, Readable.from([config]));
  for (const [digest, size] of new Map(layers.map((layer) => [layer.digest, layer.size]))) await entry(archive, { name: fileOf(digest), size }, open(digest));
  const last = Buffer.from(JSON.stringify(manifest));
  await entry(archive, { name: "manifest.json", size: last.length }, Readable.from([last]));
  archive.finalize();
}

async function entry(archive: Pack, header: { readonly name: string; readonly size: number }, body: Readable): Promise<void> {
  await pipeline(body, archive.entry({ mode: 0o644, mtime: new Date(0), ...header }));
}

function fileOf(digest: string): string {
  return `${digest.replace(/^\w+:/, "")}.tar`;
}

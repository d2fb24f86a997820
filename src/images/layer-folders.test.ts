// Layers as folders: what one takes away from those below, what stays outside of them, and what goes when its image does.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { pack, type Header } from "tar-stream";
import { LayerFolders } from "./layer-folders.ts";
import type { ImageConfig, ImageManifest } from "./oci.ts";

type Entry = Partial<Header> & { readonly name: string; readonly body?: string };

const dir = mkdtempSync(join(tmpdir(), "eider-layers-"));
after(() => rmSync(dir, { recursive: true, force: true }));

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { body, ...header } of entries) {
    if (body === undefined) tar.entry(header);
    else tar.entry(header, body);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

let count = 0;

/** Folders over images in memory: `image` answers the digest of one with these layers. */
async function world(limits?: { readonly bytesMax: number; readonly entriesMax: number }) {
  const blobs = new Map<string, Buffer>();
  const images = new Map<string, ImageManifest>();
  const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const source = {
    manifest: (digest: string) => Promise.resolve(images.get(digest) as ImageManifest),
    config: () =>
      Promise.resolve({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [] } } satisfies ImageConfig as ImageConfig),
    blobs: { stream: (digest: string) => Readable.from([blobs.get(digest) as Buffer], { objectMode: false }) },
  };
  const folders = new LayerFolders({ dir: join(dir, String(++count)), source, bootId: "boot", owners: false, ...(limits === undefined ? {} : { limits }) });
  await folders.prepare();
  const image = (...layers: readonly Buffer[]): string => {
    const descriptors = layers.map((bytes) => {
      blobs.set(digestOf(bytes), bytes);
      return { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.length };
    });
    const manifest = { schemaVersion: 2, mediaType: "", config: { mediaType: "", digest: "", size: 0 }, layers: descriptors } as const;
    const digest = digestOf(Buffer.from(JSON.stringify(manifest)));
    images.set(digest, manifest);
    return digest;
  };
  return { folders, image };
}

const isWhiteout = (path: string): boolean => lstatSync(path).isCharacterDevice() && lstatSync(path).rdev === 0;
const linux = { skip: process.platform === "linux" ? false : "needs whiteouts" };

test("gzip, zstd and plain layers become folders; a whiteout, an opaque folder and a folder made anew hide what is below", linux, async () => {
  const { folders, image } = await world();
  const below = await tarOf([
    { name: "a/gone", body: "1" },
    { name: "b/old", body: "2" },
    { name: "c/old", body: "3" },
    { name: "usr/bin/x", body: "x", mode: 0o4755 },
  ]);
  const middle = await tarOf([
    { name: "link", type: "symlink", linkname: "/usr" },
    { name: "link/bin/y", body: "y" },
  ]);
  const above = await tarOf([
    { name: "a/.wh.gone", body: "" },
    { name: "b/.wh..wh..opq", body: "" },
    { name: "b/new", body: "n" },
    { name: ".wh.c", body: "" },
    { name: "c/new", body: "n" },
    { name: "hard", type: "link", linkname: "b/new" },
  ]);
  const { layers } = await folders.layered(image(gzipSync(below), zstdCompressSync(middle), above));
  assert.equal(layers.length, 4);
  const at = (index: number, ...path: string[]): string => join(folders.dir, layers[index] ?? "", ...path);
  assert.ok(isWhiteout(at(0, "a/gone")) && isWhiteout(at(1, "b/old")) && isWhiteout(at(1, "c/old")));
  assert.deepEqual(readdirSync(at(0, "c")), ["new"]);
  assert.equal(readFileSync(at(0, "hard"), "utf8"), "n");
  assert.equal(readlinkSync(at(2, "link")), "/usr");
  assert.equal(readFileSync(at(2, "usr/bin/y"), "utf8"), "y");
  assert.equal(lstatSync(at(3, "usr/bin/x")).mode & 0o7777, 0o4755);
});

test("a layer that two images share is unpacked once, and goes with the last of them", linux, async () => {
  const { folders, image } = await world();
  const shared = await tarOf([{ name: "shared", body: "s" }]);
  const one = image(shared, await tarOf([{ name: "one", body: "1" }]));
  const two = image(shared, await tarOf([{ name: ".wh.shared", body: "" }]));
  const layersOf = async (digest: string): Promise<readonly string[]> => (await folders.layered(digest)).layers;
  assert.equal((await layersOf(one)).at(-1), (await layersOf(two)).at(-1));
  await folders.keepOnly(new Set([two]));
  assert.deepEqual(await folders.unpacked(), [two]);
  for (const name of await layersOf(two)) assert.ok(existsSync(join(folders.dir, name)));
  await folders.keepOnly(new Set());
  assert.deepEqual(readdirSync(folders.dir), []);
});

const refused: readonly { readonly name: string; readonly entries: readonly Entry[]; readonly reason: string }[] = [
  { name: "a path that climbs out", entries: [{ name: "../x", body: "" }], reason: "Damaged" },
  { name: "a hard link to what is not in the layer", entries: [{ name: "x", type: "link", linkname: "/etc/passwd" }], reason: "Damaged" },
  {
    name: "a path below a file",
    entries: [
      { name: "x", body: "" },
      { name: "x/y", body: "" },
    ],
    reason: "Damaged",
  },
  { name: "too much", entries: [{ name: "x", body: "x".repeat(2_000) }], reason: "TooLarge" },
  { name: "too many", entries: Array.from({ length: 11 }, (_, index) => ({ name: `x${index}`, body: "" })), reason: "TooLarge" },
];
for (const { name, entries, reason } of refused)
  test(`refused, with nothing left of it: ${name}`, async () => {
    const { folders, image } = await world({ bytesMax: 1_000, entriesMax: 10 });
    await assert.rejects(folders.layered(image(await tarOf(entries))), { reason });
    assert.deepEqual(readdirSync(folders.dir), []);
  });

test("links lead nowhere out of the layer: what is written through them lies inside", async () => {
  const { folders, image } = await world();
  const { layers } = await folders.layered(
    image(
      await tarOf([
        { name: "out", type: "symlink", linkname: "../../../../../tmp" },
        { name: "out/eider-escaped", body: "x" },
      ]),
    ),
  );
  assert.ok(existsSync(join(folders.dir, layers[0] ?? "", "tmp/eider-escaped")));
  assert.ok(!existsSync("/tmp/eider-escaped"));
});

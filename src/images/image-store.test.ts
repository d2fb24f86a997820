// The store's parts: fetches that go on, indexes, names of our own registry, what a repository knows, older layouts.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { digestOf } from "./digest.ts";
import { openImageStore } from "./image-store.ts";
import { CONFIG_TYPE, INDEX_TYPE, LAYER_TYPE, MANIFEST_TYPE, type ImageIndex } from "./oci.ts";
import { servedName, storedName } from "./own-registry.ts";
import { choiceOf, platformOf, type Platform } from "./platform-choice.ts";
import { mayBeElsewhere, parseManifest } from "./references.ts";

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "eider-images-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const streamOf = (...chunks: readonly (string | Error)[]): Readable =>
  Readable.from(
    (async function* () {
      for (const chunk of chunks) {
        if (chunk instanceof Error) throw chunk;
        yield Buffer.from(chunk);
      }
    })(),
    { objectMode: false },
  );

test("a blob whose fetch was cut off is gone on with where it ended, also by another store on the same folder", async (t) => {
  const dir = folder(t);
  const digest = digestOf(Buffer.from("hello world"));
  const first = await openImageStore(dir);
  await assert.rejects(
    first.putBlobStream({ digest, size: 11 }, async () => streamOf("hello ", new Error("cut off"))),
    /cut off/,
  );
  assert.equal(first.blobs.has(digest), false);
  const offsets: number[] = [];
  const second = await openImageStore(dir);
  const stored = await second.putBlobStream({ digest, size: 11 }, async (offset) => {
    offsets.push(offset);
    return streamOf("hello world".slice(offset));
  });
  assert.deepEqual({ stored, offsets, left: readdirSync(join(dir, "partial")) }, { stored: { digest, size: 11 }, offsets: [6], left: [] });
  assert.deepEqual(await first.putBlobStream({ digest }, streamOf("not read")), { digest, size: 11 });
});

const wrongContents = [
  { name: "another digest", size: undefined, sent: "hellO world" },
  { name: "too few bytes", size: 12, sent: "hello world" },
  { name: "too many bytes", size: 10, sent: "hello world" },
] as const;
for (const { name, size, sent } of wrongContents) {
  test(`a blob with ${name} is refused and leaves nothing behind`, async (t) => {
    const dir = folder(t);
    const store = await openImageStore(dir);
    const digest = digestOf(Buffer.from("hello world"));
    await assert.rejects(
      store.putBlobStream({ digest, ...(size === undefined ? {} : { size }) }, async () => streamOf(sent)),
      { reason: "WrongContent" },
    );
    assert.deepEqual([store.blobs.has(digest), readdirSync(join(dir, "partial"))], [false, []]);
  });
}

async function image(store: Awaited<ReturnType<typeof openImageStore>>, architecture: string): Promise<string> {
  const config = Buffer.from(JSON.stringify({ architecture, os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [] } }));
  const described = { mediaType: CONFIG_TYPE, digest: await store.putBlob(config), size: config.length };
  return store.putBlob(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, config: described, layers: [] })));
}

test("an index stands for the image of this machine; its digest stays what the tag says", async (t) => {
  const store = await openImageStore(folder(t), { platform: { os: "linux", architecture: "arm64", variant: "v8" } });
  const manifests = await Promise.all(
    ["amd64", "arm64"].map(async (architecture) => ({
      mediaType: MANIFEST_TYPE,
      digest: await image(store, architecture),
      size: 1,
      platform: { os: "linux", architecture },
    })),
  );
  const index = await store.putBlob(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests })));
  await store.tag("dev.local/multi:v1", index);
  assert.equal(await store.resolve("dev.local/multi:v1"), index);
  assert.equal((await store.config(index)).architecture, "arm64");
  const onlyOther = await store.putBlob(Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: manifests.slice(0, 1) })));
  await assert.rejects(store.config(onlyOther), { reason: "NotFound", message: /no image for linux\/arm64/ });
});

const entry = (digest: string, os?: string, architecture?: string, variant?: string) => ({
  mediaType: MANIFEST_TYPE,
  digest,
  size: 1,
  ...(os === undefined || architecture === undefined ? {} : { platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } }),
});
const amd64: Platform = { os: "linux", architecture: "amd64" };
const choices: readonly { readonly name: string; readonly platform: Platform; readonly of: ImageIndex["manifests"]; readonly want: string | undefined }[] = [
  { name: "the machine's own", platform: amd64, of: [entry("a", "linux", "arm64"), entry("b", "linux", "amd64")], want: "b" },
  { name: "never an attestation", platform: amd64, of: [entry("a", "unknown", "unknown")], want: undefined },
  {
    name: "the variant before the plain one",
    platform: { os: "linux", architecture: "arm64", variant: "v8" },
    of: [entry("a", "linux", "arm64"), entry("b", "linux", "arm64", "v8")],
    want: "b",
  },
  { name: "a variant where none is known", platform: amd64, of: [entry("a", "linux", "amd64", "v2")], want: "a" },
  { name: "Linux' on a Mac", platform: platformOf({ platform: "darwin", arch: "arm64" }), of: [entry("a", "linux", "arm64", "v8")], want: "a" },
  { name: "the first where none says a platform", platform: amd64, of: [entry("a"), entry("b")], want: "a" },
  { name: "none when only another is there", platform: amd64, of: [entry("a", "linux", "s390x")], want: undefined },
];
for (const { name, platform, of, want } of choices)
  test(`choiceOf: ${name}`, () => assert.equal(choiceOf({ schemaVersion: 2, manifests: of }, platform)?.digest, want));

test("images of our own registry have one name, whatever address and port they were asked for under", async (t) => {
  const dir = folder(t);
  const store = await openImageStore(dir);
  await store.own.serveAs(["localhost:5000", "127.0.0.1:5000"]);
  const digest = await image(store, "amd64");
  await store.tag("127.0.0.1:5000/team/app:v1", digest);
  const other = await openImageStore(dir);
  for (const name of ["localhost:5000/team/app:v1", "eider.local/team/app:v1"]) assert.equal(await other.resolve(name), digest, name);
  assert.equal(await other.resolve("localhost:5001/team/app:v1"), undefined);
  assert.deepEqual(await other.list(), [{ name: "localhost:5000/team/app:v1", digest }]);
  await other.own.serveAs(["localhost:6000"]);
  assert.equal((await other.list())[0]?.name, "localhost:6000/team/app:v1");
  assert.deepEqual(
    ["hello", "team/app", "dev.local/x", "index.docker.io/library/hello"].map((path) => [storedName(path), servedName(storedName(path))]),
    [
      ["eider.local/hello", "hello"],
      ["eider.local/team/app", "team/app"],
      ["dev.local/x", "dev.local/x"],
      ["index.docker.io/library/hello", "index.docker.io/library/hello"],
    ],
  );
});

test("a store of the first format learns which repository knows what, and nothing else changes", async (t) => {
  const dir = folder(t);
  const made = await openImageStore(dir);
  const digest = await image(made, "amd64");
  await made.tag("dev.local/hello:v1", digest);
  rmSync(join(dir, "repositories"), { recursive: true });
  writeFileSync(join(dir, "format"), "1\n");
  const before = folder(t);
  for (const part of ["blobs", "tags"]) cpSync(join(dir, part), join(before, part), { recursive: true });
  const store = await openImageStore(dir);
  const config = (await store.manifest(digest)).config.digest;
  assert.equal(store.repositories.hasLink("dev.local/hello", "manifests", digest), true);
  assert.equal(store.repositories.hasLink("dev.local/hello", "blobs", config), true);
  assert.equal(store.repositories.hasLink("dev.local/other", "blobs", config), false);
  assert.equal(readFileSync(join(dir, "format"), "utf8"), "2\n");
  for (const part of ["blobs/sha256", "tags"]) assert.deepEqual(readdirSync(join(dir, part)), readdirSync(join(before, part)));
});

const manifests: readonly { readonly name: string; readonly text: string; readonly wrong?: RegExp }[] = [
  { name: "an index", text: '{"schemaVersion":2,"manifests":[]}' },
  { name: "no JSON", text: "{", wrong: /not JSON/ },
  { name: "a list", text: "[]", wrong: /no JSON object/ },
  { name: "nothing that a manifest has", text: "{}", wrong: /neither config nor manifests/ },
  { name: "the old schema", text: '{"schemaVersion":1,"manifests":[]}', wrong: /schemaVersion 1/ },
  { name: "layers that are none", text: '{"config":{"mediaType":"a","digest":"sha256:1","size":1}}', wrong: /config is no descriptor/ },
  { name: "a negative size", text: `{"manifests":[{"mediaType":"a","digest":"sha256:${"a".repeat(64)}","size":-1}]}`, wrong: /manifests holds/ },
];
for (const { name, text, wrong } of manifests) {
  test(`parseManifest: ${name}`, () => {
    const parsed = parseManifest(text);
    if (wrong === undefined) assert.equal("wrong" in parsed, false);
    else assert.match("wrong" in parsed ? parsed.wrong : "", wrong);
  });
}

test("only layers that may not be handed on may be elsewhere", () => {
  const of = (mediaType: string) => mayBeElsewhere({ mediaType, digest: "", size: 0 });
  assert.deepEqual(
    [LAYER_TYPE, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"].map(of),
    [false, true, true],
  );
});

// Dockerfiles by a daemon that is a fake of its API's three calls; the real one is in test/e2e.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import type { BuildDaemon, DaemonCall } from "./build-dockerfile.ts";
import { buildImage } from "./build-image.ts";
import { openImageStore } from "./image-store.ts";

const NEVER = new AbortController().signal;
const sha = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

function folder(t: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), "eider-dockerfile-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(dir, path), text);
  return dir;
}

async function tarOf(files: Readonly<Record<string, Buffer | string>>, links: Readonly<Record<string, string>> = {}): Promise<Buffer> {
  const tar = pack();
  for (const [name, linkname] of Object.entries(links)) tar.entry({ name, type: "symlink", linkname });
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content as string);
  tar.finalize();
  return bytesOf(tar as unknown as AsyncIterable<Buffer>);
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Config, layers and manifest as `docker save` writes them, the manifest last. */
async function saved({ damage = false } = {}): Promise<Buffer> {
  const plain = await tarOf({ "app/run": "run" });
  const inner = await tarOf({ "app/more": "more" });
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Cmd: ["/app/run"] },
      rootfs: { type: "layers", diff_ids: [plain, inner].map((tar) => `sha256:${sha(tar)}`) },
    }),
  );
  const manifest = [{ Config: "c.json", RepoTags: ["x:y"], Layers: damage ? ["a.tar"] : ["a.tar", "blobs/sha256/b"] }];
  const files = { "c.json": config, "a.tar": plain, "blobs/sha256/b": gzipSync(inner), "../../evil": "e", "manifest.json": JSON.stringify(manifest) };
  return tarOf(files, { "old/layer.tar": "../a.tar" });
}

function fakeDaemon(archive: Buffer, lines: readonly object[]) {
  const calls: string[] = [];
  const seen = { context: "" };
  const daemon: BuildDaemon = {
    async open({ method, path, query, body }: DaemonCall) {
      calls.push(`${method} ${path.replace(/[0-9a-f]{16}/, "ID")}${query === undefined ? "" : ` ${query["dockerfile"] ?? ""}`}`);
      if (body !== undefined) seen.context = gunzipSync(await bytesOf(body)).toString("latin1");
      const text = lines.map((line) => `${JSON.stringify(line)}\r\n`).join("");
      // In pieces that do not keep to lines.
      if (path === "/build") return Readable.from([Buffer.from(text.slice(0, 7)), Buffer.from(text.slice(7))]);
      return Readable.from(method === "GET" ? [archive.subarray(0, 700), archive.subarray(700)] : []);
    },
  };
  return { calls, seen, daemon: () => Promise.resolve(daemon) };
}

async function build(t: TestContext, dir: string, extra: object) {
  const store = await openImageStore(folder(t));
  const said: string[] = [];
  const none = { nodePath: process.execPath, pull: (image: string) => Promise.reject(new Error(image)), daemon: () => Promise.resolve(undefined) };
  const built = await buildImage({ store, dir, name: "app:v1", env: {}, progress: (line) => said.push(line), ...none, ...extra }, NEVER);
  return { store, built, said };
}

test("a folder with a Dockerfile alone is built by the daemon, and the image is ours", async (t) => {
  const dir = folder(t, { Dockerfile: "FROM scratch\nCOPY a /a\n", a: "content of a", b: "b", ".dockerignore": "b\n" });
  const { calls, seen, daemon } = fakeDaemon(await saved(), [{ stream: "STEP 1: FROM scratch\n" }, { stream: "done\n" }, { aux: { ID: "x" } }]);
  const { store, built, said } = await build(t, dir, { daemon });
  assert.deepEqual(calls, ["POST /build Dockerfile", "GET /images/eider.local/build:ID/get", "DELETE /images/eider.local/build:ID"]);
  assert.match(seen.context, /Dockerfile[\s\S]*content of a/);
  assert.ok(said.includes("STEP 1: FROM scratch"));
  assert.equal(built.kind, "dockerfile");
  const { root, config } = await store.materialize(built.digest);
  assert.deepEqual([readFileSync(join(root, "app/run"), "utf8"), readFileSync(join(root, "app/more"), "utf8")], ["run", "more"]);
  assert.deepEqual(config.config.Cmd, ["/app/run"]);
  assert.equal(await store.resolve("app:v1"), built.digest);
  assert.ok(!existsSync(join(root, "evil")));
});

test("a Dockerfile that is asked for goes before what else the folder is", async (t) => {
  const dir = folder(t, { "Dockerfile.prod": "FROM scratch", "package.json": "{}" });
  const { calls, daemon } = fakeDaemon(await saved(), []);
  await build(t, dir, { daemon, dockerfile: "Dockerfile.prod" });
  assert.equal(calls[0], "POST /build Dockerfile.prod");
});

test("failures of the builder, its absence and a broken archive are told", async (t) => {
  const dir = folder(t, { Dockerfile: "FROM scratch\nRUN x\n" });
  const failing = fakeDaemon(await saved(), [{ stream: "STEP 2: RUN x\n" }, { error: "x: not found" }]);
  await assert.rejects(build(t, dir, { daemon: failing.daemon }), {
    reason: "BuildFailed",
    message: /^the Dockerfile could not be built: x: not found\n {2}STEP 2: RUN x$/,
  });
  assert.equal(failing.calls.at(-1), "DELETE /images/eider.local/build:ID");
  await assert.rejects(build(t, dir, {}), { reason: "BuildFailed", message: /is built by Docker or Podman, and no daemon answers .*built without one$/ });
  await assert.rejects(build(t, dir, { daemon: fakeDaemon(await saved({ damage: true }), []).daemon }), {
    reason: "Damaged",
    message: /do not belong together/,
  });
  await assert.rejects(build(t, dir, { dockerfile: "none" }), { reason: "BuildFailed", message: /there is no none in/ });
});

// Names, builds, the store and unpacking, on folders of this machine.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { pack } from "tar-stream";
import { buildImage } from "./build-image.ts";
import { collectGarbage } from "./garbage.ts";
import { ImageError } from "./image-error.ts";
import { parseImageName } from "./image-name.ts";
import { openImageStore } from "./image-store.ts";
import { parseIgnore } from "./ignore.ts";
import { argvFor, nodeArgvFor, webCommandOf } from "./start-command.ts";
import { unpackLayer } from "./unpack.ts";

const samples = join(import.meta.dirname, "../../samples");
const never = new AbortController().signal;
const noBase = {
  nodePath: process.execPath,
  pull: (image: string) => Promise.reject(new Error(`${image} was to be pulled`)),
  daemon: () => Promise.resolve(undefined),
};

function folder(t: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), "eider-images-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

const names: readonly (readonly [string, string | undefined])[] = [
  ["hello", "index.docker.io/library/hello:latest"],
  ["hello:v1", "index.docker.io/library/hello:v1"],
  ["docker.io/hello", "index.docker.io/library/hello:latest"],
  ["team/hello", "index.docker.io/team/hello:latest"],
  ["dev.local/hello:v1", "dev.local/hello:v1"],
  ["localhost:5000/a/b", "localhost:5000/a/b:latest"],
  ["localhost/a", "localhost/a:latest"],
  [`hello:v1@sha256:${"a".repeat(64)}`, `index.docker.io/library/hello@sha256:${"a".repeat(64)}`],
  ["Hello", undefined],
  ["hello:", undefined],
  ["", undefined],
  ["a/../b", undefined],
  ["hello@sha256:12", undefined],
];
for (const [text, full] of names) test(`parseImageName: ${JSON.stringify(text)} is ${full ?? "no name"}`, () => assert.equal(parseImageName(text)?.full, full));

const commands: readonly (readonly [string, readonly string[]])[] = [
  ["node server.js --fast", ["node", "server.js", "--fast"]],
  ["python app.py $PORT", ["/bin/sh", "-c", "exec python app.py $PORT"]],
  ["A=1 node server.js", ["/bin/sh", "-c", "exec env A=1 node server.js"]],
  ["a && b", ["/bin/sh", "-c", "a && b"]],
];
for (const [command, argv] of commands) test(`argvFor: ${command}`, () => assert.deepEqual(argvFor(command), argv));

test("a Node app is started by its start script, its main or a file that is there", () => {
  const has = (path: string): boolean => ["server.ts", "lib/main.js"].includes(path);
  assert.deepEqual(nodeArgvFor({ scripts: { start: "node x.js" } }, has), ["node", "x.js"]);
  assert.deepEqual(nodeArgvFor({ scripts: { start: "next start" } }, has), [
    "/bin/sh",
    "-c",
    'PATH="$PWD/node_modules/.bin:$PATH"; export PATH; exec next start',
  ]);
  assert.deepEqual(nodeArgvFor({ main: "./lib/main" }, has), ["node", "lib/main.js"]);
  assert.deepEqual(nodeArgvFor({}, has), ["node", "server.ts"]);
  assert.equal(
    nodeArgvFor({}, () => false),
    undefined,
  );
  assert.equal(webCommandOf("release: x\nweb:  ./serve -p $PORT \n"), "./serve -p $PORT");
});

test("ignore files: comments, folders, stars, exceptions, and what never belongs into an image", () => {
  const ignores = parseIgnore("# comment\n*.log\ndist/\n/secret\n**/cache\n!keep.log\n");
  for (const path of ["a.log", "dist", "dist/x", "secret", "a/b/cache/c", ".git/HEAD", "x/.git/HEAD", "node_modules/.cache/x"])
    assert.equal(ignores(path), true, path);
  for (const path of ["keep.log", "a/b.log", "distx", "a/secret", "src/index.ts", "gitx"]) assert.equal(ignores(path), false, path);
});

async function build(t: TestContext, dir: string, name = "hello") {
  const store = await openImageStore(folder(t));
  const lines: string[] = [];
  const built = await buildImage({ store, dir, name, env: process.env as Record<string, string>, progress: (line) => lines.push(line), ...noBase }, never);
  return { store, built, lines };
}

test("a TypeScript folder becomes an image that starts as JavaScript, found under every spelling of its name", async (t) => {
  const dir = folder(t, {
    "package.json": '{"type":"module"}',
    "server.ts": 'import { a } from "./lib/a.ts";\nconst n: number = a;\nconsole.log(n);\n',
    "lib/a.ts": "export const a: number = 42;\n",
    ".git/HEAD": "x",
  });
  const { store, built } = await build(t, dir, "hello:v1");
  assert.equal(built.kind, "node");
  for (const name of ["hello:v1", "docker.io/library/hello:v1", built.name, `hello@${built.digest}`])
    assert.equal(await store.resolve(name), built.digest, name);
  assert.equal(await store.resolve("hello"), undefined);
  const image = await store.materialize(built.digest);
  assert.deepEqual({ base: image.base, entrypoint: image.config.config.Entrypoint }, { base: "node26", entrypoint: ["node", "server.js"] });
  assert.deepEqual(readdirSync(join(image.root, "workspace")).toSorted(), ["lib", "package.json", "server.js"]);
  assert.equal(execFileSync(process.execPath, ["server.js"], { cwd: join(image.root, "workspace"), encoding: "utf8" }), "42\n");
  assert.equal((await store.materialize(built.digest)).root, image.root);
});

test("the same folder gives the same digest on any path, time and umask; a changed byte gives another", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(
        fc.stringMatching(/^[a-zäß0-9._-]{1,12}$/).filter((name) => !/^\.+$|ts$|^procfile$/i.test(name)),
        fc.string({ maxLength: 50 }),
        { maxKeys: 6 },
      ),
      async (files) => {
        const first = folder(t, { Procfile: "web: ./run", run: "#!/bin/sh\n", ...files });
        chmodSync(join(first, "run"), 0o755);
        const second = folder(t);
        cpSync(first, second, { recursive: true });
        utimesSync(join(second, "run"), 1, 1);
        chmodSync(join(second, "run"), 0o700);
        chmodSync(join(second, "Procfile"), 0o600);
        const digest = (await build(t, first)).built.digest;
        assert.equal((await build(t, second)).built.digest, digest);
        writeFileSync(join(second, "run"), "#!/bin/sh\n#");
        assert.notEqual((await build(t, second)).built.digest, digest);
      },
    ),
    { numRuns: 10 },
  );
});

test("a Go module becomes one binary, the Node sample a script", { skip: hasGo() ? false : "no Go toolchain" }, async (t) => {
  const go = await build(t, folder(t, { "go.mod": "module x\n\ngo 1.21\n", "main.go": "package main\nfunc main() { println(42) }\n", "static/a.txt": "a" }));
  const image = await go.store.materialize(go.built.digest);
  assert.deepEqual({ kind: go.built.kind, base: image.base, entrypoint: image.config.config.Entrypoint }, { kind: "go", base: "none", entrypoint: ["./app"] });
  assert.deepEqual(readdirSync(join(image.root, "workspace")).toSorted(), ["app", "static"]);
  assert.equal(statSync(join(image.root, "workspace/app")).mode & 0o777, 0o755);
  const node = await build(t, join(samples, "autoscale"));
  assert.deepEqual((await node.store.config(node.built.digest)).config.Entrypoint, ["node", "server.js"]);
});

function hasGo(): boolean {
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const refusals: readonly { readonly name: string; readonly files?: Readonly<Record<string, string>>; readonly reason: string; readonly says: RegExp }[] = [
  { name: "nothing recognised", files: { "x.txt": "" }, reason: "NothingRecognised", says: /package\.json .* go\.mod .* Procfile/ },
  { name: "no start file", files: { "package.json": "{}" }, reason: "NothingRecognised", says: /"start" script/ },
  { name: "a broken manifest", files: { "package.json": "{" }, reason: "BuildFailed", says: /not JSON/ },
  {
    name: "dependencies without a lock file",
    files: { "package.json": '{"main":"a.js","dependencies":{"x":"1"}}', "a.js": "" },
    reason: "BuildFailed",
    says: /npm install/,
  },
  { name: "syntax that cannot be erased", files: { "package.json": "{}", "index.ts": "enum A { B }" }, reason: "BuildFailed", says: /index\.ts.*enums/s },
];
for (const { name, files, reason, says } of refusals) {
  test(`a build is refused with a clear text: ${name}`, async (t) => {
    await assert.rejects(build(t, folder(t, files)), (error) => error instanceof ImageError && error.reason === reason && says.test(error.message));
  });
}

test("a missing folder, a bad name, a link to outside and a failing compiler are named", async (t) => {
  const is = (reason: string, says: RegExp) => (error: unknown) => error instanceof ImageError && error.reason === reason && says.test(error.message);
  await assert.rejects(build(t, "/no/such/folder"), is("NoSuchFolder", /\/no\/such\/folder/));
  await assert.rejects(build(t, folder(t), "No Name"), is("InvalidName", /No Name/));
  const linked = folder(t, { Procfile: "web: x" });
  symlinkSync("/etc/passwd", join(linked, "link"));
  await assert.rejects(build(t, linked), is("BuildFailed", /link to \/etc\/passwd/));
  if (hasGo())
    await assert.rejects(
      build(t, folder(t, { "go.mod": "module x\n\ngo 1.21\n", "main.go": "package main\nfunc main() { nonsense }" })),
      is("BuildFailed", /undefined: nonsense/),
    );
});

test("of a removed image goes what no other tag needs", async (t) => {
  const dir = folder(t, { Procfile: "web: x" });
  const { store, built } = await build(t, dir, "a");
  const later = { needed: [], nowMs: Date.now() + 1_000, graceMs: 0 };
  await store.tag("b", built.digest);
  await store.materialize(built.digest);
  await store.remove("a");
  await collectGarbage(store, later);
  assert.deepEqual(await store.list(), [{ name: "index.docker.io/library/b:latest", digest: built.digest }]);
  const { root } = await store.materialize(built.digest);
  await store.remove("b");
  await collectGarbage(store, later);
  assert.deepEqual({ listed: await store.list(), unpacked: existsSync(root) }, { listed: [], unpacked: false });
  await assert.rejects(store.manifest(built.digest), { reason: "NotFound" });
  await assert.rejects(store.remove("b"), { reason: "NotFound" });
});

test("a store of a newer format is refused and left alone; damage is told from absence", async (t) => {
  const dir = folder(t, { format: "3\n" });
  await assert.rejects(openImageStore(dir), { reason: "NewerFormat" });
  assert.deepEqual(readdirSync(dir), ["format"]);
  const root = folder(t);
  const store = await openImageStore(root);
  const digest = await store.putBlob(Buffer.from("{}"));
  writeFileSync(join(root, "blobs/sha256", digest.slice(7)), "[]");
  await assert.rejects(store.manifest(digest), { reason: "Damaged" });
});

type TarEntry =
  | { readonly name: string; readonly body: string }
  | { readonly name: string; readonly type: "symlink" | "link" | "directory" | "character-device"; readonly linkname?: string };

async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const entry of entries) {
    if ("body" in entry) tar.entry({ name: entry.name }, entry.body);
    else tar.entry(entry);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks));
}

const attacks: readonly { readonly name: string; readonly entries: readonly TarEntry[] }[] = [
  { name: "a path with ..", entries: [{ name: "../evil", body: "x" }] },
  { name: "a path with .. inside", entries: [{ name: "a/../../evil", body: "x" }] },
  { name: "an absolute link", entries: [{ name: "a", type: "symlink", linkname: "/etc" }] },
  { name: "a link out of the folder", entries: [{ name: "a/b", type: "symlink", linkname: "../../x" }] },
  {
    name: "a file through a link",
    entries: [
      { name: "b", type: "directory" },
      { name: "a", type: "symlink", linkname: "b" },
      { name: "a/evil", body: "x" },
    ],
  },
  { name: "a hard link", entries: [{ name: "a", type: "link", linkname: "/etc/passwd" }] },
  { name: "a device", entries: [{ name: "a", type: "character-device" }] },
];
for (const { name, entries } of attacks) {
  test(`unpacking refuses ${name}`, async (t) => {
    const dir = folder(t, { "root/keep": "" });
    await assert.rejects(unpackLayer(Readable.from([await tarOf(entries)], { objectMode: false }), join(dir, "root")), { reason: "Damaged" });
    assert.deepEqual(readdirSync(dir), ["root"]);
  });
}

test("unpacking never writes outside its folder, whatever the names are", async (t) => {
  const part = fc.constantFrom("..", ".", "a", "b", "", "evil");
  const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
  const entry = fc.oneof(
    path.map((name) => ({ name: name === "" ? "x" : name, body: "x" })),
    fc.tuple(path, path).map(([name, linkname]) => ({ name: name === "" ? "x" : name, type: "symlink" as const, linkname })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async (entries) => {
      const dir = folder(t, { "outer/root/keep": "" });
      await unpackLayer(Readable.from([await tarOf(entries)], { objectMode: false }), join(dir, "outer/root")).catch((error: unknown) =>
        assert.ok(error instanceof ImageError, String(error)),
      );
      assert.deepEqual([readdirSync(dir), readdirSync(join(dir, "outer"))], [["outer"], ["root"]]);
    }),
    { numRuns: 60 },
  );
});

test("a bomb is stopped by size and by count, a cut stream is damage", async (t) => {
  const dir = folder(t);
  const tar = await tarOf([
    { name: "big", body: "0".repeat(100_000) },
    { name: "more", body: "x" },
  ]);
  const stream = (bytes: Buffer) => Readable.from([bytes], { objectMode: false });
  await assert.rejects(unpackLayer(stream(tar), dir, { bytesMax: 1_000, entriesMax: 10 }), { reason: "TooLarge" });
  await assert.rejects(unpackLayer(stream(tar), dir, { bytesMax: 1e9, entriesMax: 1 }), { reason: "TooLarge" });
  assert.equal(readFileSync(join(dir, "big")).length, 100_000, "what came before the limit is there");
  await assert.rejects(unpackLayer(stream(tar.subarray(0, tar.length - 20)), dir), { reason: "Damaged" });
});

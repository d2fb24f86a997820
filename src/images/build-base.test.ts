// Images that stand on their own: on a base from this machine, on another's image; and Python folders.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { buildImage } from "./build-image.ts";
import { openImageStore, type ImageStore } from "./image-store.ts";
import { platformOf } from "./platform-choice.ts";
import { pythonArgv } from "./python-recipe.ts";
import { RegistryServer } from "./pull/registry-server.test-suite.ts";
import { createImagePuller } from "./pull/image-puller.ts";
import { Transport } from "./pull/transport.ts";
import { SeededRng, SimClock } from "#core";

const NEVER = new AbortController().signal;
const onLinux = { skip: process.platform !== "linux" && "bases are bundled on Linux" };
const noPull = (image: string): Promise<string> => Promise.reject(new Error(`${image} was to be pulled`));

function folder(t: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), "eider-build-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

interface Extra {
  readonly base?: string;
  readonly nodePath?: string;
  readonly pull?: (image: string, signal: AbortSignal) => Promise<string>;
}

async function build(store: ImageStore, dir: string, extra: Extra = {}) {
  const env = process.env as Record<string, string>;
  const built = await buildImage(
    { store, dir, name: "app:v1", env, progress: () => undefined, nodePath: "/bin/echo", pull: noPull, daemon: () => Promise.resolve(undefined), ...extra },
    NEVER,
  );
  return { ...built, image: await store.materialize(built.digest) };
}

test("a bundled base runs with nothing but what is in it, once made", onLinux, async (t) => {
  const store = await openImageStore(folder(t));
  const dir = folder(t, { "server.js": "", "package.json": '{"scripts":{"start":"node server.js"}}' });
  const { image, digest } = await build(store, dir, { base: "bundled" });
  const { root, config, base } = image;
  assert.deepEqual([config.config.Entrypoint, config.config.WorkingDir, base], [["node", "server.js"], "/workspace", "node26"]);
  assert.equal(config.rootfs.diff_ids.length, 2);
  // The program of the base on the libraries of the base, by the loader of the base.
  const all = readdirSync(root, { recursive: true, encoding: "utf8" });
  const loader = all.find((path) => /\/ld-linux[^/]*\.so\.\d$/.test(path)) ?? "";
  const libc = all.find((path) => path.endsWith("/libc.so.6")) ?? "";
  const said = execFileSync(join(root, loader), ["--inhibit-cache", "--library-path", dirname(join(root, libc)), join(root, "usr/local/bin/node"), "it runs"], {
    encoding: "utf8",
  });
  assert.equal(said, "it runs\n");
  assert.deepEqual(
    ["etc/passwd", "tmp", "workspace/server.js"].map((path) => existsSync(join(root, path))),
    [true, true, true],
  );
  const again = await build(await openImageStore(folder(t)), dir, { base: "bundled" });
  assert.equal(again.digest, digest);
});

test("a bundled base holds a shell when the command needs one, and no Node when the app needs none", onLinux, async (t) => {
  const store = await openImageStore(folder(t));
  const { image } = await build(store, folder(t, { Procfile: "web: A=1 ./run $PORT", run: "#!/bin/sh\n" }), { base: "bundled" });
  assert.deepEqual(
    ["bin/sh", "usr/bin/env", "usr/local/bin/node"].map((path) => existsSync(join(image.root, path))),
    [true, true, false],
  );
});

test("a base that is an image is pulled; its files, environment and user stay, its command does not", async (t) => {
  const registry = new RegistryServer();
  await registry.up();
  const transport = new Transport();
  t.after(async () => {
    transport.close();
    await registry.down();
  });
  const { architecture } = platformOf(process);
  const config = { Env: ["PATH=/opt/bin", "PYTHONUNBUFFERED=0", "LANG=C"], Cmd: ["sh"], Entrypoint: ["/init"], Labels: { maker: "me" }, User: "1000" };
  await registry.add({ repository: "base", tag: "v1", layers: [{ "opt/tool": "tool" }], config, architecture });
  const store = await openImageStore(folder(t));
  const client = { transport, clock: new SimClock(), rng: new SeededRng(1), settings: () => ({ mirrors: {}, insecure: [], ca: "" }) };
  const puller = createImagePuller({ store, client, platform: { os: "linux", architecture } });
  const pull = async (image: string): Promise<string> => {
    const outcome = await puller.ensure({ image, policy: "IfNotPresent", owner: "build", keychain: () => Promise.resolve([]) }, NEVER);
    return "digest" in outcome ? outcome.digest : assert.fail(outcome.waiting.message);
  };
  const { image } = await build(store, folder(t, { "main.py": "print(1)" }), { base: `${registry.host}/base:v1`, pull });
  assert.deepEqual(image.config.config, {
    Env: ["PATH=/opt/bin", "LANG=C", "PYTHONUNBUFFERED=1"],
    Labels: { maker: "me", "dev.eider.base": image.base },
    User: "1000",
    Entrypoint: ["python3", "main.py"],
    WorkingDir: "/workspace",
  });
  assert.ok(existsSync(join(image.root, "opt/tool")) && existsSync(join(image.root, "workspace/main.py")));
});

const python = (): boolean => {
  try {
    execFileSync("python3", ["-m", "pip", "--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

/** A wheel with a module and a script, as any other. */
const WHEEL = `
import zipfile
with zipfile.ZipFile("greet-1.0-py3-none-any.whl", "w") as wheel:
    for name, text in {
        "greet.py": "def hello():\\n    print('hello from a package')\\n",
        "greet-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: greet\\nVersion: 1.0\\n",
        "greet-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "greet-1.0.dist-info/entry_points.txt": "[console_scripts]\\ngreet = greet:hello\\n",
        "greet-1.0.dist-info/RECORD": "greet.py,,\\n",
    }.items():
        wheel.writestr(zipfile.ZipInfo(name), text)
`;

test("a Python folder brings its requirements along, the same on any path", { skip: !python() && "no python3 with pip" }, async (t) => {
  const first = folder(t, { "main.py": "import greet; greet.hello()", "requirements.txt": "./greet-1.0-py3-none-any.whl\n", Procfile: "web: greet" });
  execFileSync("python3", ["-c", WHEEL], { cwd: first });
  const second = folder(t);
  cpSync(first, second, { recursive: true });
  mkdirSync(join(second, "__pycache__"));
  writeFileSync(join(second, "__pycache__/main.cpython-311.pyc"), "times");
  const { image, digest, kind } = await build(await openImageStore(folder(t)), first);
  assert.equal((await build(await openImageStore(folder(t)), second)).digest, digest);
  assert.equal(kind, "python");
  assert.match(image.base, /^python3\.\d+$/);
  const { Entrypoint: [program = "", ...args] = [], Env = [] } = image.config.config;
  const cwd = join(image.root, "workspace");
  const env = { ...process.env, ...Object.fromEntries(Env.map((line) => line.split("=") as [string, string])) };
  assert.deepEqual([program, ...args], ["python3", ".python_packages/bin/greet"]);
  assert.equal(execFileSync(program, args, { cwd, env, encoding: "utf8" }), "hello from a package\n");
  assert.equal(execFileSync("python3", ["main.py"], { cwd, env, encoding: "utf8" }), "hello from a package\n");
  assert.equal(statSync(join(cwd, ".python_packages/bin/greet")).mode & 0o777, 0o755);
});

test("Python commands: a package's script is run by Python, everything else as it is", () => {
  const packages = new Set([".python_packages/bin/gunicorn"]);
  assert.deepEqual(pythonArgv(["gunicorn", "app:app"], packages), ["python3", ".python_packages/bin/gunicorn", "app:app"]);
  assert.deepEqual(pythonArgv(["python", "app.py"], packages), ["python3", "app.py"]);
  assert.deepEqual(pythonArgv(["/bin/sh", "-c", "x"], packages), ["/bin/sh", "-c", "x"]);
});

test("bases that cannot be are refused with what can be done", async (t) => {
  const store = await openImageStore(folder(t));
  const dir = folder(t, { "main.py": "" });
  await assert.rejects(build(store, dir, { base: "bundled" }), { reason: "BuildFailed", message: /give --base IMAGE/ });
  await assert.rejects(build(store, dir, { base: "No Image" }), { reason: "InvalidName" });
});

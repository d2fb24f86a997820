// What ships: the packed tarball, installed into an empty folder without scripts, serves the sample that it brings along.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { findProgram, Platform, ran, root, type State } from "./platform.ts";

const skip = findProgram("npm") === undefined ? "npm is not on the PATH" : false;
let work: string;
let installed: string;

const npm = (cwd: string, ...args: readonly string[]): ReturnType<typeof ran> =>
  ran("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], process.env, cwd);

before(async () => {
  if (skip !== false) return;
  work = mkdtempSync(join(tmpdir(), "eider-packed-"));
  // Packed from a copy, so that nobody's dist is touched while others run.
  const source = join(work, "source");
  mkdirSync(source);
  for (const name of [
    "bin",
    "src",
    "samples",
    "scripts",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "tsconfig.build.json",
    "README.md",
    "CHANGELOG.md",
  ])
    cpSync(join(root, name), join(source, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(source, "node_modules"));
  const build = await ran(process.execPath, ["--disable-warning=ExperimentalWarning", "scripts/build.ts"], process.env, source);
  assert.equal(build.code, 0, build.stdout + build.stderr);
  const packed = await npm(source, "pack", "--ignore-scripts", "--json", "--pack-destination", work);
  assert.equal(packed.code, 0, packed.stderr);
  installed = join(work, "empty");
  mkdirSync(installed);
  const tarball = readdirSync(work).find((name) => name.endsWith(".tgz")) ?? "";
  const install = await npm(installed, "install", join(work, tarball), "--ignore-scripts", "--prefer-offline", "--omit=dev");
  assert.equal(install.code, 0, install.stderr);
});
after(() => {
  if (work !== undefined) rmSync(work, { recursive: true, force: true });
});

test("the package holds what runs and nothing of the workshop", { skip }, () => {
  const at = join(installed, "node_modules/eider");
  assert.deepEqual(
    readdirSync(at)
      .filter((name) => name !== "node_modules")
      .sort(),
    ["CHANGELOG.md", "README.md", "bin", "dist", "package.json", "samples"],
  );
  for (const entry of ["cli", "keeper", "platform", "store-thread", "certificate-thread", "gateway-thread"])
    assert.ok(existsSync(join(at, "dist/main", `${entry}.js`)), entry);
  const tests = readdirSync(join(at, "dist"), { recursive: true, encoding: "utf8" }).filter((name) => /\.test(-suite)?\./.test(name));
  assert.deepEqual(tests, []);
});

test("npx eider: up, deploy of the shipped sample, an answer, down", { skip }, async () => {
  const data = join(installed, "data");
  // Only npm's own Node on the PATH, whatever runs this test.
  const path = ["/usr/local/bin", "/usr/bin", "/bin", dirname(findProgram("npm") ?? "")].join(":");
  const eider = (...args: readonly string[]): ReturnType<typeof ran> =>
    ran("npx", ["--no-install", "eider", ...args], { ...process.env, PATH: path, HOME: installed }, installed);
  const started = await eider("up", "--detach", "--data", data, "--api-port", "0", "--http-port", "0");
  assert.equal(started.code, 0, started.stderr);
  try {
    assert.match((await eider("--version")).stdout, /^\d+\.\d+\.\d+\n$/);
    const deployed = await eider("deploy", join(installed, "node_modules/eider/samples/autoscale"), "--data", data);
    assert.match(deployed.stdout, /Service 'autoscale' created to latest revision 'autoscale-00001' is available at URL:/, deployed.stderr);
    const answer = await new Platform(data, JSON.parse(started.stdout) as State).request("autoscale.default.localhost", "/?prime=100");
    assert.deepEqual([answer.status, answer.body], [200, "The largest prime less than 100 is 97.\n"]);
  } finally {
    assert.equal((await eider("down", "--purge", "--data", data)).code, 0);
  }
});

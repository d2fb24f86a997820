// Real clients against `eider up`: podman, skopeo and crane push and pull, and a Service runs what was pushed. Each is skipped by name without its program.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findProgram, Platform, ran, type Ran } from "../e2e/platform.ts";

const env = { ...process.env };
const podman = findProgram("podman", "PODMAN");
const skopeo = findProgram("skopeo", "SKOPEO");
const crane = findProgram("crane", "CRANE");
const without = (name: string, program: string | undefined): string | false => (program === undefined ? `no ${name}` : false);

async function must(run: Promise<Ran>): Promise<string> {
  const { code, stdout, stderr } = await run;
  assert.equal(code, 0, stderr);
  return stdout;
}

test("images of other tools", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "eider-clients-"));
  const platform = await Platform.start({ args: ["--registry-port", "0"] });
  t.after(async () => {
    await platform.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  const { registry = "" } = JSON.parse(await must(platform.eider("status", "-o", "json"))) as { registry?: string };
  assert.match(registry, /^localhost:\d+$/);
  const app = join(dir, "app");
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), '{"scripts":{"start":"node server.js"}}');
  writeFileSync(join(app, "server.js"), 'require("http").createServer((_, answer) => answer.end("pushed")).listen(process.env.PORT);');
  await must(platform.eider("build", app, "--image", `${registry}/built:v1`));
  const serves = async (name: string, image: string): Promise<void> => {
    await must(platform.eider("service", "create", name, "--image", image));
    assert.equal((await platform.request(`${name}.default.localhost`)).body, "pushed");
  };

  await t.test("skopeo copies in both of the formats, and a Service runs each", { skip: without("skopeo", skopeo) }, async () => {
    const copy = (...args: readonly string[]) => must(ran(skopeo ?? "", ["copy", "--src-tls-verify=false", "--dest-tls-verify=false", ...args], env));
    await copy(`docker://${registry}/built:v1`, `docker://${registry}/team/copied:v1`);
    await copy("--format", "v2s2", `docker://${registry}/built:v1`, `docker://${registry}/team/docker:v1`);
    await copy(`docker://${registry}/team/docker:v1`, `oci:${join(dir, "layout")}:v1`);
    assert.ok(existsSync(join(dir, "layout/index.json")));
    await serves("copied", `${registry}/team/copied:v1`);
    await serves("docker", `${registry.replace("localhost", "127.0.0.1")}/team/docker:v1`);
  });

  await t.test("podman pulls, tags and pushes", { skip: without("podman", podman) }, async () => {
    const run = (...args: readonly string[]) => must(ran(podman ?? "", args, env));
    const names = [`${registry}/built:v1`, `${registry}/by-podman:v1`];
    try {
      await run("pull", "--tls-verify=false", names[0] ?? "");
      await run("tag", ...names);
      await run("push", "--tls-verify=false", names[1] ?? "");
      await serves("by-podman", names[1] ?? "");
    } finally {
      await ran(podman ?? "", ["rmi", "--force", ...names], env);
    }
  });

  await t.test("crane lists, copies, appends and deletes", { skip: without("crane", crane) }, async () => {
    const run = (...args: readonly string[]) => must(ran(crane ?? "", args, env));
    await run("copy", `${registry}/built:v1`, `${registry}/by-crane:v1`);
    assert.deepEqual((await run("ls", `${registry}/by-crane`)).split("\n"), ["v1", ""]);
    assert.match(await run("catalog", registry), /^by-crane$/m);
    await run("mutate", "--label", "a=b", `${registry}/by-crane:v1`, "-t", `${registry}/by-crane:v2`);
    await run("delete", `${registry}/by-crane@${(await run("digest", `${registry}/by-crane:v1`)).trim()}`);
    assert.deepEqual((await run("ls", `${registry}/by-crane`)).split("\n"), ["v2", ""]);
  });

  await t.test("a push is found again after a restart on the same port", { skip: without("skopeo", skopeo) }, async () => {
    process.kill(platform.state.pid, "SIGKILL");
    // The next platform listens on the socket that the keeper holds: the request waits there.
    const digest = await must(ran(skopeo ?? "", ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", `docker://${registry}/team/copied:v1`], env));
    assert.match(digest, /^sha256:[0-9a-f]{64}$/m);
  });
});

test("a registry that asks who you are", { skip: without("skopeo", skopeo) }, async (t) => {
  for (const kind of ["basic", "token"] as const) {
    await t.test(kind, async (each) => {
      const platform = await Platform.start({ args: ["--registry-port", "0", "--registry-auth", kind] });
      each.after(() => platform.stop());
      const { registry = "" } = JSON.parse(await must(platform.eider("status", "-o", "json"))) as { registry?: string };
      const password = readFileSync(join(platform.data, "pki/registry-password"), "utf8").trim();
      const folder = join(platform.data, "app");
      mkdirSync(folder);
      writeFileSync(join(folder, "Procfile"), "web: ./x");
      await must(platform.eider("build", folder, "--image", `${registry}/built:v1`));
      const copy = (credentials: readonly string[]) =>
        ran(
          skopeo ?? "",
          ["copy", "--src-tls-verify=false", "--dest-tls-verify=false", ...credentials, `docker://${registry}/built:v1`, `docker://${registry}/other:v1`],
          env,
        );
      const as = (text: string) => ["--src-creds", text, "--dest-creds", text];
      assert.match((await copy([])).stderr, /unauthorized|authentication required/);
      assert.match((await copy(as("eider:wrong"))).stderr, /unauthorized|authentication required|wrong name or password/);
      await must(copy(as(`eider:${password}`)));
    });
  }
});

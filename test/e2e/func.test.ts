// The real func against a running platform: an image that Eider has built is deployed, listed, described, invoked and deleted.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { findProgram, Platform, ran, root, type Ran } from "./platform.ts";

const needsFunc = { skip: findProgram("func", "FUNC") === undefined ? "func is not there: set FUNC to its path" : false };
const HOST = "greeter.default.localhost";
let platform: Platform;
let folder: string;
let digest: string;

before(async () => {
  if (needsFunc.skip !== false) return;
  platform = await Platform.start();
  const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", "dev.local/hello:v1", "-o", "json");
  assert.equal(built.code, 0, built.stderr);
  ({ digest } = JSON.parse(built.stdout) as { digest: string });
  folder = join(platform.data, "functions");
  mkdirSync(folder);
});
after(async () => {
  await platform?.stop();
});

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, KUBECONFIG: platform.state.kubeconfig, HOME: folder };
}

function func(...args: readonly string[]): Promise<Ran> {
  return ran(findProgram("func", "FUNC") ?? "func", args, environment(), join(folder, "greeter"));
}

async function out(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await func(...args);
  assert.equal(code, 0, `func ${args.join(" ")}: ${stderr}`);
  return stdout;
}

test("create and deploy: the function is exposed at its URL", needsFunc, async () => {
  const created = await ran(findProgram("func", "FUNC") ?? "func", ["create", "-l", "go", "-t", "http", "greeter"], environment(), folder);
  assert.equal(created.code, 0, created.stderr);
  const deployed = await func("deploy", "--build=false", "--push=false", "--image", `dev.local/hello@${digest}`, "--namespace", "default");
  assert.equal(deployed.code, 0, deployed.stderr);
  assert.match(deployed.stderr, /Function deployed in namespace "default" and exposed at URL: \n +http:\/\/greeter\.default\.localhost:\d+/);
  assert.equal((await platform.request(HOST)).body, "Hello World!\n");
});

test("list and describe", needsFunc, async () => {
  const [listed] = JSON.parse(await out("list", "-o", "json")) as { name: string; ready: string }[];
  assert.deepEqual([listed?.name, listed?.ready], ["greeter", "True"]);
  const described = JSON.parse(await out("describe", "-o", "json")) as { name: string; image: string; routes: string[] };
  assert.equal(described.name, "greeter");
  assert.equal(described.image, `dev.local/hello@${digest}`);
  assert.match(described.routes[0] ?? "", /^http:\/\/greeter\.default\.localhost:\d+$/);
});

// func resolves the host of the URL itself; *.localhost is known to browsers and curl only (decision 10).
const canName = process.getuid?.() === 0 && findProgram("unshare") !== undefined;
test(
  "invoke: plain, and as a CloudEvent",
  { skip: needsFunc.skip !== false ? needsFunc.skip : canName ? false : "no root or no unshare to name the host with" },
  async () => {
    const hosts = join(folder, "hosts");
    writeFileSync(hosts, `127.0.0.1 localhost ${HOST}\n`);
    // A plain answer to a CloudEvent is accepted and shown by nobody.
    for (const [format, shown] of [
      ["http", "Hello World!\n"],
      ["cloudevent", ""],
    ]) {
      const script = `mount --bind ${hosts} /etc/hosts && ${findProgram("func", "FUNC")} invoke --format=${format}`;
      const { code, stdout, stderr } = await ran("unshare", ["-m", "sh", "-c", script], environment(), join(folder, "greeter"));
      assert.equal(code, 0, stderr);
      assert.equal(stdout, shown);
    }
  },
);

test("delete leaves nothing", needsFunc, async () => {
  await out("delete");
  assert.equal(await platform.kubectl("get", "ksvc,revisions,deployments", "-o", "name"), "");
  assert.match(await out("list"), /^no functions found/);
});

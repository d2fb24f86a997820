// The command line against real platforms: starts that go well and starts that do not, what it finds, what it prints, how it ends.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { eider, eventually, findProgram, Platform, root, type State } from "./platform.ts";

const HELLO = join(root, "test/e2e/apps/hello");
let home: string;
let platform: Platform;

/** An environment of its own: nothing is found by accident, nothing is written outside. What others have compiled is used. */
const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: home,
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
  GOCACHE: process.env["GOCACHE"] ?? join(homedir(), ".cache/go-build"),
  ...more,
});
const run = (...args: readonly string[]): ReturnType<typeof eider> => eider(args, environment());

before(async () => {
  home = mkdtempSync(join(tmpdir(), "eider-cli-"));
  platform = await Platform.start({ data: join(home, "data") });
});
after(async () => {
  await platform?.stop();
  // What a failed test left running.
  const folders = [...readdirSync(home).map((name) => join(home, name)), join(home, ".local/share/eider")];
  for (const data of folders) if (existsSync(join(data, "keeper.lock"))) await run("down", "--data", data);
  rmSync(home, { recursive: true, force: true });
});

/** Names and contents below a folder. */
function fingerprint(folder: string): string {
  const hash = createHash("sha256");
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.log$|-(wal|shm)$/.test(path)) continue;
    hash.update(path);
    const entry = join(folder, path);
    if (readdirSync(join(entry, ".."), { withFileTypes: true }).some((each) => each.name === path.split("/").at(-1) && each.isFile()))
      hash.update(readFileSync(entry));
  }
  return hash.digest("hex");
}

/** A port that somebody else listens on. */
async function takenPort(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as { port: number }).port, server };
}

const up = (data: string, ...more: readonly string[]): ReturnType<typeof eider> => run("up", "--detach", "--data", data, "--orphan-grace", "10s", ...more);

test("up --detach prints one line of JSON; status tells the same, as text, JSON and YAML", async () => {
  const { api, http, kubeconfig, pid, keeperPid, readyMs } = platform.state;
  assert.deepEqual([new URL(api).protocol, new URL(http).protocol, kubeconfig, readyMs > 0], ["https:", "http:", join(platform.data, "kubeconfig"), true]);
  const { disk, ...told } = JSON.parse((await run("status", "--data", platform.data, "-o", "json")).stdout) as State & { disk: Record<string, number> };
  assert.deepEqual(told, platform.state);
  assert.ok((disk["store"] ?? 0) > 0);
  assert.match((await run("status", "--data", platform.data, "-o", "yaml")).stdout, new RegExp(`^pid: ${pid}$`, "m"));
  assert.match((await run("status", "--data", platform.data)).stdout, new RegExp(`^processes +platform ${pid}, keeper ${keeperPid}$`, "m"));
});

test("a data folder in use, also for a second start in the foreground: an error that says so, and nothing is damaged", async () => {
  for (const detach of [["--detach"], []]) {
    const second = await run("up", ...detach, "--data", platform.data, "--api-port", "0", "--http-port", "0");
    assert.equal(second.code, 1);
    assert.match(second.stderr, new RegExp(`the data folder ${platform.data} is in use by a running platform`));
  }
  assert.equal((await run("service", "list", "--data", platform.data)).stdout, "No services found.\n");
});

test("a second platform beside it, on a relative path; commands find each by --kubeconfig, --data, $KUBECONFIG and the default folder", async () => {
  const folder = join(home, ".local/share/eider");
  mkdirSync(join(home, ".local/share"), { recursive: true });
  const started = await eider(["up", "--detach", "--data", "eider", "--api-port", "0", "--http-port", "0"], environment(), join(home, ".local/share"));
  assert.equal(started.code, 0, started.stderr);
  try {
    const state = JSON.parse(started.stdout) as State;
    assert.equal(state.kubeconfig, join(folder, "kubeconfig"));
    await run("service", "create", "one", "--image", "dev.local/none", "--no-wait", "--data", platform.data);
    const names = async (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> =>
      (await eider(["service", "list", "-o", "name", ...args], environment(env))).stdout.trim();
    const ours = "service.serving.knative.dev/one";
    assert.equal(await names([]), "");
    assert.equal(await names(["--data", platform.data]), ours);
    assert.equal(await names(["--kubeconfig", platform.state.kubeconfig, "--data", folder]), ours);
    assert.equal(await names([], { KUBECONFIG: platform.state.kubeconfig }), ours);
    assert.equal(await names(["--data", folder], { KUBECONFIG: platform.state.kubeconfig }), "");
    const found = async (env: NodeJS.ProcessEnv): Promise<string> => {
      const status = await eider(["status", "-o", "json"], environment(env));
      assert.equal(status.code, 0, status.stderr);
      return (JSON.parse(status.stdout) as State).kubeconfig;
    };
    assert.deepEqual([await found({}), await found({ KUBECONFIG: platform.state.kubeconfig })], [state.kubeconfig, platform.state.kubeconfig]);
    await run("service", "delete", "one", "--data", platform.data);
  } finally {
    const down = await run("down", "--purge", "-o", "json");
    assert.deepEqual([JSON.parse(down.stdout), existsSync(folder)], [{ data: folder, ended: true, purged: true }, false]);
  }
});

test("a folder that cannot be one, and one that is not ours, are left alone", async () => {
  const file = join(home, "file");
  writeFileSync(file, "mine");
  const failed = await up(join(file, "data"));
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /the data folder .*\/file\/data cannot be used: ENOTDIR/);
  const foreign = join(home, "foreign");
  mkdirSync(foreign);
  writeFileSync(join(foreign, "thesis.txt"), "mine");
  const purge = await run("down", "--purge", "--data", foreign);
  assert.deepEqual([purge.code, existsSync(join(foreign, "thesis.txt"))], [2, true]);
  assert.match(purge.stderr, /is no data folder of a platform: nothing was removed/);
});

test("a store of a newer format: refused with the last lines of the log, and the folder is as it was", async () => {
  const data = join(home, "newer");
  const first = await up(data, "--api-port", "0", "--http-port", "0");
  assert.equal(first.code, 0, first.stderr);
  assert.equal((await run("down", "--data", data)).code, 0);
  const database = new DatabaseSync(join(data, "store/store.db"));
  database.exec("UPDATE meta SET value = 99 WHERE name = 'format'");
  database.close();
  cpSync(data, `${data}-before`, { recursive: true });
  const refused = await up(data, "--api-port", "0", "--http-port", "0");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /the platform did not start: .*has format 99, this Eider reads up to \d+: it was written by a newer version/);
  assert.match(refused.stderr, new RegExp(`Try: look at the logs in ${data}/log`));
  for (const part of ["store", "pki"]) assert.equal(fingerprint(join(data, part)), fingerprint(join(`${data}-before`, part)), part);
});

test("a port that was asked for and is taken: an error that names its holder", async () => {
  const { port, server } = await takenPort();
  for (const flag of ["--api-port", "--http-port"]) {
    const other = flag === "--api-port" ? "--http-port" : "--api-port";
    const failed = await up(join(home, "ports"), flag, String(port), other, "0");
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, new RegExp(`port ${port} is in use by .*\\(pid ${process.pid}\\)`));
  }
  server.close();
});

test("default ports that are taken give way to free ones, which the next start takes again", async () => {
  // The first of these platforms, or somebody else, has the default ports.
  const holder = await up(join(home, "holder"));
  const data = join(home, "gives-way");
  const first = await up(data);
  assert.equal(first.code, 0, first.stderr);
  const ports = ({ api, http }: State): string[] => [new URL(api).port, new URL(http).port];
  const chosen = ports(JSON.parse(first.stdout) as State);
  for (const port of ["6443", "8080"]) assert.ok(!chosen.includes(port));
  await run("down", "--data", data);
  const second = await up(data);
  assert.deepEqual(ports(JSON.parse(second.stdout) as State), chosen);
  assert.equal(holder.code, 0, holder.stderr);
  for (const folder of [data, join(home, "holder")]) assert.equal((await run("down", "--purge", "--data", folder)).code, 0);
});

test("--host, --domain and --external-port are in addresses, certificate and URLs", async () => {
  const data = join(home, "elsewhere");
  const started = await up(data, "--api-port", "0", "--http-port", "0", "--host", "127.0.0.2", "--domain", "apps.test", "--external-port", "80");
  assert.equal(started.code, 0, started.stderr);
  const state = JSON.parse(started.stdout) as State;
  assert.deepEqual([new URL(state.api).hostname, new URL(state.http).hostname], ["127.0.0.2", "127.0.0.2"]);
  const deployed = await run("deploy", HELLO, "--data", data);
  assert.match(deployed.stdout, /^http:\/\/hello\.default\.apps\.test$/m, deployed.stderr);
  assert.equal((await new Platform(data, state).request("hello.default.apps.test")).status, 200);
  await run("down", "--data", data);
});

test("deploy of Node, Procfile and Go folders, with kn's lines; logs -f shows them; exit codes", async () => {
  const procfile = join(home, "shell");
  mkdirSync(procfile);
  writeFileSync(join(procfile, "Procfile"), "web: node serve.cjs\n");
  writeFileSync(join(procfile, "serve.cjs"), 'require("node:http").createServer((_, r) => r.end("from a Procfile\\n")).listen(process.env.PORT);\n');
  const kubeconfig = platform.state.kubeconfig;
  const deploy = (...args: readonly string[]): ReturnType<typeof eider> => eider(["deploy", ...args], environment({ KUBECONFIG: kubeconfig }));
  const node = await deploy(HELLO);
  assert.equal(node.code, 0, node.stderr);
  assert.match(
    node.stdout,
    /^Creating service 'hello' in namespace 'default':\n\n( +\d+\.\d{3}s .*\n)*( +\d+\.\d{3}s Ready to serve\.\n)\nService 'hello' created to latest revision 'hello-00001' is available at URL:\nhttp:\/\/hello\.default\.localhost:\d+\n$/,
  );
  assert.match((await deploy(HELLO)).stdout, /with latest revision 'hello-00001' \(unchanged\)/);
  const shell = await deploy(procfile);
  assert.equal(shell.code, 0, shell.stderr);
  assert.equal((await platform.request("shell.default.localhost")).body, "from a Procfile\n");
  if (findProgram("go") !== undefined) {
    const go = await deploy(join(root, "samples/hello-go"));
    assert.equal(go.code, 0, go.stderr);
    assert.equal((await platform.request("hello-go.default.localhost")).status, 200);
  }
  const output = JSON.parse((await deploy(HELLO, "as-json", "-o", "json")).stdout) as { metadata: { name: string } };
  assert.equal(output.metadata.name, "as-json");
});

test("logs: once, followed until Ctrl-C, and of nobody", async () => {
  const at = ["--data", platform.data];
  await platform.request("hello.default.localhost", "/print?line=first");
  await eventually("the line is in the log", async () => (await run("logs", "hello", ...at)).stdout.includes("first\n"));
  const follow = spawn(join(root, "bin/eider"), ["logs", "hello", "-f", ...at], { env: environment(), stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  follow.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await eventually("the old line", async () => text.includes("first\n"));
  await platform.request("hello.default.localhost", "/print?line=second");
  await eventually("the new line", async () => text.includes("second\n"));
  assert.equal(await interrupted(follow), 130);
  const nobody = await run("logs", "nobody", ...at);
  assert.deepEqual([nobody.code, nobody.stderr.includes("no pod of service 'nobody' runs")], [3, true]);
});

async function interrupted(child: ChildProcess): Promise<number | null> {
  const exit = once(child, "exit") as Promise<[number | null]>;
  child.kill("SIGINT");
  return (await exit)[0];
}

test("service commands: lists and describe as kn prints them, update, apply, delete, JSON and YAML", async () => {
  const at = ["--data", platform.data];
  const list = (await run("service", "list", ...at)).stdout.split("\n");
  assert.match(list[0] ?? "", /^NAME +URL +LATEST +AGE +CONDITIONS +READY +REASON$/);
  assert.match(list.find((line) => line.startsWith("hello ")) ?? "", /^hello +http:\/\/hello\.default\.localhost:\d+ +hello-00001 +\S+ +3 OK \/ 3 +True/);
  assert.match(
    (await run("service", "update", "hello", "--env", "TARGET=you", "--tag", "hello-00001=old", ...at)).stdout,
    /updated to latest revision 'hello-00002'/,
  );
  assert.equal((await platform.request("old-hello.default.localhost")).body, "Hello World!\n");
  assert.equal((await platform.request("hello.default.localhost")).body, "Hello you!\n");
  assert.match((await run("service", "describe", "hello", ...at)).stdout, /100% +@latest \(hello-00002\)/);
  assert.match((await run("revision", "list", "-s", "hello", ...at)).stdout, /^hello-00002 +hello +100% /m);
  assert.match((await run("route", "list", ...at)).stdout, /^hello +http:\/\/hello\.default/m);
  for (const [words, kind] of [
    [["service", "describe", "hello"], "Service"],
    [["revision", "list"], "List"],
    [["route", "list"], "List"],
  ] as const) {
    assert.equal((JSON.parse((await run(...words, "-o", "json", ...at)).stdout) as { kind: string }).kind, kind);
    assert.match((await run(...words, "-o", "yaml", ...at)).stdout, new RegExp(`^kind: ${kind}$`, "m"));
  }
  const file = join(home, "service.yaml");
  writeFileSync(
    file,
    "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: from-file}\nspec: {template: {spec: {containers: [{image: dev.local/hello}]}}}\n",
  );
  assert.match((await run("service", "apply", "-f", file, ...at)).stdout, /Service 'from-file' created to latest revision/);
  assert.match((await run("service", "apply", "-f", file, ...at)).stdout, /No changes to apply to service 'from-file'\./);
  assert.equal((await run("service", "delete", "from-file", "as-json", "--wait", ...at)).stdout.split("\n").length, 3);
});

const failures: readonly { readonly name: string; readonly args: readonly string[]; readonly code: number; readonly says: RegExp }[] = [
  { name: "an unknown command", args: ["nonsense"], code: 2, says: /unknown command 'nonsense'/ },
  { name: "a missing argument", args: ["service", "describe"], code: 2, says: /missing required argument 'name'/ },
  { name: "a bad port", args: ["up", "--api-port", "99999"], code: 2, says: /a port is 0 to 65535/ },
  { name: "no such Service", args: ["service", "describe", "nobody"], code: 3, says: /services\.serving\.knative\.dev "nobody" not found/ },
  {
    name: "it exists",
    args: ["service", "create", "hello", "--image", "x"],
    code: 4,
    says: /cannot create service 'hello' in namespace 'default' because the service already exists/,
  },
  {
    name: "refused by validation",
    args: ["service", "create", "bad", "--image", "dev.local/x", "--concurrency-limit", "9999"],
    code: 2,
    says: /expected 0 <= 9999 <= 1000/,
  },
  {
    name: "not ready in time",
    args: ["service", "create", "late", "--image", "dev.local/hello", "--cmd", "sleep", "--arg", "60", "--wait-timeout", "1"],
    code: 6,
    says: /timeout: service 'late' not ready after 1 seconds/,
  },
  {
    name: "an image that is not there",
    args: ["service", "create", "none", "--image", "registry.test/none"],
    code: 7,
    says: /does not have any ready Revision|registry\.test\/none/,
  },
  { name: "nothing to build", args: ["build", "/nowhere", "--image", "dev.local/x"], code: 8, says: /there is no folder \/nowhere/ },
];
for (const { name, args, code, says } of failures) {
  test(`exit code ${code}: ${name}`, async () => {
    const failed = await run(...args, "--data", platform.data);
    assert.equal(failed.code, code, failed.stderr);
    assert.match(failed.stderr, says);
  });
}

test("exit code 10: no platform; as JSON, too", async () => {
  const failed = await run("service", "list", "--data", join(home, "nowhere"), "-o", "json");
  assert.equal(failed.code, 10);
  assert.deepEqual((JSON.parse(failed.stderr) as { error: { code: string; hint: string } }).error.code, "unreachable");
});

test("--help teaches: what it does, its arguments, its flags", async () => {
  const general = (await run("--help")).stdout;
  for (const part of ["First steps:", "eider up --detach", "kubectl and kn work, too", "deploy"]) assert.ok(general.includes(part), part);
  // Of every command: src/cli/program.test.ts.
  const { code, stdout } = await run("service", "create", "--help");
  assert.deepEqual([code, stdout.startsWith("Usage: eider service create")], [0, true], stdout);
});

test("a platform in the foreground says what to do next, and Ctrl-C ends it with all its processes", async () => {
  const data = join(home, "foreground");
  const child = spawn(join(root, "bin/eider"), ["up", "--data", data, "--api-port", "0", "--http-port", "0"], {
    env: environment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await eventually("it is ready", async () => text.includes("Ctrl-C ends the platform and its pods."));
  assert.match(text, /^Eider is ready after \d+\.\d\d s\.$/m);
  const state = JSON.parse(readFileSync(join(data, "run/state.json"), "utf8")) as State;
  assert.equal(state.keeperPid, child.pid);
  assert.equal((await run("deploy", HELLO, "--data", data)).code, 0);
  const pod = Number((await new Platform(data, state).request("hello.default.localhost", "/pid")).body);
  assert.equal(await interrupted(child), 0);
  assert.deepEqual(
    [pod, state.pid].map((pid) => existsSync(`/proc/${pid}`)),
    [false, false],
  );
});

test("nothing was written outside the data folders", () => {
  const known = [
    "data",
    "file",
    "elsewhere",
    "foreign",
    "foreground",
    "newer",
    "newer-before",
    "ports",
    "service.yaml",
    "shell",
    "go",
    ".local",
    ".cache",
    ".config",
  ];
  assert.deepEqual(
    readdirSync(home).filter((name) => !known.includes(name)),
    [],
  );
  assert.deepEqual(readdirSync(join(home, ".local/share")), []);
});

// The real kubectl's exec, cp, attach, port-forward, proxy and logs against pods that are host processes.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, findProgram, Platform, ran, root, type Ran } from "./platform.ts";

const needsKubectl = { skip: findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : false };
let platform: Platform;

/** How kubectl reaches the API server; it falls back from the first to the second by itself, too. */
const TRANSPORTS = [
  { name: "websocket", env: {} },
  { name: "SPDY", env: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" } },
] as const;
type Env = Readonly<Record<string, string>>;
const SILENCE_MS = 60_000;

const environment = (env: Env = {}): NodeJS.ProcessEnv => ({ ...process.env, KUBECONFIG: platform.state.kubeconfig, HOME: platform.data, ...env });
const kubectl = (env: Env, ...args: readonly string[]): Promise<Ran> => ran("kubectl", args, environment(env));

/** Runs kubectl with an input, and gives back what it wrote. */
async function fed(
  env: Env,
  input: Uint8Array,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly stdout: Buffer; readonly stderr: string }> {
  const child = spawn("kubectl", args, { env: environment(env), stdio: ["pipe", "pipe", "pipe"] });
  const out: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout: Buffer.concat(out), stderr };
}

/** Starts a port-forward and waits until it listens on all its ports. */
async function forwarding(
  env: Env,
  ...args: readonly string[]
): Promise<{ readonly child: ChildProcess; readonly ports: readonly number[]; readonly stderr: () => string }> {
  const child = spawn("kubectl", ["port-forward", "--address=127.0.0.1", ...args], { env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const lines = (): string[] => [...stdout.matchAll(/^Forwarding from 127\.0\.0\.1:(\d+)/gm)].map((match) => match[1] ?? "");
  await eventually("the ports are forwarded", async () => lines().length === args.length - 1 || (child.exitCode !== null && assert.fail(stderr)));
  return { child, ports: lines().map(Number), stderr: () => stderr };
}

/** The first words of a kubectl that goes on running. One that ends without any is an error: nothing else would end the wait. */
async function firstWords(env: Env, args: readonly string[]): Promise<{ readonly child: ChildProcess; readonly words: string }> {
  const child = spawn("kubectl", args, { env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const words = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
    child.once("close", (code) => reject(new Error(`kubectl ${args.join(" ")} ended with ${code}: ${stderr}`)));
  });
  return { child, words };
}

/** What a server sends for an HTTP/1.0 request, without its head; "" when it closes at once. */
async function request(port: number): Promise<string> {
  const answer = await echoed(port, Buffer.from("GET / HTTP/1.0\r\n\r\n"), false);
  return answer.toString().split("\r\n\r\n")[1] ?? "";
}

/** Everything that comes back for what is sent; Node's HTTP server takes the end of a client's side for its end. */
async function echoed(port: number, bytes: Uint8Array, ends = true): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let failure: Error | undefined;
  socket.on("error", () => undefined);
  // For a test that would hang, as `eventually` has it.
  socket.setTimeout(SILENCE_MS, () => {
    failure = new Error(`nothing comes any more at port ${port}: ${socket.bytesWritten} of ${bytes.length} bytes sent, ${socket.bytesRead} came back`);
    socket.destroy();
  });
  if (ends) socket.end(bytes);
  else socket.write(bytes);
  socket.on("end", () => socket.end());
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  await new Promise((resolve) => socket.once("close", resolve));
  if (failure !== undefined) throw failure;
  return Buffer.concat(parts);
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p" },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image: "dev.local/hello:v1", ports: [{ containerPort: 8080, name: "web" }], env: [{ name: "COLOR", value: "blue" }] }],
  },
};

/** Sends back what it gets. */
const ECHO = 'require("net").createServer({allowHalfOpen:true},(s)=>s.on("error",()=>{}).pipe(s)).listen(process.env.PORT,"127.0.0.1")';
const echo = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "echo" },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: "main",
        image: "dev.local/hello:v1",
        command: ["node", "-e", ECHO],
        ports: [{ containerPort: 7, name: "echo" }],
        readinessProbe: { tcpSocket: { port: "echo" } },
      },
    ],
  },
};

const shell = (name: string, script: string) => ({ name, image: "dev.local/hello:v1", command: ["sh", "-c", script] });
/** Sends a request's body back as it comes. */
const MIRROR = 'require("http").createServer((q,s)=>q.pipe(s)).listen(process.env.PORT,"127.0.0.1")';
const mirror = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "mirror" },
  spec: { ...echo.spec, containers: [{ ...echo.spec.containers[0], command: ["node", "-e", MIRROR] }] },
};
const listener = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "listener" },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ ...shell("main", "while read line; do echo heard $line; done"), stdin: true }] },
};
const ticker = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "ticker" },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [shell("loud", "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.2; done"), shell("quiet", "exec sleep 1000")],
  },
};

before(async () => {
  if (needsKubectl.skip !== false) return;
  platform = await Platform.start();
  const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", "dev.local/hello:v1");
  assert.equal(built.code, 0, built.stderr);
  await platform.apply(pod);
  for (const each of [echo, mirror, listener, ticker]) await platform.apply(each);
  await platform.kubectl("wait", "pod/p", "pod/echo", "pod/mirror", "pod/listener", "pod/ticker", "--for=condition=Ready", "--timeout=20s");
});
after(async () => {
  await platform?.stop();
});

for (const { name, env } of TRANSPORTS) {
  test(`exec over ${name}: output and errors apart, the container's environment, exit codes`, needsKubectl, async () => {
    const { code, stdout, stderr } = await kubectl(env, "exec", "p", "--", "sh", "-c", 'echo "$COLOR $HOSTNAME"; echo err >&2; exit 3');
    assert.deepEqual([code, stdout, stderr], [3, "blue p\n", "err\ncommand terminated with exit code 3\n"]);
    const killed = await kubectl(env, "exec", "p", "--", "sh", "-c", "kill -9 $$");
    assert.equal(killed.code, 137);
    const missing = await kubectl(env, "exec", "p", "--", "no-such-program");
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /error executing command in container: exec: "no-such-program": executable file not found in \$PATH/);
    const reopened = await kubectl(env, "exec", "p", "--", "sh", "-c", "echo again > /dev/stdout");
    assert.equal(reopened.stdout, "again\n");
  });

  test(`exec -i over ${name}: a large input comes back whole, and its end ends the command`, needsKubectl, async () => {
    const input = randomBytes(20 << 20);
    const { code, stdout } = await fed(env, input, "exec", "-i", "p", "--", "cat");
    assert.deepEqual([code, sha256(stdout)], [0, sha256(input)]);
    // A command that does not read to the end is not waited for.
    assert.equal((await fed(env, input, "exec", "-i", "p", "--", "head", "-c", "3")).stdout.length, 3);
  });

  test(
    `exec -t over ${name}: a terminal of its own`,
    { skip: needsKubectl.skip !== false ? needsKubectl.skip : findProgram("script") === undefined ? "no script" : false },
    async () => {
      // Without a terminal of its own kubectl asks for none; `script` gives it one.
      const line = "kubectl exec -it p -- sh -c 'tty; echo to-stderr >&2; exit 4'";
      const { code, stdout } = await ran("script", ["-qec", line, "/dev/null"], environment(env));
      assert.equal(code, 4, stdout);
      assert.match(stdout, /^\/dev\/pts\/\d+\r\nto-stderr\r\n/);
    },
  );

  test(`cp over ${name}: a folder there and back`, needsKubectl, async () => {
    const folder = join(platform.data, `copied-${name}`);
    mkdirSync(join(folder, "deep"), { recursive: true });
    const large = randomBytes(5 << 20);
    writeFileSync(join(folder, "deep/large"), large);
    writeFileSync(join(folder, "empty"), "");
    const home = (await kubectl(env, "exec", "p", "--", "sh", "-c", "echo $HOME")).stdout.trim();
    const there = await kubectl(env, "cp", folder, `p:${home}/c-${name}`);
    assert.deepEqual([there.code, there.stderr], [0, ""]);
    const back = await kubectl(env, "cp", `p:${home}/c-${name}`, join(platform.data, `back-${name}`));
    assert.equal(back.code, 0, back.stderr);
    assert.equal(sha256(readFileSync(join(platform.data, `back-${name}`, "deep/large"))), sha256(large));
    assert.ok(existsSync(join(platform.data, `back-${name}`, "empty")));
  });

  test(`port-forward over ${name}: several connections at once, a large transfer, a refused port`, needsKubectl, async () => {
    const hello = await forwarding(env, "p", ":8080", ":web");
    const [number = 0, named = 0] = hello.ports;
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => request(index % 2 === 0 ? number : named)));
    assert.deepEqual(new Set(answers), new Set(["Hello World!\n"]));
    hello.child.kill();
    const echoing = await forwarding(env, "pod/echo", ":7");
    const [port = 0] = echoing.ports;
    const large = randomBytes(50 << 20);
    const sent = [large, large.subarray(0, 1 << 20), large.subarray(5, 7)];
    const back = await Promise.all(sent.map((bytes) => echoed(port, bytes)));
    assert.deepEqual(back.map(sha256), sent.map(sha256));
    echoing.child.kill();
    const refused = await forwarding(env, "p", ":9");
    await request(refused.ports[0] ?? 0);
    await eventually("the error is told", async () =>
      /error forwarding port 9 to pod p, uid [-0-9a-f]+: dial tcp4 127\.0\.0\.1:9: connect: connection refused/.test(refused.stderr()),
    );
    refused.child.kill();
  });

  test(`a kubectl over ${name} that is killed takes its command along`, needsKubectl, async () => {
    const { child, words: pid } = await firstWords(env, ["exec", "p", "--", "sh", "-c", "echo $$; exec sleep 1000"]);
    assert.ok(existsSync(`/proc/${pid}`));
    child.kill("SIGKILL");
    await eventually("the command is gone", async () => !existsSync(`/proc/${pid}`));
    assert.deepEqual(readdirSync(join(platform.data, "fifos")), []);
  });
}

for (const { name, env } of TRANSPORTS) {
  test(`attach over ${name}: the output from now on, and an input that outlives who writes it`, needsKubectl, async () => {
    for (const word of ["first", "second"]) {
      const child = spawn("kubectl", ["attach", "-i", "listener"], { env: environment(env), stdio: ["pipe", "pipe", "ignore"] });
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
      child.stdin.write(`${word}-${name}\n`);
      await eventually("it is heard", async () => text === `heard ${word}-${name}\n`);
      child.kill();
    }
  });

  test(`run -i over ${name}: its input ends with ours, and so does the pod`, needsKubectl, async () => {
    const pause = "while ! read line; do :; done; echo $line; cat; echo over";
    const { code, stdout } = await fed(
      env,
      Buffer.from("one\ntwo\n"),
      "run",
      `once-${name.toLowerCase()}`,
      "-i",
      "--rm",
      "--restart=Never",
      "--image=dev.local/hello:v1",
      "--command",
      "--",
      "sh",
      "-c",
      pause,
    );
    assert.equal(code, 0);
    assert.match(stdout.toString(), /one\ntwo\nover\n/);
  });
}

test("logs: times, since, the container, and what there is not", needsKubectl, async () => {
  const logs = (...args: readonly string[]): Promise<Ran> => kubectl({}, "logs", ...args);
  const lines = (await logs("ticker", "--timestamps", "--tail=2")).stdout.trimEnd().split("\n");
  const stamps = lines.map((line) => /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) tick \d+$/.exec(line)?.[1] ?? assert.fail(line));
  assert.ok((stamps[0] ?? "") <= (stamps[1] ?? ""));
  const [, second = ""] = stamps;
  // kubectl sends whole seconds.
  const since = (await logs("ticker", `--since-time=${second}`)).stdout;
  assert.ok(since.includes((lines[1] ?? "").slice(second.length + 1)) && !since.startsWith("tick 1\n"), since);
  assert.equal((await logs("ticker", "--since-time=2099-01-01T00:00:00Z")).stdout, "");
  assert.match((await logs("ticker", "-c", "quiet", "--previous")).stderr, /previous terminated container "quiet" in pod "ticker" not found/);
  assert.match((await logs("ticker", "--all-containers", "--prefix", "--tail=1")).stdout, /^\[pod\/ticker\/loud\] tick \d+$/m);
  const raw = (path: string): Promise<Ran> => kubectl({}, "get", "--raw", `/api/v1/namespaces/default/pods/${path}`);
  assert.match((await raw("ticker/log")).stderr, /a container name must be specified for pod ticker, choose one of: \[loud quiet\]/);
  assert.match(
    (await raw("ticker/log?container=loud&tailLines=-1")).stderr,
    /PodLogOptions "ticker" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0/,
  );
  assert.match((await raw("ticker/log?container=loud&sinceSeconds=x")).stderr, /strconv\.ParseInt: parsing "x": invalid syntax/);
});

test("proxy: to a pod, a Service and the node, over HTTP/2 and through `kubectl proxy`", needsKubectl, async () => {
  const raw = (path: string): Promise<Ran> => kubectl({}, "get", "--raw", `/api/v1/${path}`);
  assert.equal((await raw("namespaces/default/pods/p/proxy/")).stdout, "Hello World!\n");
  assert.equal((await raw("namespaces/default/pods/http:p:8080/proxy/x?y")).stdout, "Hello World!\n");
  assert.match(
    (await raw("namespaces/default/pods/p:9/proxy/")).stderr,
    /error trying to reach service: dial tcp4? 127\.0\.0\.1:9: connect: connection refused/,
  );
  assert.equal((await raw("nodes/eider/proxy/healthz")).stdout, "ok");
  await platform.kubectl("label", "pod", "p", "app=web");
  await platform.kubectl("create", "service", "clusterip", "web", "--tcp=80:8080");
  await eventually("the Service has endpoints", async () => (await raw("namespaces/default/services/web:80/proxy/")).stdout === "Hello World!\n");
  assert.match((await raw("namespaces/default/services/web:81/proxy/")).stderr, /no service port 81 found for service "web"/);
  const { child, words } = await firstWords({}, ["proxy", "--port=0"]);
  const port = Number(/:(\d+)/.exec(words)?.[1]);
  const large = randomBytes(8 << 20);
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/namespaces/default/pods/mirror/proxy/`, { method: "POST", body: large });
  assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), sha256(large));
  child.kill();
});

test("refusals before anything starts", needsKubectl, async () => {
  assert.match((await kubectl({}, "exec", "p", "-c", "other", "--", "ls")).stderr, /container other is not valid for pod p/);
  assert.match((await kubectl({}, "exec", "nobody", "--", "ls")).stderr, /pods "nobody" not found/);
  assert.match((await kubectl({}, "get", "--raw", "/api/v1/namespaces/default/pods/p/exec?command=ls&stdout=true")).stderr, /Upgrade request required/);
});

test("a platform that is killed leaves no command behind, and its pods as they are", needsKubectl, async () => {
  const { words: pid } = await firstWords({}, ["exec", "p", "--", "sh", "-c", "echo $$; exec sleep 1000"]);
  const { containerID } = JSON.parse((await kubectl({}, "get", "pod", "p", "-o", "jsonpath={.status.containerStatuses[0]}")).stdout) as { containerID: string };
  process.kill(platform.state.pid, "SIGKILL");
  await eventually("the command is gone", async () => !existsSync(`/proc/${pid}`));
  await eventually("commands work again", async () => (await kubectl({}, "exec", "p", "--", "echo", "back")).stdout === "back\n");
  const after = JSON.parse((await kubectl({}, "get", "pod", "p", "-o", "jsonpath={.status.containerStatuses[0]}")).stdout) as { containerID: string };
  assert.equal(after.containerID, containerID);
});

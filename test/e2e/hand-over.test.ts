// `eider up --take-over`: another platform process serves, and whoever was served by the old one does not notice.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { silentLogger } from "#core";
import { systemClock } from "#host";
import { connectKeeper } from "#runtimes/keeper";
import { isAlive, podProcesses } from "./kill-world.ts";
import { eventually, findProgram, Platform, root, type State } from "./platform.ts";

const HOST = "hello.default.localhost";
/** Takes one request at a time, and writes down when. */
const SINGLE = "single.default.localhost";
const withKubectl = { skip: findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : false };
let platform: Platform;
let logs: string;

before(async () => {
  if (withKubectl.skip !== false) return;
  platform = await Platform.start();
  const built = await platform.eider("build", join(root, "test/soak/app"), "--image", "dev.local/soak");
  assert.equal(built.code, 0, built.stderr);
  logs = mkdtempSync(join(tmpdir(), "eider-hand-over-"));
  chmodSync(logs, 0o755);
  writeFileSync(singleLog(), "");
  chmodSync(singleLog(), 0o666);
  await deploy("hello", "/dev/null", {});
  await deploy("single", singleLog(), { containerConcurrency: 1 });
});
after(async () => {
  await platform?.stop();
  if (logs !== undefined) rmSync(logs, { recursive: true, force: true });
});

const singleLog = (): string => join(logs, "single.log");

/** A Service with one pod, always. */
async function deploy(name: string, log: string, spec: object): Promise<void> {
  const scale = { "autoscaling.knative.dev/min-scale": "1", "autoscaling.knative.dev/max-scale": "1" };
  const containers = [{ image: "dev.local/soak", env: [{ name: "SOAK_LOG", value: log }] }];
  const template = { metadata: { annotations: scale }, spec: { ...spec, containers } };
  await platform.apply({ apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name, namespace: "default" }, spec: { template } });
  const ready = ["get", "ksvc", name, "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}"];
  await eventually(`${name} is ready`, async () => (await platform.kubectl(...ready)) === "True");
}

/** One request over the agent's connection: its status, `Connection` header and the port of its connection. */
function ask(agent: Agent, path = "/?id=x", host = HOST): Promise<{ status: number; connection: string; port: number }> {
  return new Promise((resolve, reject) => {
    const call = request(platform.state.http + path, { agent, headers: { Host: host } }, (response) => {
      const port = response.socket.localPort ?? 0;
      response.resume();
      response.once("end", () => resolve({ status: response.statusCode ?? 0, connection: response.headers.connection ?? "", port }));
    });
    call.once("error", reject);
    call.end();
  });
}

/** An open tunnel to the Service whose echoes can be asked for. */
async function openTunnel(): Promise<{ echo: (text: string) => Promise<void>; end: () => void }> {
  const { hostname, port } = new URL(platform.state.http);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => (text += chunk));
  socket.write(`GET /?id=tunnel HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  await eventually("the tunnel is open", async () => text.includes('"id":"tunnel"'));
  return {
    async echo(line) {
      socket.write(`${line}\n`);
      await eventually("the tunnel echoes", async () => text.includes(`${line}\n`));
    },
    end: () => socket.end(),
  };
}

const keepAlive = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 });

test("requests and tunnels of before go on in the old platform, kept connections end with a word, new ones are the new platform's", withKubectl, async () => {
  const old = platform.state;
  const pods = podProcesses(platform.data);
  const kept = keepAlive();
  const first = await ask(kept);
  assert.deepEqual([first.status, first.connection], [200, ""]);
  const tunnel = await openTunnel();
  const long = ask(keepAlive(), "/?id=long&sleep=6000");
  const taken = await platform.eider("up", "--detach", "--take-over");
  assert.equal(taken.code, 0, taken.stderr);
  platform.state = JSON.parse(taken.stdout) as State;
  assert.notEqual(platform.state.pid, old.pid);
  assert.deepEqual([platform.state.keeperPid, platform.state.http, platform.state.api], [old.keeperPid, old.http, old.api]);
  assert.ok(isAlive(old.pid), "the old platform drains");
  await tunnel.echo("after the hand-over");
  // `eider up` returns when the new platform serves; the old one hears of it a moment later.
  await eventually("the kept connection ends with a word", async () => {
    const next = await ask(kept);
    assert.deepEqual([next.status, next.port], [200, first.port]);
    return next.connection === "close";
  });
  const last = await ask(kept);
  assert.equal(last.status, 200);
  assert.notEqual(last.port, first.port);
  assert.equal((await long).status, 200);
  assert.equal((await platform.kubectl("get", "ksvc", "hello", "-o", "name")).trim(), "service.serving.knative.dev/hello");
  tunnel.end();
  await eventually("the old platform has ended", async () => !isAlive(old.pid));
  assert.equal((await ask(keepAlive())).status, 200);
  assert.deepEqual(podProcesses(platform.data), pods, "the pods have not noticed");
  kept.destroy();
});

test("a pod that takes one request at a time gets one at a time, from both platforms together, and nothing is lost", withKubectl, async () => {
  const old = platform.state;
  const over = new AbortController();
  const statuses = new Map<number, number>();
  let began = 0;
  const client = async (index: number): Promise<void> => {
    // Some keep their connection for as long as they are let, others come anew with each request.
    const agent = new Agent({ keepAlive: index % 2 === 0, maxSockets: 1 });
    while (!over.signal.aborted) {
      const { status } = await ask(agent, `/?id=${began++}&sleep=3`, SINGLE);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    agent.destroy();
  };
  const clients = Promise.all(Array.from({ length: 8 }, (_, index) => client(index)));
  await eventually("there is load", async () => (statuses.get(200) ?? 0) > 50);
  const before = began;
  const taken = await platform.eider("up", "--detach", "--take-over");
  assert.equal(taken.code, 0, taken.stderr);
  platform.state = JSON.parse(taken.stdout) as State;
  await eventually("the old platform has ended", async () => !isAlive(old.pid));
  over.abort();
  await clients;
  assert.ok(began > before, "requests came during the hand-over");
  assert.deepEqual([...statuses], [[200, began]]);
  const lines = readFileSync(singleLog(), "utf8").split("\n");
  assert.equal(lines.filter((line) => line.startsWith("end ")).length, began);
  assert.equal(mostAtATime(lines), 1);
});

/** Most requests that a program was on at a time, by what it wrote down. */
function mostAtATime(lines: readonly string[]): number {
  let now = 0;
  let most = 0;
  for (const line of lines) {
    if (line.startsWith("start ")) most = Math.max(most, ++now);
    else if (line.startsWith("end ")) now--;
  }
  return most;
}

test("a planted fault is seen: two requests at a time", () => {
  assert.equal(mostAtATime(["start 1 a", "end 1 a", "start 1 b", "start 1 c", "end 1 b", "end 1 c"]), 2);
});

test("a pod that is started after the hand-over answers a request that the old platform holds", withKubectl, async () => {
  const old = platform.state;
  const tunnel = await openTunnel();
  const taken = await platform.eider("up", "--detach", "--take-over");
  assert.equal(taken.code, 0, taken.stderr);
  platform.state = JSON.parse(taken.stdout) as State;
  // The only pod goes while the old platform still has a connection to serve.
  const helloPods = (): number[] =>
    podProcesses(platform.data)
      .filter(({ revision }) => revision === "hello-00001")
      .map(({ pid }) => pid);
  const [pid = 0] = helloPods();
  process.kill(pid, "SIGKILL");
  await eventually("another process serves", async () => helloPods().some((other) => other !== pid));
  assert.equal((await ask(keepAlive())).status, 200);
  tunnel.end();
  await eventually("the old platform has ended", async () => !isAlive(old.pid));
});

test("without the flag a platform of the same version is left alone, and one of another version is replaced", withKubectl, async () => {
  const { pid } = platform.state;
  const refused = await platform.eider("up", "--detach");
  assert.match(refused.stderr, /is in use by a running platform.*eider up --take-over/);
  const file = join(platform.data, "run/state.json");
  const state = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  assert.equal(typeof state["version"], "string");
  writeFileSync(file, JSON.stringify({ ...state, version: "0.0.1" }));
  const taken = await platform.eider("up", "--detach");
  assert.equal(taken.code, 0, taken.stderr);
  platform.state = JSON.parse(taken.stdout) as State;
  assert.notEqual(platform.state.pid, pid);
});

const PREPARED = 'process.send({ handOver: "prepared" }); process.on("message", () => process.exit(3)); setInterval(() => undefined, 1000)';
for (const { name, code, why } of [
  { name: "ends at once", code: "process.exit(3)", why: /was not ready to take over \(it ended with code 3\); the platform serves on/ },
  { name: "ends once it has the store", code: PREPARED, why: /did not come up after it had taken over; the one before it was started again/ },
]) {
  test(`a program that ${name} does not take over: requests are answered all the same`, withKubectl, async () => {
    const before = platform.state;
    const keeper = await connectKeeper({ dataDir: platform.data, clock: systemClock, logger: silentLogger }, new AbortController().signal);
    const over = new AbortController();
    const statuses: number[] = [];
    const load = (async () => {
      while (!over.signal.aborted) statuses.push((await ask(new Agent({ keepAlive: false }))).status);
    })();
    await assert.rejects(keeper.call({ do: "takeOver", program: { execPath: process.execPath, execArgv: ["-e", code, "--"] } }), why);
    keeper.close();
    platform.state = await eventually("a platform is ready", async () => {
      const status = await platform.eider("status", "-o", "json");
      const state = status.code === 0 ? (JSON.parse(status.stdout) as State) : undefined;
      return state !== undefined && isAlive(state.pid) && (code === PREPARED) === (state.pid !== before.pid) && state;
    });
    over.abort();
    await load;
    assert.ok(statuses.length > 0);
    assert.deepEqual([...new Set(statuses)], [200]);
  });
}

test("eider down ends a platform that drains, too", withKubectl, async () => {
  const old = platform.state;
  const tunnel = await openTunnel();
  const taken = await platform.eider("up", "--detach", "--take-over");
  assert.equal(taken.code, 0, taken.stderr);
  await tunnel.echo("still there");
  assert.equal((await platform.eider("down")).code, 0);
  assert.ok(!isAlive(old.pid));
});

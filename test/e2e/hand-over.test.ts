// `eider up --take-over`: another platform process serves, and whoever was served by the old one does not notice.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { silentLogger } from "#core";
import { systemClock } from "#host";
import { connectKeeper } from "#runtimes/keeper";
import { isAlive, podProcesses } from "./kill-world.ts";
import { eventually, findProgram, Platform, root, type State } from "./platform.ts";

const HOST = "hello.default.localhost";
const withKubectl = { skip: findProgram("kubectl") === undefined ? "kubectl is not on the PATH" : false };
let platform: Platform;

before(async () => {
  if (withKubectl.skip !== false) return;
  platform = await Platform.start();
  const built = await platform.eider("build", join(root, "test/soak/app"), "--image", "dev.local/soak");
  assert.equal(built.code, 0, built.stderr);
  await platform.apply({
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "hello", namespace: "default" },
    spec: {
      template: {
        metadata: { annotations: { "autoscaling.knative.dev/min-scale": "1" } },
        spec: { containers: [{ image: "dev.local/soak", env: [{ name: "SOAK_LOG", value: "/dev/null" }] }] },
      },
    },
  });
  const ready = ["get", "ksvc", "hello", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}"];
  await eventually("the Service is ready", async () => (await platform.kubectl(...ready)) === "True");
});
after(async () => {
  await platform?.stop();
});

/** One request over the agent's connection: its status, `Connection` header and the port of its connection. */
function ask(agent: Agent, path = "/?id=x"): Promise<{ status: number; connection: string; port: number }> {
  return new Promise((resolve, reject) => {
    const call = request(platform.state.http + path, { agent, headers: { Host: HOST } }, (response) => {
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
  const [pod] = podProcesses(platform.data);
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
  assert.deepEqual(podProcesses(platform.data), [pod], "the pod has not noticed");
  kept.destroy();
});

test("a pod that is started after the hand-over answers a request that the old platform holds", withKubectl, async () => {
  const old = platform.state;
  const tunnel = await openTunnel();
  const taken = await platform.eider("up", "--detach", "--take-over");
  assert.equal(taken.code, 0, taken.stderr);
  platform.state = JSON.parse(taken.stdout) as State;
  // The only pod goes while the old platform still has a connection to serve.
  const { pid } = podProcesses(platform.data)[0] ?? { pid: 0 };
  process.kill(pid, "SIGKILL");
  await eventually("another process serves", async () => podProcesses(platform.data).some((other) => other.pid !== pid));
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

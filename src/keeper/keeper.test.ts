// The whole keeper with stand-in platforms: sockets that survive a killed platform, restarts, hand-over, orphan grace, lock.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { SeededRng, silentLogger, SimClock, type Clock } from "#core";
import { encodeLine, keeperSocketPath, LineSplitter, type KeeperRequest } from "#protocol";
import { lockDataFolder } from "./data-lock.ts";
import { isRunning } from "./identity.ts";
import { openListeningSockets, PortTakenError, type ListeningSockets } from "./listening-sockets.ts";
import { runKeeper, type KeeperOptions } from "./run-keeper.ts";

/** These tests watch other processes, so they live in real time. */
const realClock: Clock = {
  monotonicMs: () => Number(process.hrtime.bigint() / 1_000_000n),
  wallMs: () => new Date().getTime(),
  sleep: (ms, signal) => pause(ms, undefined, { signal }),
};

/** Two threads, each listens on both its inherited descriptors and names its process; thread 1 can be ended by a message. */
const SERVING = `
const { Worker } = require("node:worker_threads");
const net = require("node:net");
const start = JSON.parse(process.argv.find((a) => a.startsWith("--eider-platform=")).slice(17));
const kept = [];
const serve = (i, fds) => {
  const code = 'const handle = (s) => { s.on("error", () => {}); s.once("data", (d) => { if (String(d) === "die " + ' + i + ') process.exit(); s.end(String(process.pid)); }); }; let open = 0; for (const fd of ' + JSON.stringify(fds) + ') require("node:net").createServer(handle).listen({ fd }, () => ++open === 2 && require("node:worker_threads").parentPort.postMessage(0))';
  return new Promise((listening) => new Worker(code, { eval: true }).once("message", listening).once("exit", () => call({ do: "replaceSocket", thread: i })));
};
const halves = {};
process.on("message", (m, h) => { kept.push(h); if (m.listener === "public") halves[m.socketOfThread] = h.fd; else serve(m.socketOfThread, [halves[m.socketOfThread], h.fd]); });
process.once("disconnect", () => process.exit());
const keeper = net.connect("keeper.sock");
let id = 0;
const call = (request) => keeper.write(JSON.stringify({ id: id++, ...request }) + "\\n");
call({ do: "hello", version: 1 });
const up = start.sockets.httpFds.map((fd, i) => serve(i, [fd, start.sockets.internalFds[i]]));
Promise.all(up).then(() => call({ do: "ready", line: JSON.stringify({ pid: process.pid, epoch: start.epoch }) }));
`;

interface Running {
  readonly sockets: ListeningSockets;
  readonly dir: string;
  /** The line of the n-th platform that became ready. */
  ready(n: number): Promise<{ readonly pid: number; readonly epoch: number }>;
  readonly ended: Promise<string>;
}

async function start(t: TestContext, script: string, more: Partial<KeeperOptions> = {}): Promise<Running> {
  const dir = mkdtempSync(join(tmpdir(), "eider-keeper-"));
  const cwd = process.cwd();
  const lock = lockDataFolder(dir);
  assert.ok(lock !== "held");
  const sockets = await openListeningSockets({ host: "127.0.0.1", httpPort: 0, internalPort: 0, apiPort: 0, threads: 2 });
  const stop = new AbortController();
  const lines: string[] = [];
  const platform = { execPath: process.execPath, execArgv: ["-e", script, "--"], argv: [], env: { PATH: "/usr/bin:/bin" } };
  const onReady = (line: string): void => void lines.push(line);
  const fixed = { dataDir: dir, lock, sockets, platform, orphanGraceMs: 10_000, clock: realClock, rng: new SeededRng(1), logger: silentLogger, onReady };
  const ended = runKeeper({ ...fixed, ...more }, stop.signal);
  t.after(async () => {
    stop.abort();
    await ended;
    process.chdir(cwd);
    rmSync(dir, { recursive: true, force: true });
  });
  const ready = async (n: number): Promise<{ pid: number; epoch: number }> => {
    while (lines[n] === undefined) await pause(2);
    return JSON.parse(lines[n] ?? "") as { pid: number; epoch: number };
  };
  return { sockets, dir, ready, ended };
}

/** One request over a fresh connection: what the server wrote, or the error's code. */
function ask(port: number, text = "hi"): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => (answer += String(chunk)));
    socket.once("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? "error"));
    socket.once("close", () => resolve(answer));
  });
}

/** Whether none of its threads runs any more. */
function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => / [Tt] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").replace(/^.*\)/, "")));
}

/** Connects all the time until told to stop; counts refused connections and answers. */
function load(t: TestContext, port: number) {
  const seen = { refused: 0, answered: new Set<string>(), stop: false };
  t.after(() => (seen.stop = true));
  const client = async (): Promise<void> => {
    while (!seen.stop) {
      const answer = await ask(port);
      if (answer === "ECONNREFUSED") seen.refused += 1;
      else if (/^\d+$/.test(answer)) seen.answered.add(answer);
    }
  };
  return { seen, done: Promise.all([client(), client()]) };
}

async function call(dir: string, request: KeeperRequest): Promise<unknown> {
  const socket = connect({ path: keeperSocketPath(dir, process.cwd()) ?? "" });
  socket.write(encodeLine({ id: 1, do: "hello", version: 1 }) + encodeLine({ id: 2, ...request }));
  const lines = new LineSplitter();
  for await (const chunk of socket) {
    for (const line of lines.push(chunk as Buffer)) {
      const answer = JSON.parse(line) as { id: number };
      if (answer.id !== 2) continue;
      socket.end();
      return answer;
    }
  }
  return undefined;
}

test("kill -9 of the platform refuses no connection, and the next platform serves on the same sockets", async (t) => {
  const { sockets, ready } = await start(t, SERVING);
  const first = await ready(0);
  const port = sockets.numbers.httpPort;
  assert.equal(await ask(port), String(first.pid));
  const { seen, done } = load(t, port);
  process.kill(first.pid, "SIGKILL");
  const second = await ready(1);
  assert.deepEqual({ epochs: [first.epoch, second.epoch], same: first.pid === second.pid }, { epochs: [0, 1], same: false });
  while (!seen.answered.has(String(second.pid))) await pause(2);
  seen.stop = true;
  await done;
  assert.equal(seen.refused, 0);
});

for (const listener of ["httpPort", "internalPort"] as const) {
  test(`connections that wait for a platform that is killed (${listener}) are all answered by the next one`, async (t) => {
    const { sockets, ready } = await start(t, SERVING);
    const first = await ready(0);
    process.kill(first.pid, "SIGSTOP");
    while (!isStopped(first.pid)) await pause(1);
    const clients = Array.from({ length: 40 }, () => connect(sockets.numbers[listener], "127.0.0.1"));
    await Promise.all(clients.map((client) => once(client, "connect")));
    const answers = clients.map((client) => once(client, "data").then(String, (error: NodeJS.ErrnoException) => error.code));
    for (const client of clients) client.write("hi");
    process.kill(first.pid, "SIGKILL");
    const second = await ready(1);
    assert.deepEqual(new Set(await Promise.all(answers)), new Set([String(second.pid)]));
  });
}

test("planted fault: a platform that binds its port itself does refuse connections when it is killed", async (t) => {
  const script = `require("node:net").createServer((s) => { s.on("error", () => {}); s.end("x"); }).listen(0, "127.0.0.1", function () { console.log(this.address().port); })`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  const { seen, done } = load(t, Number(String(port)));
  child.kill("SIGKILL");
  await once(child, "exit");
  while (seen.refused === 0) await pause(2);
  seen.stop = true;
  await done;
  assert.ok(seen.refused > 0);
});

for (const listener of ["httpPort", "internalPort"] as const) {
  test(`a dead thread's sockets are sent again (${listener}): connections wait and are answered by the same platform`, async (t) => {
    const { sockets, ready } = await start(t, SERVING);
    const { pid } = await ready(0);
    const port = sockets.numbers[listener];
    const { seen, done } = load(t, port);
    for (let round = 0; round < 4; round++) await ask(port, "die 1");
    for (let request = 0; request < 20; request++) assert.notEqual(await ask(port), "ECONNREFUSED");
    seen.stop = true;
    await done;
    assert.equal(seen.refused, 0);
    assert.deepEqual([...seen.answered], [String(pid)]);
  });
}

test("what a platform keeps for the next keeper outlives the sockets that its threads listened on", async (t) => {
  const keeps = `
const fs = require("node:fs");
const start = JSON.parse(process.argv.find((a) => a.startsWith("--eider-platform=")).slice(17));
for (const fd of [...start.sockets.httpFds, ...start.sockets.internalFds, start.sockets.apiFd]) fs.closeSync(fd);
const answer = (fd) => (s) => s.once("data", () => s.end(String(fd)));
const up = [...start.kept.httpFds, ...start.kept.internalFds, start.kept.apiFd].map((fd) => new Promise((up) => require("node:net").createServer(answer(fd)).listen({ fd }, up)));
process.once("disconnect", () => process.exit());
const keeper = require("node:net").connect("keeper.sock");
keeper.write(JSON.stringify({ id: 0, do: "hello", version: 1 }) + "\\n");
Promise.all(up).then(() => keeper.write(JSON.stringify({ id: 1, do: "ready", line: JSON.stringify({ pid: process.pid, epoch: start.epoch }) }) + "\\n"));
`;
  const { sockets, ready } = await start(t, keeps);
  await ready(0);
  const { httpPort, internalPort, apiPort, httpFds } = sockets.numbers;
  const first = 4 + 2 * httpFds.length + 1;
  const [outside, inside, api] = (await Promise.all([httpPort, internalPort, apiPort].map((port) => ask(port)))).map((fd) => Number(fd) - first);
  assert.ok(outside !== undefined && outside >= 0 && outside < httpFds.length, `descriptor ${outside}`);
  assert.ok(inside !== undefined && inside >= httpFds.length && inside < 2 * httpFds.length, `descriptor ${inside}`);
  assert.equal(api, 2 * httpFds.length);
});

test("no platform for the orphan grace: the processes and the keeper end", async (t) => {
  const { dir, ended } = await start(t, "process.exit(1)", { orphanGraceMs: 400 });
  const process1 = { id: "p/app", argv: ["/bin/sleep", "300"], env: {}, cwd: dir, outputFile: join(dir, "out"), outputBytesMax: 1000 };
  const answer = (await call(dir, { do: "start", process: process1 })) as {
    ok: boolean;
    identity: { pid: number; startTime: string; bootId: string; uid: number };
  };
  assert.equal(answer.ok, true);
  assert.equal(await ended, "orphaned");
  assert.equal(isRunning(answer.identity), false);
});

test("a platform that starts slowly is waited for, beyond the orphan grace", async (t) => {
  const { ready } = await start(t, SERVING, { orphanGraceMs: 1 });
  assert.equal((await ready(0)).epoch, 0);
});

test("a platform that hangs while it starts ends with its keeper after a minute", async (t) => {
  const clock = new SimClock();
  const { dir, ended } = await start(t, "setInterval(() => {}, 1000)", { orphanGraceMs: 1, clock });
  // Who answers has started its platform.
  await call(dir, { do: "list" });
  let end = "";
  void ended.then((why) => (end = why));
  await clock.advance(59_000);
  assert.equal(end, "");
  await clock.advance(2_000);
  assert.equal(await ended, "orphaned");
});

test("a platform that refuses to start for good ends the keeper at once", async (t) => {
  const { ended } = await start(t, "process.exit(78)");
  assert.equal(await ended, "refused");
});

test("shutdown ends the platform, the processes and the keeper, and frees the data folder", async (t) => {
  const { dir, ready, ended } = await start(t, SERVING);
  const { pid } = await ready(0);
  assert.equal(lockDataFolder(dir), "held");
  assert.deepEqual(await call(dir, { do: "shutdown", graceMs: 1_000 }), { id: 2, ok: true });
  assert.equal(await ended, "shutdown");
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  const again = lockDataFolder(dir);
  assert.ok(again !== "held");
  again.release();
});

test("the socket refuses other versions, calls before hello and nonsense", async (t) => {
  const { dir, ready } = await start(t, SERVING);
  await ready(0);
  const talk = async (text: string): Promise<string> => {
    const socket = connect({ path: keeperSocketPath(dir, process.cwd()) ?? "" });
    socket.write(text);
    const [chunk] = (await Promise.race([once(socket, "data"), once(socket, "close").then(() => ["closed"])])) as [unknown];
    socket.destroy();
    return String(chunk).trim();
  };
  assert.equal(await talk(encodeLine({ id: 1, do: "hello", version: 99 })), '{"id":1,"ok":false,"error":"this keeper speaks version 1, not 99"}');
  assert.equal(await talk(encodeLine({ id: 1, do: "list" })), '{"id":1,"ok":false,"error":"say hello first"}');
  assert.equal(await talk("GET / HTTP/1.1\r\n\r\n"), "closed");
});

test("a port that is taken is named with its holder", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const wanted = { host: "127.0.0.1", httpPort: port, internalPort: 0, apiPort: 0, threads: 1 };
  await assert.rejects(
    openListeningSockets(wanted),
    (error) => error instanceof PortTakenError && error.port === port && error.message.includes(`(pid ${process.pid})`),
  );
  server.close();
});

test("a port that another keeper has bound, and nobody listens on yet, is taken; a failed attempt leaves nothing taken", async () => {
  const first = await openListeningSockets({ host: "127.0.0.1", httpPort: 0, internalPort: 0, apiPort: 0, threads: 2 });
  const { httpPort, internalPort, apiPort } = first.numbers;
  const takenPort = (port: number) => (error: unknown) => error instanceof PortTakenError && error.port === port;
  await assert.rejects(openListeningSockets({ host: "127.0.0.1", httpPort, internalPort: 0, apiPort: 0, threads: 2 }), takenPort(httpPort));
  await assert.rejects(openListeningSockets({ host: "127.0.0.1", httpPort: 0, internalPort, apiPort: 0, threads: 2 }), takenPort(internalPort));
  const other = await openListeningSockets({ host: "127.0.0.1", httpPort: 0, internalPort: 0, apiPort: 0, threads: 1 });
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  await assert.rejects(openListeningSockets({ host: "127.0.0.1", httpPort: port, internalPort: 0, apiPort, threads: 2 }), takenPort(apiPort));
  const again = await openListeningSockets({ host: "127.0.0.1", httpPort: port, internalPort: 0, apiPort: 0, threads: 2 });
  assert.equal(again.numbers.httpPort, port);
  assert.notEqual(other.numbers.httpPort, httpPort);
});

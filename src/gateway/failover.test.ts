// Pods that die, refuse, hang or leave while requests are under way: what is tried again, where, and what the client sees.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { SimClock, type Clock } from "#core";
import type { BackendPod } from "#protocol";
import {
  answering,
  backendEntry,
  eventually,
  hostEntry,
  ok,
  request,
  socketClock,
  startClient,
  startGateway,
  startPod,
  type TestClient,
  type TestGateway,
  type TestPod,
} from "./testing.ts";

function podEntry(pod: { readonly port: number }, id: string, slot = 0): BackendPod {
  return { id, slot, address: "127.0.0.1", port: pod.port, state: "ready" };
}

/** A port where nobody listens. */
async function refusing(): Promise<{ port: number }> {
  const pod = await startPod(() => undefined);
  await pod[Symbol.asyncDispose]();
  return { port: pod.port };
}

function route(gateway: TestGateway, pods: readonly BackendPod[], over: object = {}): void {
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ ...over, pods })] });
}

/** The client's answers come to `count`, and the last one ends so. */
async function answered(client: TestClient, end: string, count = 1): Promise<void> {
  const text = await client.until((received) => received.split(end).length > count || /HTTP\/1\.1 [45]0\d [^]*\r\n\r\n./.test(received));
  assert.ok(text.endsWith(end), text);
}

const POST = (body: string): string => request("/", [`Content-Length: ${body.length}`], "POST") + body;

/** The whole body of a POST, echoed. */
function echoing(seen: string[]): (socket: Socket) => void {
  return (socket) => {
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      seen.push(text.slice(end + 4, end + 4 + length));
      text = text.slice(end + 4 + length);
      socket.write(ok("stored"));
    });
  };
}

test("a POST that one pod refuses goes to the other one, with its body", async () => {
  await using gateway = await startGateway();
  const seen: string[] = [];
  await using alive = await startPod(echoing(seen));
  const dead = await refusing();
  route(gateway, [podEntry(dead, "dead"), podEntry(alive, "alive", 1)]);
  for (let turn = 0; turn < 10; turn++) {
    using client = await startClient(gateway.gateway.port);
    client.send(POST(`body ${turn}`));
    await answered(client, "stored");
  }
  assert.equal(seen.length, 10);
  assert.equal(gateway.counter("eider_gateway_retries_total"), 1, "the refusing pod is met once and suspect then");
});

test("a GET whose pod dies without an answer goes to another pod; a POST does not", async () => {
  await using gateway = await startGateway();
  let killed = 0;
  await using bad = await startPod((socket) => socket.on("data", () => (killed++, socket.resetAndDestroy())));
  await using good = await startPod(answering(() => ok("good")));
  route(gateway, [podEntry(bad, "bad"), podEntry(good, "good", 1)]);
  for (let turn = 0; turn < 20; turn++) {
    using client = await startClient(gateway.gateway.port);
    client.send(request("/"));
    await answered(client, "good");
  }
  assert.ok(killed > 0);
  route(gateway, [podEntry(bad, "bad")]);
  using client = await startClient(gateway.gateway.port);
  const before = killed;
  client.send(POST("x"));
  const text = await client.until((received) => received.includes("502"));
  assert.match(text, /read tcp 127\.0\.0\.1:\d+: read: connection reset by peer\n$/);
  assert.equal(killed, before + 1, "sent once");
});

test("a GET that kills every pod is sent three times and no more", async () => {
  await using gateway = await startGateway();
  let killed = 0;
  const pods: TestPod[] = [];
  for (let index = 0; index < 6; index++) pods.push(await startPod((socket) => socket.on("data", () => (killed++, socket.destroy()))));
  route(
    gateway,
    pods.map((pod, index) => podEntry(pod, `p${index}`, index)),
  );
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  assert.match(await client.until((text) => text.includes("502")), /\r\n\r\nEOF\n$/);
  assert.equal(killed, 3);
  for (const pod of pods) await pod[Symbol.asyncDispose]();
});

test("an application's own 503 is its answer and is not tried again", async () => {
  await using gateway = await startGateway();
  let asked = 0;
  await using pod = await startPod(answering(() => (asked++, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")));
  await using other = await startPod(answering(() => (asked++, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")));
  route(gateway, [podEntry(pod, "a"), podEntry(other, "b", 1)]);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await answered(client, "busy");
  assert.equal(asked, 1);
});

test("a POST on a kept connection that the pod had closed already is sent anew: nobody has seen it", async () => {
  await using gateway = await startGateway();
  const seen: string[] = [];
  await using pod = await startPod(echoing(seen));
  route(gateway, [podEntry(pod, "p")]);
  using client = await startClient(gateway.gateway.port);
  client.send(POST("one"));
  await answered(client, "stored");
  for (const end of ["close", "reset"] as const) {
    const [socket] = pod.sockets;
    assert.ok(socket !== undefined);
    const before = seen.length;
    // Both are there when the gateway's turn comes, and it reads the request before it hears of the end.
    client.send(POST(end));
    if (end === "close") socket.destroy();
    else socket.resetAndDestroy();
    await answered(client, "stored", before + 1);
  }
  assert.deepEqual(seen, ["one", "close", "reset"]);
});

for (const end of ["close", "reset"] as const) {
  test(`and a POST that was written before the gateway could hear of the end (${end})`, async () => {
    let hook: (() => void) | undefined;
    // Asked within the turn that takes the request, before anything is written.
    const clock: Clock = { ...socketClock, monotonicMs: () => (hook?.(), socketClock.monotonicMs()) };
    await using gateway = await startGateway(clock);
    const seen: string[] = [];
    await using pod = await startPod(echoing(seen));
    route(gateway, [podEntry(pod, "p")]);
    using client = await startClient(gateway.gateway.port);
    client.send(POST("one"));
    await answered(client, "stored");
    const [socket] = pod.sockets;
    assert.ok(socket !== undefined);
    hook = () => {
      hook = undefined;
      if (end === "close") socket.destroy();
      else socket.resetAndDestroy();
    };
    client.send(POST("two"));
    await answered(client, "stored", 2);
    assert.deepEqual(seen, ["one", "two"]);
  });
}

for (const end of ["close", "half-close", "reset"] as const) {
  test(`a POST that the application has read before it ended a kept connection (${end}) is not sent twice`, async () => {
    await using gateway = await startGateway();
    let read = 0;
    await using pod = await startPod((socket) =>
      socket.on("data", (bytes: Buffer) => {
        if (bytes.includes("POST")) read++;
        if (read === 1) socket.write(ok("first"));
        else if (end === "close") socket.destroy();
        else if (end === "half-close") socket.end();
        else socket.resetAndDestroy();
      }),
    );
    route(gateway, [podEntry(pod, "p")]);
    using client = await startClient(gateway.gateway.port);
    client.send(POST("a"));
    await answered(client, "first");
    client.send(POST("b"));
    const text = await client.until((received) => received.includes("502") || received.split("first").length > 2);
    assert.match(text, end === "reset" ? /connection reset by peer\n$/ : /\r\n\r\nEOF\n$/);
    assert.equal(read, 2);
  });
}

test("a POST does not go over a connection that was idle for more than a second, a GET does", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  await using pod = await startPod(answering(() => ok("x")));
  route(gateway, [podEntry(pod, "p")]);
  using client = await startClient(gateway.gateway.port);
  const empty = request("/", ["Content-Length: 0"], "POST");
  let answers = 0;
  const send = async (text: string): Promise<number> => {
    client.send(text);
    answers++;
    await client.until((received) => received.match(/200 OK/g)?.length === answers && received.endsWith("x"));
    return pod.connections;
  };
  assert.equal(await send(empty), 1);
  assert.equal(await send(empty), 1, "just used");
  await clock.advance(1_500);
  assert.equal(await send(request("/")), 1, "what can be repeated takes the risk");
  await clock.advance(1_500);
  assert.equal(await send(empty), 2, "a new one");
});

test("a request to the only pod, which refuses, waits for the next one", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  const seen: string[] = [];
  const dead = await refusing();
  route(gateway, [podEntry(dead, "dead")], { containerConcurrency: 1 });
  using client = await startClient(gateway.gateway.port);
  client.send(POST("kept"));
  await eventually(() => gateway.counter("eider_gateway_retries_total") === 1);
  await clock.advance(2_000);
  assert.equal(client.text(), "");
  await using pod = await startPod(echoing(seen));
  route(gateway, [podEntry(pod, "new", 1)], { containerConcurrency: 1 });
  await answered(client, "stored");
  assert.deepEqual(seen, ["kept"]);
});

test("of many requests for one place the first meets the refusal, and the others wait without trying", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  let release: (() => void) | undefined;
  await using pod = await startPod((socket) =>
    socket.on("data", () => (release ??= () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast"))),
  );
  route(gateway, [podEntry(pod, "p")], { containerConcurrency: 1 });
  using first = await startClient(gateway.gateway.port);
  first.send(request("/"));
  await eventually(() => release !== undefined);
  const clients = await Promise.all(Array.from({ length: 5 }, () => startClient(gateway.gateway.port)));
  for (const client of clients) client.send(POST("x"));
  await eventually(() => gateway.counter("eider_gateway_held_requests_total") === 5);
  pod.stopListening();
  release?.();
  await answered(first, "last");
  await eventually(() => gateway.counter("eider_gateway_retries_total") > 0);
  await clock.advance(1_000);
  assert.equal(gateway.counter("eider_gateway_retries_total"), 1);
  const seen: string[] = [];
  await using young = await startPod(echoing(seen));
  route(gateway, [podEntry(young, "young", 1)], { containerConcurrency: 1 });
  for (const client of clients) await answered(client, "stored");
  for (const client of clients) client[Symbol.dispose]();
});

test("a pod that refused is tried again by connecting, and is used once it listens", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  const port = await refusing();
  route(gateway, [podEntry(port, "p")]);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await eventually(() => gateway.counter("eider_gateway_retries_total") === 1);
  await using pod = await startPod(
    answering(() => ok("back")),
    port.port,
  );
  await eventually(async () => (await clock.advance(50), client.text().endsWith("back")));
  assert.equal(pod.connections, 1, "the connection that proved it carries the request");
  assert.ok(!gateway.sent.some((message) => message.type === "podReady"), "control has not called it starting");
});

test("a pod that goes on refusing gives 502 with Go's words after five seconds", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  const dead = await refusing();
  route(gateway, [podEntry(dead, "dead")]);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await eventually(() => gateway.counter("eider_gateway_retries_total") === 1);
  await clock.advance(4_900);
  assert.equal(client.text(), "");
  await clock.advance(150);
  const text = await client.until((received) => received.includes("refused"));
  assert.ok(text.startsWith("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"), text);
  assert.ok(text.endsWith(`\r\n\r\ndial tcp 127.0.0.1:${dead.port}: connect: connection refused\n`), text);
});

test("when control takes the refusing pod out, a request waits on, as others do at zero", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  route(gateway, [podEntry(await refusing(), "dead")]);
  using client = await startClient(gateway.gateway.port);
  client.send(POST("patient"));
  await eventually(() => gateway.counter("eider_gateway_retries_total") === 1);
  route(gateway, []);
  await clock.advance(60_000);
  assert.equal(client.text(), "");
  const seen: string[] = [];
  await using pod = await startPod(echoing(seen));
  route(gateway, [podEntry(pod, "new", 1)]);
  await answered(client, "stored");
  assert.deepEqual(seen, ["patient"]);
});

test("waiting again ends with the request's own time", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  const dead = await refusing();
  route(gateway, [podEntry(dead, "dead")], { timeoutMs: 3_000 });
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await eventually(() => gateway.counter("eider_gateway_retries_total") === 1);
  await clock.advance(3_050);
  await client.until((text) => text.startsWith("HTTP/1.1 504 ") && text.endsWith("activator request timeout"));
});

test("a request whose pod leaves the table and dies is sent to its successor", async () => {
  await using gateway = await startGateway();
  let die: (() => void) | undefined;
  await using old = await startPod((socket) => socket.on("data", () => (die = () => socket.destroy())));
  await using young = await startPod(answering(() => ok("young")));
  route(gateway, [podEntry(old, "old")]);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await eventually(() => die !== undefined);
  route(gateway, [podEntry(young, "young", 1)]);
  die?.();
  await answered(client, "young");
  assert.equal(old.connections, 1, "never a request to a pod that goes away");
});

test("a request whose only pod leaves the table and dies waits for the next pod", async () => {
  await using gateway = await startGateway();
  let die: (() => void) | undefined;
  await using old = await startPod((socket) => socket.on("data", () => (die = () => socket.destroy())));
  route(gateway, [podEntry(old, "old")]);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await eventually(() => die !== undefined);
  route(gateway, []);
  die?.();
  await eventually(() => gateway.counter("eider_gateway_retries_total") === 1);
  await using young = await startPod(answering(() => ok("young")));
  route(gateway, [podEntry(young, "young", 1)]);
  await answered(client, "young");
  assert.equal(old.connections, 1, "never a request to a pod that goes away");
});

/** A pod whose process stands still with a full backlog: the kernel answers no attempt to connect. */
async function standingStill(): Promise<{ readonly port: number } & AsyncDisposable> {
  const program = `const server = require("node:net").createServer(); server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  child.kill("SIGSTOP");
  const fillers = Array.from({ length: 2 }, () => connect({ port, host: "127.0.0.1" }));
  for (const filler of fillers) await once(filler, "connect");
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const filler of fillers) filler.destroy();
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

test("a pod that lets nobody connect is left for another one after 50 ms", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  await using stuck = await standingStill();
  await using good = await startPod(answering(() => ok("good")));
  route(gateway, [podEntry(stuck, "stuck")]);
  using client = await startClient(gateway.gateway.port);
  client.send(POST("x"));
  await gateway.message("load");
  route(gateway, [podEntry(stuck, "stuck"), podEntry(good, "good", 1)]);
  await clock.advance(40);
  assert.equal(good.connections, 0);
  await clock.advance(60);
  await answered(client, "good");
  assert.equal(gateway.counter("eider_gateway_retries_total"), 1);
});

test("when it is the only one, dialing is given up after fifteen attempts", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  await using stuck = await standingStill();
  route(gateway, [podEntry(stuck, "stuck")]);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await gateway.message("load");
  await clock.advance(19_000);
  assert.equal(client.text(), "");
  await clock.advance(1_000);
  const text = await client.until((received) => received.includes("dialing"));
  assert.match(text, new RegExp(`^HTTP/1\\.1 502 [^]*\\r\\n\\r\\ntimed out dialing 127\\.0\\.0\\.1:${stuck.port} after 19\\.\\d\\ds\\n$`));
  assert.equal(gateway.counter("eider_gateway_retries_total"), 15);
});

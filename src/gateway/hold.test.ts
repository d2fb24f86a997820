// Requests that wait: at zero, for a place under containerConcurrency, until a deadline; and what control is told meanwhile.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import type { BackendPod } from "#protocol";
import { answering, backendEntry, eventually, hostEntry, ok, request, startClient, startGateway, startPod, type TestGateway, type TestPod } from "./testing.ts";

function podEntry(pod: TestPod, over: Partial<BackendPod> = {}): BackendPod {
  return { id: "pod-1", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready", ...over };
}

function types(gateway: TestGateway): string[] {
  return gateway.sent.map((message) => message.type);
}

test("a request at zero wakes its revision at once, is held, and is served by the first pod that comes", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering(() => ok("woken")));
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry()] });
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  assert.equal((await gateway.message("wake")).backend, "ns/rev");
  assert.deepEqual((await gateway.message("load")).backends, [{ backend: "ns/rev", averageConcurrency: 1, requestCount: 1, waiting: 0 }]);
  gateway.routes({ backends: [backendEntry({ pods: [podEntry(pod)] })] });
  await client.until((text) => text.endsWith("woken"));
});

test("held requests are served oldest first, and one whose client left is not served at all", async () => {
  await using gateway = await startGateway();
  const paths: string[] = [];
  await using pod = await startPod(answering((head) => (paths.push(head.split(" ")[1] ?? ""), ok("x"))));
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ containerConcurrency: 1 })] });
  using first = await startClient(gateway.gateway.port);
  using gone = await startClient(gateway.gateway.port);
  using last = await startClient(gateway.gateway.port);
  for (const [client, path] of [
    [first, "/first"],
    [gone, "/gone"],
    [last, "/last"],
  ] as const) {
    const held = gateway.gateway;
    client.send(request(path));
    let count = 0;
    await eventually(() => {
      held.receive({ type: "metrics", id: 1 });
      const message = gateway.sent.findLast((sent) => sent.type === "metrics");
      const now = message?.type === "metrics" ? (message.counters["eider_gateway_held_requests_total"] ?? 0) : 0;
      count = now;
      return count === ["/first", "/gone", "/last"].indexOf(path) + 1;
    });
  }
  gone.socket.destroy();
  await eventually(() => {
    gateway.gateway.receive({ type: "metrics", id: 2 });
    const message = gateway.sent.findLast((sent) => sent.type === "metrics");
    return message?.type === "metrics" && message.counters["eider_gateway_clients_gone_total"] === 1;
  });
  gateway.routes({ backends: [backendEntry({ containerConcurrency: 1, pods: [podEntry(pod)] })] });
  await last.until((text) => text.endsWith("x"));
  assert.deepEqual(paths, ["/first", "/last"]);
});

test("a starting pod is tried by connecting; the connection that succeeds carries the held request", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  const reserved = await startPod(() => undefined);
  await reserved[Symbol.asyncDispose]();
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods: [podEntry(reserved, { state: "starting" })] })] });
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await gateway.message("wake");
  // The port refuses: the next attempt waits for its time.
  await eventually(() => clock.waiting > 0);
  await using pod = await startPod(answering(() => ok("first")));
  gateway.routes({ backends: [backendEntry({ pods: [podEntry(pod, { state: "starting" })] })] });
  await client.until((text) => text.endsWith("first"));
  assert.equal((await gateway.message("podReady")).pod, "pod-1");
  assert.equal(pod.connections, 1);
});

test("a receipt tells where a cold start's time went, and control is told once that the first answer has begun", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  await using pod = await startPod(answering(() => ok("up", "Server-Timing: db;dur=3\r\n")));
  const entry = (over: Partial<BackendPod>[]) => backendEntry({ serverTiming: true, pods: over.map((each) => podEntry(pod, each)) });
  gateway.routes({ hosts: [hostEntry()], backends: [entry([])] });
  using client = await startClient(gateway.gateway.port);
  using second = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await gateway.message("wake");
  second.send(request("/"));
  await clock.advance(10);
  gateway.gateway.receive({ type: "started", pod: "pod-1", wokenAgoMs: 9, createdAgoMs: 7, spawnedAgoMs: 3 });
  await clock.advance(5);
  gateway.routes({ backends: [entry([{ state: "starting" }])] });
  const text = await client.until((all) => all.endsWith("up"));
  assert.match(
    text,
    /\r\nServer-Timing: db;dur=3\r\nContent-Length: 2\r\nServer-Timing: queue;dur=1.000, decide;dur=2.000, create;dur=4.000, boot;dur=8.000, total;dur=15.000\r\n/,
  );
  await second.until((all) => all.endsWith("up"));
  assert.equal(types(gateway).filter((type) => type === "answered").length, 1);
  client.send(request("/"));
  assert.match(await client.until((all) => all.split("200 OK").length === 3), /\r\nServer-Timing: total;dur=0.000\r\n\r\nup$/);
});

test("containerConcurrency 1 never has two requests in one pod, and nobody waits while a pod is idle", async () => {
  await using gateway = await startGateway();
  const inside = new Map<number, number>();
  let most = 0;
  const serve = (index: number) =>
    startPod((socket) => {
      socket.on("data", () => {
        inside.set(index, (inside.get(index) ?? 0) + 1);
        most = Math.max(most, inside.get(index) ?? 0);
        setImmediate(() => {
          inside.set(index, (inside.get(index) ?? 0) - 1);
          socket.write(ok("x"));
        });
      });
    });
  await using one = await serve(1);
  await using two = await serve(2);
  const pods = [podEntry(one), podEntry(two, { id: "pod-2", slot: 1 })];
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ containerConcurrency: 1, pods })] });
  const clients = await Promise.all(Array.from({ length: 8 }, () => startClient(gateway.gateway.port)));
  for (const client of clients) for (let i = 0; i < 25; i++) client.send(request("/"));
  await Promise.all(clients.map((client) => client.until((text) => text.match(/200 OK/g)?.length === 25)));
  assert.equal(most, 1);
  assert.ok(one.connections === 1 && two.connections === 1);
  for (const client of clients) client[Symbol.dispose]();
});

test("a pod that is taken out gets no request and is drained when its last one has ended", async () => {
  await using gateway = await startGateway();
  let release: (() => void) | undefined;
  await using old = await startPod((socket) => socket.on("data", () => (release = () => socket.write(ok("old")))));
  await using young = await startPod(answering(() => ok("young")));
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods: [podEntry(old)] })] });
  using first = await startClient(gateway.gateway.port);
  first.send(request("/"));
  await eventually(() => release !== undefined);
  gateway.routes({ backends: [backendEntry({ pods: [podEntry(young, { id: "pod-2", slot: 1 })] })] });
  assert.ok(!types(gateway).includes("podDrained"));
  using second = await startClient(gateway.gateway.port);
  second.send(request("/"));
  await second.until((text) => text.endsWith("young"));
  release?.();
  await first.until((text) => text.endsWith("old"));
  const generation = 3;
  assert.deepEqual(await gateway.message("podDrained"), { type: "podDrained", thread: 0, pod: "pod-1", generation });
  gateway.routes({ backendsRemoved: ["ns/rev"] });
  assert.deepEqual(
    gateway.sent.filter((message) => message.type === "podDrained").map((message) => message.pod),
    ["pod-1", "pod-2"],
  );
});

test("every delta is acknowledged", async () => {
  await using gateway = await startGateway();
  gateway.routes({});
  gateway.routes({});
  assert.deepEqual(
    gateway.sent.filter((message) => message.type === "ack").map((message) => message.generation),
    [1, 2, 3],
  );
});

const deadlines: readonly { name: string; backend: object; pod: "none" | "silent" | "begun" | "chunks"; afterMs: number; want: RegExp }[] = [
  {
    name: "held at zero",
    backend: {},
    pod: "none",
    afterMs: 10_000,
    want: /^HTTP\/1\.1 504 Gateway Timeout\r\nContent-Type: text\/plain; charset=utf-8\r\n[^]*\r\n\r\nactivator request timeout$/,
  },
  { name: "silent pod", backend: {}, pod: "silent", afterMs: 10_000, want: /^HTTP\/1\.1 504 [^]*\r\n\r\nrequest timeout$/ },
  { name: "no response start", backend: { responseStartTimeoutMs: 2000 }, pod: "silent", afterMs: 2000, want: /^HTTP\/1\.1 504 [^]*\r\n\r\nrequest timeout$/ },
  { name: "idle before the first byte", backend: { idleTimeoutMs: 3000 }, pod: "silent", afterMs: 3000, want: /^HTTP\/1\.1 504 [^]*\r\n\r\nrequest timeout$/ },
  {
    name: "idle after a begun response",
    backend: { idleTimeoutMs: 3000, responseStartTimeoutMs: 1000 },
    pod: "chunks",
    afterMs: 3000,
    want: /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n2\r\nhi\r\nf\r\nrequest timeout\r\n0\r\n\r\n$/,
  },
  {
    name: "a response by length that takes too long",
    backend: {},
    pod: "begun",
    afterMs: 10_000,
    want: /^HTTP\/1\.1 200 OK\r\nContent-Length: 99\r\n\r\nhirequest timeout$/,
  },
];
for (const { name, backend, pod: kind, afterMs, want } of deadlines) {
  test(`timeouts: ${name}`, async () => {
    const clock = new SimClock();
    await using gateway = await startGateway(clock);
    let asked = false;
    await using pod = await startPod((socket) =>
      socket.on("data", () => {
        asked = true;
        if (kind === "begun") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhi");
        if (kind === "chunks") socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
      }),
    );
    const pods = kind === "none" ? [] : [podEntry(pod)];
    gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ timeoutMs: 10_000, ...backend, pods })] });
    using client = await startClient(gateway.gateway.port);
    client.send(request("/"));
    if (kind === "none") await gateway.message("wake");
    else await eventually(() => asked);
    if (kind === "begun" || kind === "chunks") await client.until((text) => text.includes("hi"));
    const before = client.text();
    await clock.advance(afterMs - 1);
    assert.equal(client.text(), before, "too early");
    await clock.advance(51);
    await client.until((text) => want.test(text));
  });
}

test("load is reported each second while there is any, once as zero, and then no timer runs", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  let release: (() => void) | undefined;
  await using pod = await startPod((socket) => socket.on("data", () => (release = () => socket.write(ok("x")))));
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods: [podEntry(pod)] })] });
  const idleTimers = clock.waiting;
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await eventually(() => release !== undefined);
  await clock.advance(2500);
  release?.();
  await client.until((text) => text.endsWith("x"));
  await clock.advance(5000);
  const reports = gateway.sent.flatMap((message) =>
    message.type === "load" ? message.backends.map((load) => [load.averageConcurrency, load.requestCount]) : [],
  );
  // At once; a second less what was reported at once; a second; half a second; zero.
  assert.deepEqual(reports, [
    [1, 1],
    [0, 0],
    [1, 0],
    [0.5, 0],
    [0, 0],
  ]);
  client[Symbol.dispose]();
  await eventually(() => gateway.sent.length > 0);
  await clock.advance(400_000);
  assert.ok(clock.waiting <= idleTimers, "a timer runs while idle");
});

test("drain closes idle connections at once and others after their response, then the gateway ends", async () => {
  const gateway = await startGateway();
  let release: (() => void) | undefined;
  await using pod = await startPod((socket) => socket.on("data", () => (release = () => socket.write(ok("last")))));
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods: [podEntry(pod)] })] });
  using idle = await startClient(gateway.gateway.port);
  idle.send("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n");
  const answered = await idle.until((text) => text.includes("404 no service"));
  using busy = await startClient(gateway.gateway.port);
  busy.send(request("/"));
  await eventually(() => release !== undefined);
  gateway.gateway.receive({ type: "drain", graceMs: 60_000 });
  assert.equal(await idle.closed(), answered);
  release?.();
  assert.match(await busy.closed(), /Connection: close\r\n\r\nlast$/);
  await gateway[Symbol.asyncDispose]();
});

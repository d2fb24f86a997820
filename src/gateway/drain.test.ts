// A gateway that drains answers what is under way, and ends.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { SimClock } from "#core";
import { answering, backendEntry, hostEntry, ok, request, startClient, startGateway, startPod, type TestGateway, type TestPod } from "./testing.ts";

function routed(test: TestGateway, pod: TestPod): void {
  const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  test.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods })] });
}

/** The gateway has accepted every connection that was made before. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("a connection that was accepted just before the drain gets its first request answered, and is closed then", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering(() => ok("hello")));
  routed(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  await settled();
  gateway.gateway.receive({ type: "drain", graceMs: 5_000 });
  client.send(request("/"));
  const text = await client.closed();
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /Connection: close\r\n/);
});

test("a half of a head that is there when the drain begins is waited for", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering(() => ok("hello")));
  routed(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send("GET / HTTP/1.1\r\nHost: app");
  await settled();
  gateway.gateway.receive({ type: "drain", graceMs: 5_000 });
  client.send(".test\r\n\r\n");
  assert.match(await client.closed(), /^HTTP\/1\.1 200 OK\r\n/);
});

test("a new connection that stays quiet is closed after a second, and the drain is over", async () => {
  const clock = new SimClock();
  const gateway = await startGateway(clock);
  using client = await startClient(gateway.gateway.port);
  await settled();
  gateway.gateway.receive({ type: "drain", graceMs: 60_000 });
  const ended = once(client.socket, "end");
  await clock.advance(3_000);
  await ended;
  await gateway[Symbol.asyncDispose]();
});

test("a drain with patience: a kept connection serves its next request, says close and is closed; a quiet one is closed after its time", async () => {
  const clock = new SimClock();
  const gateway = await startGateway(clock);
  await using pod = await startPod(answering(() => ok("hello")));
  routed(gateway, pod);
  using busy = await startClient(gateway.gateway.port);
  using quiet = await startClient(gateway.gateway.port);
  for (const client of [busy, quiet]) {
    client.send(request("/"));
    await client.until((text) => text.endsWith("hello"));
  }
  gateway.gateway.receive({ type: "drain", graceMs: 60_000, idleMs: 10_000 });
  await clock.advance(8_000);
  busy.send(request("/"));
  assert.match(await busy.closed(), /hello.*\r\nConnection: close\r\n.*hello$/s);
  let ended = false;
  quiet.socket.once("end", () => (ended = true));
  await clock.advance(1_000);
  await settled();
  assert.equal(ended, false);
  const closed = once(quiet.socket, "end");
  await clock.advance(3_000);
  await closed;
  await gateway[Symbol.asyncDispose]();
});

test("an answer that began before the drain told its client to go on: the connection gets another request", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  const rest = Promise.withResolvers<void>();
  let served = 0;
  await using pod = await startPod((socket) => {
    socket.on("data", () => {
      if (served++ > 0) return socket.write(ok("second"));
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfi");
      void rest.promise.then(() => socket.write("rs"));
    });
  });
  routed(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await client.until((text) => text.endsWith("fi"));
  gateway.gateway.receive({ type: "drain", graceMs: 60_000, idleMs: 10_000 });
  rest.resolve();
  await client.until((text) => text.endsWith("firs"));
  client.send(request("/"));
  assert.match(await client.closed(), /firsHTTP\/1\.1 200 OK\r\n.*Connection: close\r\n.*second$/s);
});

test("a second drain shortens the first", async () => {
  const clock = new SimClock();
  const gateway = await startGateway(clock);
  await using pod = await startPod(answering(() => ok("hello")));
  routed(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await client.until((text) => text.endsWith("hello"));
  gateway.gateway.receive({ type: "drain", graceMs: 600_000, idleMs: 60_000 });
  gateway.gateway.receive({ type: "drain", graceMs: 5_000 });
  await client.closed();
  await gateway[Symbol.asyncDispose]();
});

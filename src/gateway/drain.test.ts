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

// Two gateways over the same tables, as two threads have them: limits, waits and splits of both together.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRng, silentLogger } from "#core";
import { QUEUE_ROWS_PER_SLOT, type BackendPod, type GatewayToControl, type RouteDelta } from "#protocol";
import { doorbellBytes } from "./shared/doorbell.ts";
import { createGateway } from "./gateway.ts";
import { inFlightBytes } from "./shared/in-flight.ts";
import { turnsBytes } from "./shared/split.ts";
import { answering, backendEntry, hostEntry, ok, request, socketClock, startClient, startPod, type TestClient } from "./testing.ts";

const SLOTS = 16;

async function twoGateways() {
  const shared = {
    inFlight: new SharedArrayBuffer(inFlightBytes(2, SLOTS)),
    doorbell: new SharedArrayBuffer(doorbellBytes(2, QUEUE_ROWS_PER_SLOT * SLOTS)),
    turns: new SharedArrayBuffer(turnsBytes(SLOTS)),
  };
  const stop = new AbortController();
  let generation = 0;
  const both = await Promise.all(
    [0, 1].map(async (thread) => {
      const sent: GatewayToControl[] = [];
      const listening = Promise.withResolvers<void>();
      const gateway = createGateway({
        start: { thread, threads: 2, epoch: thread, listenFd: -1, slots: SLOTS, publicPort: 80, ...shared },
        ...{ clock: socketClock, rng: new SeededRng(7 + thread), logger: silentLogger, listen: { port: 0, host: "127.0.0.1" } },
        send: (message) => {
          sent.push(message);
          if (message.type === "listening") listening.resolve();
        },
      });
      const running = gateway.run(stop.signal);
      gateway.receive({ type: "routes", generation: 0, reset: true, hosts: [], hostsRemoved: [], backends: [], backendsRemoved: [] });
      await listening.promise;
      const held = (): number => {
        gateway.receive({ type: "metrics", id: 1 });
        const answer = sent.findLast((message) => message.type === "metrics");
        return answer?.type === "metrics" ? (answer.counters["eider_gateway_held_requests_total"] ?? 0) : NaN;
      };
      return { gateway, running, held };
    }),
  );
  return {
    ports: both.map(({ gateway }) => gateway.port),
    held: () => both.map(({ held }) => held()),
    /** Each thread hears of it on its own; `order` is who hears first. */
    routes(delta: Partial<RouteDelta>, order: readonly number[] = [0, 1]): void {
      generation++;
      const whole: RouteDelta = { type: "routes", generation, reset: false, hosts: [], hostsRemoved: [], backends: [], backendsRemoved: [], ...delta };
      for (const thread of order) both[thread]?.gateway.receive(whole);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(both.map(({ running }) => running));
    },
  };
}

test("with containerConcurrency 1 and as many pods as clients nobody waits, though pods come and go", async () => {
  await using gateways = await twoGateways();
  const inside = [0, 0, 0, 0, 0];
  const pods = await Promise.all(
    inside.map((_, slot) =>
      startPod((socket) => {
        socket.on("data", () => {
          inside[slot] = (inside[slot] ?? 0) + 1;
          assert.equal(inside[slot], 1, "two requests in one pod");
          setImmediate(() => {
            inside[slot] = (inside[slot] ?? 0) - 1;
            socket.write(ok("x"));
          });
        });
      }),
    ),
  );
  const entryOf = (slot: number): BackendPod => ({ id: `pod-${slot}`, slot, address: "127.0.0.1", port: pods[slot]?.port ?? 0, state: "ready" });
  const tell = (slots: readonly number[], order?: readonly number[]): void =>
    gateways.routes({ hosts: [hostEntry()], backends: [backendEntry({ containerConcurrency: 1, queue: 0, pods: slots.map(entryOf) })] }, order);
  tell([0, 1, 2, 3]);
  const clients = await Promise.all([0, 1, 0, 1].map((thread) => startClient(gateways.ports[thread] ?? 0)));
  const asks = async (client: TestClient): Promise<void> => {
    for (let count = 1; count <= 50; count++) {
      client.send(request("/"));
      await client.until((text) => text.match(/200 OK/g)?.length === count);
    }
  };
  const asking = Promise.all(clients.map(asks));
  // The next comes before the last goes: there are always as many as clients.
  for (let round = 0; round < 20; round++) {
    const gone = round % 5;
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    tell([0, 1, 2, 3, 4], order);
    await new Promise((resolve) => setImmediate(resolve));
    tell(
      [0, 1, 2, 3, 4].filter((slot) => slot !== gone),
      order,
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
  await asking;
  for (const client of clients) client[Symbol.dispose]();
  assert.deepEqual(gateways.held(), [0, 0]);
  for (const pod of pods) await pod[Symbol.asyncDispose]();
});

test("one place for the clients of both threads: each waits its turn, nobody for ever, and the pod has one request at a time", async () => {
  await using gateways = await twoGateways();
  let inside = 0;
  await using pod = await startPod((socket) =>
    socket.on("data", () => {
      assert.equal(++inside, 1);
      setImmediate(() => {
        inside--;
        socket.write(ok("x"));
      });
    }),
  );
  const pods = [{ id: "pod", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  gateways.routes({ hosts: [hostEntry()], backends: [backendEntry({ containerConcurrency: 1, queue: 0, pods })] });
  const clients = await Promise.all([0, 1, 0, 1, 0, 1].map((thread) => startClient(gateways.ports[thread] ?? 0)));
  for (const client of clients) for (let count = 0; count < 20; count++) client.send(request("/"));
  await Promise.all(clients.map((client) => client.until((text) => text.match(/200 OK/g)?.length === 20)));
  assert.ok(gateways.held().every((held) => held > 0));
  for (const client of clients) client[Symbol.dispose]();
});

test("any 100 consecutive requests of both threads are split exactly", async () => {
  await using gateways = await twoGateways();
  const order: string[] = [];
  const [one, two] = await Promise.all(["one", "two"].map((name) => startPod(answering(() => (order.push(name), ok(name))))));
  assert.ok(one !== undefined && two !== undefined);
  const splits = [90, 10].map((percent, index) => ({ backend: `ns/${index}`, percent, appendHeaders: [] }));
  const backends = [one, two].map((pod, index) =>
    backendEntry({ key: `ns/${index}`, pods: [{ id: `p${index}`, slot: index, address: "127.0.0.1", port: pod.port, state: "ready" }] }),
  );
  gateways.routes({ hosts: [hostEntry({ paths: [{ prefix: "", headers: [], appendHeaders: [], splits, turns: 3 }] })], backends });
  const clients = await Promise.all([0, 1].map((thread) => startClient(gateways.ports[thread] ?? 0)));
  const rng = new SeededRng(5);
  const counts = [0, 0];
  for (let request100 = 0; request100 < 200; request100++) {
    const which = rng.uint32() % 2;
    counts[which] = (counts[which] ?? 0) + 1;
    clients[which]?.send(request("/"));
    await clients[which]?.until((text) => text.match(/200 OK/g)?.length === counts[which]);
  }
  for (let from = 0; from <= 100; from++) assert.equal(order.slice(from, from + 100).filter((name) => name === "two").length, 10);
  for (const client of clients) client[Symbol.dispose]();
  for (const pod of [one, two]) await pod[Symbol.asyncDispose]();
});

// Real gateway threads that throw, outgrow their heap, hang or are ended: only their own connections are lost, their places come back
// to requests that wait in the other thread, and a successor serves.
import assert from "node:assert/strict";
import { BoundSocket } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { SeededRng, silentLogger, type Clock } from "#core";
import { systemClock } from "#host";
import { defaultServingConfig } from "#kinds";
import type { GatewayStart, RouteDelta } from "#protocol";
import { gatewaySettings } from "#routing";
import { GatewayThreads } from "../../src/main/gateway-threads.ts";
import { backendEntry, hostEntry, ok, request, startClient, startPod } from "../../src/gateway/testing.ts";
import type { ThreadFault } from "./faulty-thread.ts";

/** Control's time goes faster, so that a thread that hangs is noticed sooner. */
const FASTER = 4;
const clock: Clock = {
  monotonicMs: () => systemClock.monotonicMs() * FASTER,
  wallMs: () => systemClock.wallMs(),
  sleep: (ms, signal) => systemClock.sleep(ms / FASTER, signal),
};

/** Their descriptors are the threads' to close: no collector may do so a second time. */
const bound: BoundSocket[] = [];

/** Two threads, each on a port of its own, over one pod with two places that answers when it is told. */
async function world() {
  const asked: Socket[] = [];
  const changes = new Set<() => void>();
  const pod = await startPod((socket) =>
    socket.on("data", () => {
      asked.push(socket);
      for (const changed of changes) changed();
    }),
  );
  const pods = [{ id: "pod-1", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  const firstBatch = (): RouteDelta => ({
    ...{ type: "routes", generation: 1, reset: true, hosts: [hostEntry()], hostsRemoved: [], backendsRemoved: [] },
    backends: [backendEntry({ containerConcurrency: 2, pods, queue: 0 })],
  });
  const first = [0, 0].map((port) => new BoundSocket({ host: "127.0.0.1", port }));
  bound.push(...first);
  const ports = first.map((socket) => socket.address().port);
  const workers: Worker[] = [];
  let listening = 0;
  const gone = Promise.withResolvers<number>();
  const threads = new GatewayThreads({
    sockets: first.map((socket) => ({ listenFd: socket.fd() })),
    ...{ publicPort: 80, slots: 4, logger: silentLogger, clock, rng: new SeededRng(1), firstBatch },
    settings: () => gatewaySettings(defaultServingConfig()),
    onMessage: (message) => {
      if (message.type === "listening") listening++;
      for (const changed of changes) changed();
    },
    onGone: (thread) => gone.resolve(thread),
    onHopeless: () => assert.fail("there are threads that listen"),
    nextSockets: async (thread) => {
      const socket = new BoundSocket({ host: "127.0.0.1", port: ports[thread] ?? 0 });
      bound.push(socket);
      return { listenFd: socket.fd() };
    },
    startWorker(workerData: GatewayStart) {
      const worker = new Worker(new URL("./faulty-thread.ts", import.meta.url), { workerData, resourceLimits: { maxOldGenerationSizeMb: 48 } });
      workers.push(worker);
      return worker;
    },
  });
  await threads.start();
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        changes.delete(look);
        resolve();
      };
      changes.add(look);
      look();
    });
  return { pod, asked, ports, workers, threads, until, gone: gone.promise, listening: () => listening };
}

type World = Awaited<ReturnType<typeof world>>;

const rows: readonly { readonly name: string; readonly strike: (worker: Worker) => unknown }[] = [
  ...(["throws", "outgrows its heap", "hangs"] as const).map((fault: ThreadFault) => ({
    name: fault,
    strike: (worker: Worker) => worker.postMessage({ fault }),
  })),
  { name: "is ended from outside", strike: (worker) => worker.terminate() },
];

/** The thread on port 0 is struck while it has a request in flight, and the other has one in flight and one that waits. */
async function strike(it: World, how: (worker: Worker) => unknown): Promise<void> {
  using lost = await startClient(it.ports[0] ?? 0);
  lost.send(request("/lost"));
  await it.until(() => it.asked.length === 1);
  using kept = await startClient(it.ports[1] ?? 0);
  kept.send(request("/kept"));
  await it.until(() => it.asked.length === 2);
  using waits = await startClient(it.ports[1] ?? 0);
  waits.send(request("/waits"));
  how(it.workers[0] as Worker);
  await lost.closed();
  assert.equal(await it.gone, 0);
  await it.until(() => it.asked.length === 3);
  for (const socket of it.asked.slice(1)) socket.write(ok("x"));
  assert.match(await kept.until((text) => text.endsWith("x")), /^HTTP\/1\.1 200 OK/);
  assert.match(await waits.until((text) => text.endsWith("x")), /^HTTP\/1\.1 200 OK/);
}

for (const { name, strike: how } of rows) {
  test(`a gateway thread that ${name} loses its own connections alone and is replaced`, async () => {
    const it = await world();
    await using pod = it.pod;
    await strike(it, how);
    await it.until(() => it.listening() === 3);
    // Both places are free again: the successor and the other thread have one each.
    const clients = await Promise.all(it.ports.map((port) => startClient(port)));
    for (const client of clients) client.send(request("/again"));
    await it.until(() => it.asked.length === 5);
    for (const socket of it.asked.slice(3)) socket.write(ok("y"));
    for (const client of clients) assert.match(await client.until((text) => text.endsWith("y")), /^HTTP\/1\.1 200 OK/);
    for (const client of clients) client[Symbol.dispose]();
    await it.threads.drain(0);
    assert.ok(it.workers.length === 3 && pod.connections > 0);
  });
}

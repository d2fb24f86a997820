// Connections that wait in the kernel for a gateway thread that dies: all are served by its successor, none is lost.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import { SeededRng, silentLogger } from "#core";
import { systemClock } from "#host";
import { joinKeeper, type SocketNumbers } from "#keeper";
import { defaultServingConfig } from "#kinds";
import type { GatewayStart } from "#protocol";
import { gatewaySettings } from "#routing";
import { GatewayThreads } from "../../src/main/gateway-threads.ts";
import { answering, backendEntry, hostEntry, ok, request, startClient, startPod } from "../../src/gateway/testing.ts";
import { ARRIVED, GATE_BYTES, GO_ON, type ThreadDeath } from "./gated-thread.ts";

const WAITING = 20;

/** Connections that are spread over the sockets of two threads by chance: that all go to one of them does not happen. */
const MANY = 60;

interface Gated {
  readonly numbers: SocketNumbers;
  /** The thread stands still, between two looks at its sockets, until `goOn`. */
  readonly standsStill: (death: ThreadDeath) => Promise<void>;
  readonly goOn: () => void;
  readonly workers: readonly Worker[];
}

const gatedThread = (workerData: GatewayStart): Worker => new Worker(new URL("./gated-thread.ts", import.meta.url), { workerData });

/** Gateway threads over one pod; their sockets are held by another process, which sends those of a thread again when it has died. */
async function start(t: TestContext, { threads: count = 1, startWorker = gatedThread } = {}): Promise<Gated> {
  const holder = fork(new URL("./socket-holder.ts", import.meta.url), [String(count)], { execArgv: ["--conditions=source"] });
  const link = joinKeeper(holder as unknown as NodeJS.Process);
  const [numbers] = (await once(holder, "message")) as [SocketNumbers];
  const nextSockets = (thread: number) => {
    const its = link.nextSockets(thread, t.signal);
    // When all is over, a thread may yet ask.
    if (holder.connected) holder.send(thread);
    return its;
  };
  const pod = await startPod(answering(() => ok("x")));
  const pods = [{ id: "pod-1", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  const gate = new Int32Array(new SharedArrayBuffer(GATE_BYTES));
  const workers: Worker[] = [];
  const threads = new GatewayThreads({
    sockets: await Promise.all(Array.from({ length: count }, (_, thread) => nextSockets(thread))),
    ...{ publicPort: 80, slots: 4, logger: silentLogger, clock: systemClock, rng: new SeededRng(1), nextSockets },
    firstBatch: () => ({
      ...{ type: "routes", generation: 1, reset: true, hosts: [hostEntry()], hostsRemoved: [], backendsRemoved: [] },
      backends: [backendEntry({ pods })],
    }),
    settings: () => gatewaySettings(defaultServingConfig()),
    onMessage: () => undefined,
    onGone: () => undefined,
    onHopeless: () => assert.fail("there is a thread that listens"),
    startWorker(workerData: GatewayStart) {
      const worker = startWorker(workerData);
      workers.push(worker);
      return worker;
    },
  });
  await threads.start();
  t.after(async () => {
    await threads.drain(0);
    await pod[Symbol.asyncDispose]();
    holder.disconnect();
  });
  return {
    numbers,
    workers,
    async standsStill(death) {
      workers[0]?.postMessage({ gate, death });
      await Atomics.waitAsync(gate, ARRIVED, 0).value;
    },
    goOn() {
      Atomics.store(gate, GO_ON, 1);
      Atomics.notify(gate, GO_ON);
    },
  };
}

/** How many of the connections that waited on each listener were answered. */
async function answeredAfter(it: Gated, death: ThreadDeath): Promise<readonly number[]> {
  await it.standsStill(death);
  const ports = [it.numbers.httpPort, it.numbers.internalPort];
  const waiting = await Promise.all(ports.map((port) => Promise.all(Array.from({ length: WAITING }, () => startClient(port)))));
  for (const client of waiting.flat()) client.send(request("/waited"));
  it.goOn();
  const answers = await Promise.all(
    waiting.map((clients) => Promise.all(clients.map((client) => client.until((text) => text.endsWith("x")).then(Boolean, () => false)))),
  );
  for (const client of waiting.flat()) client[Symbol.dispose]();
  return answers.map((its) => its.filter(Boolean).length);
}

for (const death of ["exits", "throws"] as const) {
  test(`a gateway thread that ${death} leaves all connections that wait for it, on both listeners, to its successor`, async (t) => {
    const it = await start(t);
    assert.deepEqual(await answeredAfter(it, death), [WAITING, WAITING]);
    assert.equal(it.workers.length, 2);
  });
}

test("planted fault: a thread that dies with its listeners open takes a connection of each along", async (t) => {
  assert.deepEqual(await answeredAfter(await start(t), "exits with its listeners open"), [WAITING - 1, WAITING - 1]);
});

test("a thread that dies at every start is stood in for: what waits at its sockets is served by the other one", async (t) => {
  const dies = (workerData: GatewayStart): Worker => (workerData.epoch > 1 ? new Worker("process.exit()", { eval: true }) : gatedThread(workerData));
  const it = await start(t, { threads: 2, startWorker: dies });
  await it.standsStill("exits");
  const ports = [it.numbers.httpPort, it.numbers.internalPort];
  const clients = await Promise.all(ports.flatMap((port) => Array.from({ length: MANY }, () => startClient(port))));
  for (const client of clients) client.send(request("/waits"));
  it.goOn();
  for (const client of clients) await client.until((text) => text.endsWith("x"));
  for (const client of clients) client[Symbol.dispose]();
});

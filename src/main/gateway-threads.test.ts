// Gateway threads that die: replaced, also before they listened, and not in a hot loop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRng, silentLogger, SimClock } from "#core";
import type { ThreadSockets } from "#keeper";
import type { ControlToGateway, GatewayToControl, RouteDelta } from "#protocol";
import { GatewayThreads, type ThreadWorker } from "./gateway-threads.ts";

class FakeWorker implements ThreadWorker {
  readonly posted: ControlToGateway[] = [];
  readonly #listeners: ((event: string, value: unknown) => void)[] = [];

  postMessage(message: ControlToGateway): void {
    this.posted.push(message);
  }

  on(event: string, listener: (value: never) => void): void {
    this.#listeners.push((happened, value) => void (happened === event && listener(value as never)));
  }

  terminated = false;

  terminate(): void {
    this.terminated = true;
    this.emit("exit");
  }

  emit(event: "message" | "exit", value?: GatewayToControl): void {
    for (const listener of this.#listeners) listener(event, value);
  }
}

const batch = (generation: number): RouteDelta => ({
  type: "routes",
  generation,
  reset: true,
  hosts: [],
  hostsRemoved: [],
  backends: [],
  backendsRemoved: [],
});

function world(nextSockets: (thread: number) => Promise<ThreadSockets>, firstBatch?: (threads: GatewayThreads) => void) {
  const clock = new SimClock();
  const workers: FakeWorker[] = [];
  const threads: GatewayThreads = new GatewayThreads({
    sockets: [10, 11].map((listenFd) => ({ listenFd, internalFd: listenFd + 100 })),
    publicPort: 80,
    slots: 4,
    logger: silentLogger,
    clock,
    rng: new SeededRng(1),
    settings: () => ({ trustedProxies: [], requestLog: undefined }),
    firstBatch: () => {
      firstBatch?.(threads);
      return batch(1);
    },
    onMessage: () => undefined,
    onGone: () => undefined,
    nextSockets,
    startWorker: () => {
      const worker = new FakeWorker();
      workers.push(worker);
      return worker;
    },
  });
  return { clock, workers, threads };
}

test("a thread that dies before it listens is replaced, and the start waits for that one", async () => {
  const { clock, workers, threads } = world(() => Promise.resolve({ listenFd: 12, internalFd: 112 }));
  const started = threads.start();
  workers[0]?.emit("message", { type: "listening", thread: 0, epoch: 0 });
  workers[1]?.emit("exit");
  await clock.advance(100);
  assert.equal(workers.length, 3);
  workers[2]?.emit("message", { type: "listening", thread: 1, epoch: 2 });
  await started;
});

test("a thread that dies at every start is started less and less often; a refused socket is asked for again", async () => {
  let refusals = 2;
  const { clock, workers, threads } = world(() =>
    refusals-- > 0 ? Promise.reject(new Error("no channel")) : Promise.resolve({ listenFd: 12, internalFd: 112 }),
  );
  void threads.start();
  workers[1]?.emit("exit");
  await clock.advance(1_000);
  assert.equal(workers.length, 3);
  let starts = 0;
  for (let second = 0; second < 120; second++) {
    const last = workers.at(-1);
    if (workers.length > 3 + starts - 1) {
      starts++;
      last?.emit("exit");
    }
    await clock.advance(1_000);
  }
  assert.ok(starts > 20 && starts < 60, `${starts} starts in two minutes`);
});

test("a thread is told its settings, its first batch and then the changes that are broadcast meanwhile", () => {
  const { workers, threads } = world(
    () => Promise.resolve({ listenFd: 12, internalFd: 112 }),
    (all) => all.broadcast({ ...batch(1), reset: false }),
  );
  void threads.start();
  assert.deepEqual(
    workers.map((worker) => worker.posted.map((message) => (message.type === "routes" ? message.reset : message.type))),
    [
      ["settings", true, false],
      ["settings", true],
    ],
  );
});

/** A thread that has begun to listen, and what it was asked. */
function listening(): { clock: SimClock; workers: FakeWorker[]; questions: (worker: number) => number } {
  const { clock, workers, threads } = world(() => Promise.resolve({ listenFd: 12 }));
  void threads.start();
  for (const [thread, worker] of workers.entries()) worker.emit("message", { type: "listening", thread, epoch: thread });
  return { clock, workers, questions: (worker) => workers[worker]?.posted.filter(({ type }) => type === "areYouThere").length ?? 0 };
}

test("a thread that works and does not answer is ended and replaced; one that answers is not, and at rest nobody is asked", async () => {
  const { clock, workers, questions } = listening();
  const load = (thread: number) => workers[thread]?.emit("message", { type: "load", thread, epoch: thread, atMs: 0, periodMs: 1000, backends: [] });
  for (let second = 0; second < 10; second++) {
    load(0);
    await clock.advance(1_000);
    workers[0]?.emit("message", { type: "here", thread: 0 });
    if (second === 0) workers[1]?.emit("message", { type: "here", thread: 1 });
    if (second === 2) load(1);
  }
  assert.deepEqual([workers[0]?.terminated, workers[1]?.terminated, workers.length], [false, true, 3]);
  workers[2]?.emit("message", { type: "listening", thread: 1, epoch: 2 });
  for (let second = 0; second < 3; second++) {
    await clock.advance(1_000);
    for (const thread of [0, 1]) workers[thread * 2]?.emit("message", { type: "here", thread });
  }
  const asked = [questions(0), questions(2)];
  assert.equal(clock.waiting, 0, "no timer at rest");
  await clock.advance(60_000);
  assert.deepEqual([questions(0), questions(2)], asked);
});

test("a machine that slept does not take its threads for hung", async () => {
  const { clock, workers } = listening();
  await clock.advance(1_000);
  for (let night = 0; night < 20; night++) await clock.suspend(8 * 3_600_000);
  assert.deepEqual(
    workers.map(({ terminated }) => terminated),
    [false, false],
  );
  await clock.advance(6_000);
  assert.deepEqual(
    workers.slice(0, 2).map(({ terminated }) => terminated),
    [true, true],
    "they did not answer afterwards either",
  );
});

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
  const told = { hopeless: 0 };
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
    onHopeless: () => void told.hopeless++,
    nextSockets,
    startWorker: () => {
      const worker = new FakeWorker();
      workers.push(worker);
      return worker;
    },
  });
  return { clock, workers, threads, told };
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

const sockets = { listenFd: 12, internalFd: 112 };
const standIns = (worker: FakeWorker | undefined): unknown[] => worker?.posted.filter(({ type }) => type.startsWith("standIn")) ?? [];

/** Threads that have begun to listen, and time in which they say that they are there. */
function served(nextSockets: () => Promise<ThreadSockets>) {
  const it = world(nextSockets);
  const present = new Map<number, number>();
  void it.threads.start();
  const listens = (worker: number, thread: number): void => {
    present.set(worker, thread);
    it.workers[worker]?.emit("message", { type: "listening", thread, epoch: worker });
  };
  for (const thread of [0, 1]) listens(thread, thread);
  return {
    ...it,
    listens,
    dies(worker: number): void {
      present.delete(worker);
      it.workers[worker]?.emit("exit");
    },
    async seconds(count: number): Promise<void> {
      for (let second = 0; second < count; second++) {
        await it.clock.advance(1_000);
        for (const [worker, thread] of present) it.workers[worker]?.emit("message", { type: "here", thread });
      }
    },
  };
}

test("a thread whose successor dies, too, is stood in for by another one until one listens", async () => {
  const { clock, workers, listens, dies, seconds } = served(() => Promise.resolve(sockets));
  await seconds(20);
  dies(1);
  await clock.advance(0);
  assert.deepEqual([workers.length, standIns(workers[0])], [3, []], "the first successor comes at once");
  dies(2);
  await seconds(1);
  assert.deepEqual([workers.length, standIns(workers[0])], [4, []], "the second one almost at once");
  dies(3);
  await clock.advance(0);
  assert.deepEqual(standIns(workers[0]), [{ type: "standIn", thread: 1, ...sockets }]);
  await seconds(1);
  dies(4);
  await seconds(1);
  assert.equal(standIns(workers[0]).length, 1, "one is enough");
  listens(5, 1);
  assert.deepEqual(standIns(workers[0])[1], { type: "standInEnds", thread: 1 });
});

test("a thread that stood in for another and dies is followed by one that listens", async () => {
  const { workers, listens, dies, seconds } = served(() => Promise.resolve(sockets));
  await seconds(20);
  for (const worker of [1, 2, 3]) {
    dies(worker);
    await seconds(1);
  }
  assert.equal(standIns(workers[0]).length, 1);
  dies(0);
  await seconds(1);
  listens(5, 0);
  dies(4);
  await seconds(1);
  assert.deepEqual(standIns(workers[5]), [{ type: "standIn", thread: 1, ...sockets }]);
});

test("a thread that does not come to listen is ended and started once more", async () => {
  const { workers, dies, seconds } = served(() => Promise.resolve(sockets));
  dies(1);
  await seconds(29);
  assert.equal(workers[2]?.terminated, false);
  await seconds(2);
  assert.deepEqual([workers[0]?.terminated, workers[2]?.terminated, workers.length], [false, true, 4]);
});

test("when no thread has listened for a minute it is told; not while one does", async () => {
  const { dies, seconds, told } = served(() => Promise.reject(new Error("no channel")));
  dies(0);
  await seconds(600);
  assert.equal(told.hopeless, 0);
  dies(1);
  await seconds(50);
  assert.equal(told.hopeless, 0);
  await seconds(20);
  assert.ok(told.hopeless > 0);
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

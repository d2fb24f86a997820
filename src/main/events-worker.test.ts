// The events thread's life: one at a time, replaced when it dies, on the port that it had.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRng, silentLogger, SimClock } from "#core";
import type { ControlToEvents, EventsDelta, EventsStart, EventsToControl } from "#protocol";
import { EventsWorker, type EventsThread } from "./events-worker.ts";

const batch = (generation: number, reset: boolean): EventsDelta => ({
  type: "events",
  generation,
  reset,
  streams: [],
  streamsRemoved: [],
  subscribers: [],
  subscribersRemoved: [],
});

class FakeThread implements EventsThread {
  readonly got: ControlToEvents[] = [];
  readonly start: EventsStart;
  readonly #listeners: Record<string, ((value: never) => void)[]> = {};

  constructor(start: EventsStart) {
    this.start = start;
  }

  postMessage(message: ControlToEvents): void {
    this.got.push(message);
  }

  on(event: string, listener: (value: never) => void): void {
    (this.#listeners[event] ??= []).push(listener);
  }

  terminate(): void {
    this.die();
  }

  say(message: EventsToControl): void {
    for (const listener of this.#listeners["message"] ?? []) listener(message as never);
  }

  die(): void {
    for (const listener of this.#listeners["exit"] ?? []) listener(undefined as never);
  }
}

function world(): {
  readonly clock: SimClock;
  readonly threads: FakeThread[];
  readonly heard: string[];
  readonly worker: EventsWorker;
  at(index: number): FakeThread;
} {
  const clock = new SimClock();
  const threads: FakeThread[] = [];
  const heard: string[] = [];
  const worker = new EventsWorker({
    start: (port) => ({
      logFolder: "/log",
      pingsFile: "/pings",
      logBytesMax: 1 << 30,
      gateway: { host: "127.0.0.1", port: 1 },
      localSuffix: "svc.cluster.local",
      brokersUrl: "http://b",
      port,
    }),
    firstBatch: () => batch(7, true),
    onMessage: ({ type }) => heard.push(type),
    onGone: () => heard.push("gone"),
    port: 4_000,
    clock,
    rng: new SeededRng(1),
    logger: silentLogger,
    startThread(start) {
      const thread = new FakeThread(start);
      threads.push(thread);
      return thread;
    },
  });
  return { clock, threads, heard, worker, at: (index: number): FakeThread => threads[index] ?? assert.fail(`no thread ${index}`) };
}

test("nothing runs before the first start, and one thread after several", () => {
  const { worker, threads, at } = world();
  worker.send(batch(1, false));
  assert.equal(threads.length, 0);
  worker.start();
  worker.start();
  worker.send(batch(8, false));
  assert.equal(threads.length, 1);
  assert.equal(at(0).start.port, 4_000);
  assert.deepEqual(at(0).got, [batch(7, true), batch(8, false)]);
});

test("a thread that dies is followed by one with everything, on the same port", async () => {
  const { worker, clock, threads, heard, at } = world();
  worker.start();
  at(0).say({ type: "listening", port: 4_321 });
  at(0).die();
  await clock.advance(1_000);
  assert.deepEqual(heard, ["listening", "gone"]);
  assert.equal(threads.length, 2);
  assert.equal(at(1).start.port, 4_321);
  assert.deepEqual(at(1).got, [batch(7, true)]);
});

test("one that dies again and again comes back less and less often", async () => {
  const { worker, clock, threads } = world();
  worker.start();
  const counts: number[] = [];
  for (let round = 0; round < 60; round++) {
    threads.at(-1)?.die();
    await clock.advance(1_000);
    counts.push(threads.length);
  }
  assert.ok((counts.at(-1) ?? 0) < 30, `${counts.at(-1)} threads in a minute`);
});

test("the end waits for the thread, and one that does not end is ended", async () => {
  const { worker, clock, threads, at } = world();
  worker.start();
  const ended = worker.end();
  assert.deepEqual(at(0).got.at(-1), { type: "end" });
  await clock.advance(5_000);
  await ended;
  assert.equal(threads.length, 1);
});

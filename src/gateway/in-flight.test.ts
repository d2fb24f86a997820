// The shared table and the doorbell: limits hold over threads, waiters elsewhere are told, the dead give back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { below, SeededRng } from "#core";
import { Backend, type BackendOptions, type Waiter } from "./backend.ts";
import { Doorbell, doorbellBytes, InFlightTable, inFlightBytes, subtractThread } from "./in-flight.ts";
import type { Pod } from "./pod.ts";
import { backendEntry } from "./testing.ts";

const THREADS = 2;

test("two threads share the places of a pod", () => {
  const inFlight = new SharedArrayBuffer(inFlightBytes(THREADS, 2));
  const [a, b] = [0, 1].map((own) => new InFlightTable(inFlight, { thread: own, threads: THREADS }));
  assert.ok(a !== undefined && b !== undefined);
  assert.deepEqual([a.tryAcquire(1, 2), b.tryAcquire(1, 2), a.tryAcquire(1, 2)], [true, true, false]);
  assert.deepEqual([a.total(0), a.total(1)], [0, 2]);
  b.release(1);
  assert.equal(a.tryAcquire(1, 2), true);
});

test("what a dead thread held is given back, what others hold stays", () => {
  const inFlight = new SharedArrayBuffer(inFlightBytes(THREADS, 2));
  const [a, b] = [0, 1].map((own) => new InFlightTable(inFlight, { thread: own, threads: THREADS }));
  for (let i = 0; i < 3; i++) a?.tryAcquire(0, 9);
  b?.tryAcquire(0, 9);
  b?.tryAcquire(1, 9);
  subtractThread(inFlight, { thread: 0, threads: THREADS });
  assert.deepEqual([b?.total(0), b?.total(1)], [1, 1]);
  b?.release(0);
  assert.equal(b?.total(0), 0);
});

interface Thread {
  readonly backend: Backend;
  readonly bell: Doorbell;
  readonly granted: Pod[];
  /** Found no place and has not queued up yet: the other thread may act in between. */
  undecided: boolean;
  /** Time as this thread sees it. */
  nowMs: number;
  /** What it does once the moment is over that it gave to the others. */
  readonly moments: (() => void)[];
}

function thread(index: number, shared: { inFlight: SharedArrayBuffer; doorbell: SharedArrayBuffer }, seed: number): Thread {
  const place = { thread: index, threads: THREADS };
  const bell = new Doorbell(shared.doorbell, place);
  const options: BackendOptions = {
    inFlight: new InFlightTable(shared.inFlight, place),
    doorbell: bell,
    rng: new SeededRng(seed + index),
    queueDepth: 1000,
    prove: () => undefined,
    podDrained: () => undefined,
    nowMs: () => self.nowMs,
    moment: (then) => void self.moments.push(then),
  };
  const self: Thread = { backend: new Backend(backendEntry(), options), bell, granted: [], undecided: false, nowMs: 0, moments: [] };
  return self;
}

/** Bells as the model sees them: a thread whose bell was rung serves its waiters, some steps later. */
function bells(doorbell: SharedArrayBuffer): number[] {
  const cells = new Int32Array(doorbell);
  return [0, 1].map((index) => cells[2 * index] ?? 0);
}

test("interleavings of two threads never exceed a limit and never leave a waiter beside a free place", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const rng = new SeededRng(seed);
    const limit = 1 + below(rng, 2);
    const shared = { inFlight: new SharedArrayBuffer(inFlightBytes(THREADS, 4)), doorbell: new SharedArrayBuffer(doorbellBytes(THREADS)) };
    const threads = [thread(0, shared, seed), thread(1, shared, seed)];
    const pods = [0, 1].map((slot) => ({ id: `p${slot}`, slot, address: "127.0.0.1", port: 1, state: "ready" as const }));
    for (const { backend } of threads) backend.update(backendEntry({ containerConcurrency: limit, pods }), 1);
    const heard = [0, 0];
    const hear = (index: number): void => {
      const now = bells(shared.doorbell)[index] ?? 0;
      if (now !== heard[index]) threads[index]?.backend.serve();
      heard[index] = now;
      for (const then of threads[index]?.moments.splice(0) ?? []) then();
    };
    for (let step = 0; step < 120; step++) {
      const index = below(rng, THREADS);
      const one = threads[index] as Thread;
      const { backend, granted } = one;
      one.nowMs += below(rng, 30);
      const action = below(rng, 4);
      if (one.undecided) {
        assert.ok(backend.join({ granted: (to) => granted.push(to), refused: () => assert.fail("refused") }));
        one.undecided = false;
      } else if (action <= 1) {
        const pod = backend.take();
        if (pod === undefined) one.undecided = true;
        else granted.push(pod);
      } else if (action === 2 && granted.length > 0) {
        backend.release(granted.splice(below(rng, granted.length), 1)[0] as Pod);
      } else {
        hear(index);
      }
      // A thread with waiters whose bell is silent waits for good reason.
      const taken = threads.reduce((sum, other) => sum + other.granted.length, 0);
      threads.forEach((other, at) => {
        const silent = bells(shared.doorbell)[at] === heard[at] && other.moments.length === 0;
        assert.ok(other.backend.waiting === 0 || !silent || taken === 2 * limit, `seed ${seed}: thread ${at} waits beside a free place`);
      });
      for (const slot of [0, 1]) {
        const inside = threads.flatMap((other) => other.granted).filter((pod) => pod.slot === slot).length;
        assert.ok(inside <= limit, `seed ${seed}: ${inside} of ${limit} in slot ${slot}`);
        assert.equal(new InFlightTable(shared.inFlight, { thread: 0, threads: THREADS }).total(slot), inside);
      }
    }
  }
});

test("a release with waiters in another thread rings there, and only there", async () => {
  const shared = { inFlight: new SharedArrayBuffer(inFlightBytes(THREADS, 4)), doorbell: new SharedArrayBuffer(doorbellBytes(THREADS)) };
  const [a, b] = [thread(0, shared, 1), thread(1, shared, 1)];
  const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: 1, state: "ready" as const }];
  for (const { backend } of [a, b]) backend.update(backendEntry({ containerConcurrency: 1, pods }), 1);
  const stop = new AbortController();
  const served = new Promise<Pod>((resolve) => {
    const pod = a.backend.take();
    assert.ok(pod !== undefined);
    assert.equal(b.backend.take(), undefined);
    b.backend.join({ granted: resolve, refused: () => undefined });
    queueMicrotask(() => a.backend.release(pod));
  });
  const listening = b.bell.listen(() => b.backend.serve(), stop.signal);
  assert.equal((await served).id, "p");
  assert.deepEqual(bells(shared.doorbell), [0, 1]);
  stop.abort();
  await listening;
});

test("a thread that always has waiters does not keep a place from the others' for ever", () => {
  const shared = { inFlight: new SharedArrayBuffer(inFlightBytes(THREADS, 4)), doorbell: new SharedArrayBuffer(doorbellBytes(THREADS)) };
  const [a, b] = [thread(0, shared, 1), thread(1, shared, 1)];
  const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: 1, state: "ready" as const }];
  for (const { backend } of [a, b]) backend.update(backendEntry({ containerConcurrency: 1, pods }), 1);
  const place: Pod[] = [];
  const again = (): Waiter => ({ granted: (pod) => place.push(pod), refused: () => undefined });
  const first = a.backend.take();
  assert.ok(first !== undefined);
  place.push(first);
  const served: Pod[] = [];
  b.backend.join({ granted: (pod) => served.push(pod), refused: () => undefined });
  for (let round = 0; round < 50 && served.length === 0; round++) {
    a.backend.join(again());
    a.backend.join(again());
    a.nowMs += 5;
    a.backend.release(place.pop() as Pod);
    // The bell is heard before the moment is over.
    if ((bells(shared.doorbell)[1] ?? 0) > 0) b.backend.serve();
    for (const then of a.moments.splice(0)) then();
  }
  assert.equal(served.length, 1);
});

test("the queue has a depth, and leaving makes room", () => {
  const shared = { inFlight: new SharedArrayBuffer(inFlightBytes(THREADS, 4)), doorbell: new SharedArrayBuffer(doorbellBytes(THREADS)) };
  const { backend } = thread(0, shared, 1);
  const waiters = Array.from({ length: 1001 }, (): Waiter => ({ granted: () => undefined, refused: () => undefined }));
  const joined = waiters.map((waiter) => backend.join(waiter));
  assert.deepEqual([joined.filter(Boolean).length, joined.at(-1)], [1000, false]);
  backend.leave(waiters[0] as Waiter);
  assert.equal(backend.join(waiters[1000] as Waiter), true);
});

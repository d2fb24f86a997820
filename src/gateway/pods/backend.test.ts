// A revision's queue: its depth, whole turns, other revisions beside a long one, and the bell between two threads.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRng } from "#core";
import type { Backend as BackendEntry } from "#protocol";
import { Backend, GRANTS_A_TURN, QUEUE_DEPTH, type BackendOptions } from "./backend.ts";
import { Doorbell, doorbellBytes } from "../shared/doorbell.ts";
import { InFlightTable, inFlightBytes } from "../shared/in-flight.ts";
import type { Pod } from "./pod.ts";
import { ServingTurns } from "./serving-turns.ts";
import { backendEntry } from "../testing.ts";
import type { Waiter } from "./wait-queue.ts";

const SLOTS = 4;

/** Threads over the same tables; a turn of a thread's loop is taken by hand. */
function threads(count: number) {
  const inFlight = new SharedArrayBuffer(inFlightBytes(count, SLOTS));
  const doorbell = new SharedArrayBuffer(doorbellBytes(count, SLOTS));
  return Array.from({ length: count }, (_, thread) => {
    const place = { thread, threads: count };
    const bell = new Doorbell(doorbell, { ...place, rows: SLOTS, nowMs: () => 0 });
    const turns: (() => void)[] = [];
    const serving = new ServingTurns((then) => void turns.push(then));
    const options: BackendOptions = {
      inFlight: new InFlightTable(inFlight, place),
      doorbell: bell,
      rng: new SeededRng(thread),
      queueDepth: QUEUE_DEPTH,
      prove: () => undefined,
      podDrained: () => undefined,
      nowMs: () => 0,
      later: (backend) => serving.later(backend),
      moment: () => undefined,
    };
    const turn = (): boolean => {
      const taken = turns.splice(0);
      for (const then of taken) then();
      return taken.length > 0;
    };
    return { bell, turn, backend: (entry: BackendEntry) => new Backend(entry, options) };
  });
}

function oneThread(): ReturnType<typeof threads>[number] {
  return threads(1)[0] as ReturnType<typeof threads>[number];
}

const pods = (count = 1) => Array.from({ length: count }, (_, slot) => ({ id: `p${slot}`, slot, address: "127.0.0.1", port: 1, state: "ready" as const }));

function waiters(count: number, granted: (pod: Pod) => void = () => undefined, refused = (): void => undefined): Waiter[] {
  return Array.from({ length: count }, () => ({ granted, refused }));
}

test("the queue has a depth, and leaving makes room", () => {
  const backend = oneThread().backend(backendEntry());
  const all = waiters(QUEUE_DEPTH + 1);
  const joined = all.map((waiter) => backend.join(waiter));
  assert.deepEqual([joined.filter(Boolean).length, joined.at(-1)], [QUEUE_DEPTH, false]);
  backend.leave(all[0] as Waiter);
  backend.leave(all[5000] as Waiter);
  backend.leave(all[5000] as Waiter);
  assert.equal(backend.waiting, QUEUE_DEPTH - 2);
  assert.equal(backend.join(all[QUEUE_DEPTH] as Waiter), true);
});

test("a pod for ten thousand waiters: so many a turn, in order, and another revision has its turn between", () => {
  const { backend, turn } = oneThread();
  const long = backend(backendEntry({ key: "ns/long" }));
  const short = backend(backendEntry({ key: "ns/short" }));
  const order: number[] = [];
  for (let index = 0; index < QUEUE_DEPTH; index++) long.join({ granted: () => order.push(index), refused: () => undefined });
  let shortServed = 0;
  for (const waiter of waiters(3, () => shortServed++)) short.join(waiter);
  long.update(backendEntry({ key: "ns/long", pods: pods() }), 1);
  assert.equal(order.length, GRANTS_A_TURN);
  short.update(backendEntry({ key: "ns/short", pods: pods() }), 1);
  assert.equal(shortServed, 3);
  let turns = 0;
  for (let before = order.length; turn(); before = order.length, turns++) assert.ok(order.length - before <= GRANTS_A_TURN);
  assert.equal(turns, Math.ceil(QUEUE_DEPTH / GRANTS_A_TURN) - 1);
  assert.deepEqual(
    order,
    Array.from({ length: QUEUE_DEPTH }, (_, index) => index),
  );
});

test("a revision that goes refuses its waiters in turns", () => {
  const { backend, turn } = oneThread();
  const gone = backend(backendEntry());
  let refused = 0;
  for (const waiter of waiters(100, undefined, () => refused++)) gone.join(waiter);
  gone.remove(1);
  assert.equal(refused, GRANTS_A_TURN);
  while (turn());
  assert.equal(refused, 100);
});

test("a release with waiters in another thread rings there, and only there", async () => {
  const [a, b, c] = threads(3);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const entry = backendEntry({ containerConcurrency: 1, pods: pods(), queue: 2 });
  const [one, two, three] = [a, b, c].map((each) => each.backend(entry));
  for (const backend of [one, two, three]) backend?.update(entry, 1);
  const pod = one?.take();
  assert.ok(pod !== undefined);
  const served: string[] = [];
  two?.join(waiters(1, () => served.push("two"))[0] as Waiter);
  three?.join(waiters(1, () => served.push("three"))[0] as Waiter);
  const stop = new AbortController();
  const heard = Promise.withResolvers<number[]>();
  const listening = b.bell.listen(() => {
    const rows = b.bell.rung();
    if (rows.length > 0) heard.resolve(rows);
  }, stop.signal);
  queueMicrotask(() => one?.release(pod));
  assert.deepEqual(await heard.promise, [2]);
  assert.deepEqual(c.bell.rung(), []);
  two?.heard();
  assert.deepEqual(served, ["two"]);
  stop.abort();
  await listening;
});

test("a revision without a limit leaves the shared tables alone", () => {
  const [a] = threads(2);
  const entry = backendEntry({ pods: pods(2) });
  const backend = a?.backend(entry);
  backend?.update(entry, 1);
  const real = Atomics.load;
  let touched = 0;
  const operations = ["load", "store", "add", "sub", "or", "exchange", "compareExchange"] as const;
  const originals = operations.map((name) => [name, Atomics[name]] as const);
  try {
    for (const [name, original] of originals)
      Object.assign(Atomics, { [name]: (...args: never[]) => (touched++, (original as (...given: never[]) => unknown)(...args)) });
    for (let request = 0; request < 10; request++) backend?.release(backend.take() as Pod);
  } finally {
    for (const [name, original] of originals) Object.assign(Atomics, { [name]: original });
  }
  assert.deepEqual([touched, Atomics.load], [0, real]);
});

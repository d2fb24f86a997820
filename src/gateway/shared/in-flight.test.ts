// The shared table: limits hold over threads, and the dead give back what they held, wherever they died.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InFlightLayout, InFlightTable, inFlightBytes } from "./in-flight.ts";
import { Recovery } from "./recovery.ts";

const THREADS = 2;
const ROWS = 2;

function world() {
  const inFlight = new SharedArrayBuffer(inFlightBytes(THREADS, ROWS));
  const cells = new Int32Array(inFlight);
  const layout = new InFlightLayout(cells.length, THREADS);
  const [a, b] = [0, 1].map((thread) => new InFlightTable(inFlight, { thread, threads: THREADS }));
  assert.ok(a !== undefined && b !== undefined);
  return { cells, layout, a, b, recovery: new Recovery({ inFlight, doorbell: undefined, threads: THREADS, rows: ROWS }) };
}

test("two threads share the places of a pod", () => {
  const { a, b } = world();
  assert.deepEqual([a.tryAcquire(1, 2), b.tryAcquire(1, 2), a.tryAcquire(1, 2)], [true, true, false]);
  assert.deepEqual([a.total(0), a.total(1)], [0, 2]);
  b.release(1);
  assert.equal(a.tryAcquire(1, 2), true);
});

test("what a dead thread held is given back, what others hold stays", () => {
  const { a, b, recovery } = world();
  for (let i = 0; i < 3; i++) a.tryAcquire(0, 9);
  b.tryAcquire(0, 9);
  b.tryAcquire(1, 9);
  recovery.bury(0);
  assert.equal(recovery.settle(), true);
  assert.deepEqual([b.total(0), b.total(1)], [1, 1]);
  b.release(0);
  assert.equal(b.total(0), 0);
});

test("a place that was in the hands of the dead comes back once no other thread is within an operation", () => {
  const { cells, layout, a, b, recovery } = world();
  b.tryAcquire(1, 2);
  // Thread 0 took a place of the total and died before it wrote it down.
  cells[layout.wordAt(0)] = 1;
  cells[layout.totalAt(1)] = 2;
  // Thread 1 is within an operation of its own.
  const word = cells[layout.wordAt(1)] ?? 0;
  cells[layout.wordAt(1)] = word + 1;
  recovery.bury(0);
  assert.equal(recovery.settle(), false);
  assert.equal(a.total(1), 2, "in doubt a place is missing, never doubled");
  cells[layout.wordAt(1)] = word + 2;
  assert.equal(recovery.settle(), true);
  assert.equal(a.total(1), 1);
  assert.equal(recovery.settle(), true);
  assert.equal(a.total(1), 1);
});

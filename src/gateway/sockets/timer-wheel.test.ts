// Deadlines: never early, late by a tick at most, far ones, suspended machines, and silence when nothing is armed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { below, SeededRng, SimClock } from "#core";
import { TimerWheel, type Timed } from "./timer-wheel.ts";

function timed(expire: (nowMs: number) => void): Timed {
  return { dueMs: 0, bucket: -1, before: undefined, after: undefined, expire };
}

async function withWheel(run: (wheel: TimerWheel, clock: SimClock) => Promise<void>): Promise<void> {
  const clock = new SimClock();
  const wheel = new TimerWheel(clock, 25);
  const stop = new AbortController();
  const running = wheel.run(stop.signal);
  await run(wheel, clock);
  stop.abort();
  await running;
}

test("deadlines of all lengths expire in time, those that were removed do not", () =>
  withWheel(async (wheel, clock) => {
    const rng = new SeededRng(3);
    const late: number[] = [];
    let removedExpired = 0;
    for (let i = 0; i < 500; i++) {
      const dueMs = 1 + below(rng, 100_000);
      const entry = timed((nowMs) => (i % 5 === 0 ? removedExpired++ : late.push(nowMs - dueMs)));
      wheel.add(entry, dueMs);
      if (i % 5 === 0) wheel.remove(entry);
    }
    await clock.advance(100_100);
    assert.equal(removedExpired, 0);
    assert.equal(late.length, 400);
    assert.ok(Math.min(...late) >= 0 && Math.max(...late) <= 25, `${Math.min(...late)} … ${Math.max(...late)}`);
    assert.equal(wheel.size, 0);
  }));

test("a nearer deadline that comes later is not slept over", () =>
  withWheel(async (wheel, clock) => {
    const order: string[] = [];
    wheel.add(
      timed(() => order.push("far")),
      10_000,
    );
    await clock.advance(10);
    wheel.add(
      timed(() => order.push("near")),
      500,
    );
    await clock.advance(600);
    assert.deepEqual(order, ["near"]);
    await clock.advance(10_000);
    assert.deepEqual(order, ["near", "far"]);
  }));

test("after a suspension everything overdue expires, and nothing else", () =>
  withWheel(async (wheel, clock) => {
    const order: string[] = [];
    wheel.add(
      timed(() => order.push("overdue")),
      60_000,
    );
    wheel.add(
      timed(() => order.push("far")),
      90_000_000,
    );
    await clock.advance(1);
    await clock.suspend(8 * 3_600_000);
    assert.deepEqual(order, ["overdue"]);
  }));

test("no timer runs while nothing is armed", () =>
  withWheel(async (wheel, clock) => {
    await clock.advance(1000);
    assert.equal(clock.waiting, 0);
    wheel.add(
      timed(() => undefined),
      2000,
    );
    await clock.advance(500);
    assert.equal(clock.waiting, 1);
    await clock.advance(2000);
    assert.equal(clock.waiting, 0);
  }));

test("deadlines that are moved, rested and removed in any order expire when they were last armed for, and only then", () =>
  withWheel(async (wheel, clock) => {
    const rng = new SeededRng(7);
    const armed: (number | undefined)[] = Array.from({ length: 40 }, () => undefined);
    const entries = armed.map((_, index) =>
      timed((nowMs) => {
        const dueMs = armed[index] ?? Infinity;
        armed[index] = undefined;
        assert.ok(nowMs >= dueMs && nowMs - dueMs <= 25, `${index}: due at ${dueMs}, expired at ${nowMs}`);
      }),
    );
    for (let step = 0; step < 5_000; step++) {
      const index = below(rng, entries.length);
      const entry = entries[index] as Timed;
      const what = below(rng, 4);
      if (what < 2) wheel.add(entry, (armed[index] = clock.monotonicMs() + 1 + below(rng, what === 0 ? 300 : 40_000)));
      else armed[index] = undefined;
      if (what === 2) wheel.rest(entry);
      if (what === 3) wheel.remove(entry);
      await clock.advance(below(rng, 60));
      for (const dueMs of armed) assert.ok(dueMs === undefined || clock.monotonicMs() - dueMs <= 25, `due at ${dueMs}, now ${clock.monotonicMs()}`);
    }
    for (const entry of entries) wheel.rest(entry);
    await clock.advance(20_000);
    assert.equal(wheel.size, 0);
    assert.equal(clock.waiting, 0);
  }));

// Splits: exact in every window, spread evenly.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { below, SeededRng } from "#core";
import type { RoutePath } from "#protocol";
import type { RequestHead } from "../http/request-head.ts";
import { RoutingTable, type Astray } from "../routes/routing-table.ts";
import type { Target } from "../routes/target.ts";
import { splitSequence, SplitTurns, TURNS_MAX, turnsBytes } from "./split.ts";
import { hostEntry } from "../testing.ts";

test("every window of 100 of the repeated sequence holds each share exactly by its percent", () => {
  const shares = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 6 }).map((cuts) => {
    const bounds = [0, ...cuts.sort((a, b) => a - b), 100];
    return bounds.slice(1).map((bound, index) => bound - (bounds[index] ?? 0));
  });
  fc.assert(
    fc.property(shares, fc.nat({ max: 99 }), (weights, from) => {
      const sequence = splitSequence(weights);
      const twice = [...sequence, ...sequence];
      const window = twice.slice(from, from + 100);
      assert.deepEqual(
        weights.map((_, index) => window.filter((share) => share === index).length),
        weights,
      );
    }),
    { numRuns: 200, seed: 1 },
  );
});

test("a small share comes in the middle of its turns, not in a row", () => {
  const sequence = [...splitSequence([90, 10])];
  const turns = sequence.flatMap((share, index) => (share === 1 ? [index] : []));
  for (let i = 1; i < turns.length; i++) assert.equal((turns[i] ?? 0) - (turns[i - 1] ?? 0), 10);
});

const head = { host: "app.test", path: "/", probe: "" } as RequestHead;

function splitPath(percents: readonly number[], turns?: number): RoutePath {
  const splits = percents.map((percent, index) => ({ backend: `ns/${index}`, percent, appendHeaders: [] }));
  return { prefix: "", headers: [], appendHeaders: [], splits, ...(turns === undefined ? {} : { turns }) };
}

/** Which of the shares each of 400 requests gets that come to three threads by chance. */
function drawn(seed: number, path: RoutePath, begin = 0): number[] {
  const turns = new SharedArrayBuffer(turnsBytes(3));
  new Int32Array(turns)[1] = begin;
  const tables = [0, 1, 2].map(() => new RoutingTable(new SplitTurns(turns)));
  for (const table of tables) table.set(hostEntry({ paths: [path] }));
  const rng = new SeededRng(seed);
  return Array.from({ length: 400 }, () => shareOf(tables[below(rng, 3)]));
}

function targetIn(table: RoutingTable, asked = head): Target | Astray {
  const host = table.host(asked.host, false);
  assert.ok(host !== undefined);
  return table.target(host, asked, false);
}

function shareOf(table: RoutingTable | undefined): number {
  const target = table && targetIn(table);
  assert.ok(typeof target === "object");
  return Number(target.backend.slice(3));
}

/** The first window of 100 that is not exact; -1 when all are. */
function inexactWindow(shares: readonly number[], percents: readonly number[]): number {
  for (let from = 0; from + 100 <= shares.length; from++) {
    const window = shares.slice(from, from + 100);
    if (percents.some((percent, share) => window.filter((each) => each === share).length !== percent)) return from;
  }
  return -1;
}

test("any 100 consecutive requests are split exactly, whichever threads they come to", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const percents = [
      [90, 10],
      [1, 99],
      [33, 33, 34],
      [50, 50],
    ][seed % 4] as number[];
    assert.equal(inexactWindow(drawn(seed, splitPath(percents, 1)), percents), -1, `seed ${seed}`);
    assert.equal(inexactWindow(drawn(seed, splitPath(percents, 1), TURNS_MAX - 200), percents), -1, `seed ${seed}: the count starts again`);
  }
});

test("a planted fault is noticed: threads that count for themselves are not exact together", () => {
  assert.notEqual(inexactWindow(drawn(1, splitPath([90, 10])), [90, 10]), -1);
});

test("a run is repeatable, and the turn goes on when shares change", () => {
  assert.deepEqual(drawn(3, splitPath([70, 30], 1)), drawn(3, splitPath([70, 30], 1)));
  const turns = new SharedArrayBuffer(turnsBytes(1));
  const table = new RoutingTable(new SplitTurns(turns));
  for (const first of [10, 20, 30]) {
    table.set(hostEntry({ paths: [splitPath([first, 100 - first], 0)] }));
    for (let i = 0; i < 50; i++) targetIn(table);
  }
  assert.equal(new Int32Array(turns)[0], 150);
});

test("a network probe takes nobody's turn", () => {
  const turns = new SharedArrayBuffer(turnsBytes(1));
  const table = new RoutingTable(new SplitTurns(turns));
  table.set(hostEntry({ paths: [splitPath([10, 90], 0)] }));
  assert.notEqual(targetIn(table, { ...head, probe: "probe" }), "noPath");
  assert.equal(new Int32Array(turns)[0], 0);
});

// The formula that decisions are held against, and that it can tell a wrong decision.
import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, wantedPods, type Decision } from "./scale-formula.ts";

const rule = { target: 70, stableWindowMs: 60_000 };
const at = (second: number, ready: number, stable: number, panic: number, desired = 0): Decision => ({
  sinceMs: second * 1000,
  untilMs: second * 1000,
  ready,
  values: { stable, panic },
  desired,
});

test("500 at once want 8 pods; in panic nothing shrinks; after it by half at most", () => {
  const decisions = [at(0, 0, 1, 1), at(2, 1, 250, 500), at(4, 8, 500, 500), at(10, 8, 100, 0), at(63, 8, 0, 0), at(65, 4, 0, 0)];
  assert.deepEqual(wantedPods(decisions, rule), [1, 8, 8, 8, 4, 2]);
});

test("a decision that the formula does not give is found", () => {
  assert.deepEqual(differences([at(0, 1, 30, 30, 1), at(2, 1, 100, 100, 2)], rule), []);
  assert.equal(differences([at(0, 1, 30, 30, 1), at(2, 1, 100, 100, 3)], rule).length, 1);
});

// Medians, spreads and verdicts of the benches.
import assert from "node:assert/strict";
import { test } from "node:test";
import { spreadOf, verdictOf } from "./figures.ts";

test("the median of an even count lies between the middle ones", () => {
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { n: 4, median: 2.5, p90: 4, min: 1, max: 4 });
  assert.equal(spreadOf([3, 1, 2]).median, 2);
});

const table = [
  { name: "a median below the goal meets it", rounds: [1, 2, 9], goal: { is: "<=", value: 2 }, want: "met" },
  { name: "a median above the goal misses it", rounds: [1, 3, 3], goal: { is: "<=", value: 2 }, want: "MISSED" },
  { name: "one failed answer is one too many", rounds: [1], goal: { is: "==", value: 0 }, want: "MISSED" },
  { name: "no figure is not good enough", rounds: [Number.NaN], goal: { is: "<=", value: 2 }, want: "MISSED" },
] as const;
for (const { name, rounds, goal, want } of table) {
  test(`verdict: ${name}`, () => assert.equal(verdictOf({ name, unit: "", rounds, goal }), want));
}

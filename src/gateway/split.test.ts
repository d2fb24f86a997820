// Splits: exact in every window, spread evenly.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { splitSequence } from "./split.ts";

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

// Turns within lanes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Lanes } from "./lanes.ts";

test("events of one lane go one behind the other, those of others and of none go at once", () => {
  const lanes = new Lanes();
  for (const [offset, lane] of [
    [1, "a"],
    [2, "b"],
    [3, "a"],
    [4, undefined],
    [5, "a"],
  ] as const)
    lanes.enter(lane, offset);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((offset) => lanes.mayGo(offset)),
    [true, true, false, true, false],
  );
  assert.equal(lanes.leave(1), 3);
  assert.equal(lanes.mayGo(3), true);
  assert.equal(lanes.leave(2), undefined);
  assert.equal(lanes.leave(4), undefined);
});

test("one that leaves before its turn wakes nobody", () => {
  const lanes = new Lanes();
  for (const offset of [1, 2, 3]) lanes.enter("a", offset);
  assert.equal(lanes.leave(2), undefined);
  assert.equal(lanes.leave(1), 3);
  assert.equal(lanes.leave(3), undefined);
});

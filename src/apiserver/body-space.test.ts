import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import { BodySpace } from "./body-space.ts";

test("bodies share a space; who finds none is told to come back, and what was held becomes free", () => {
  const space = new BodySpace(100);
  const [one, two] = [space.open(), space.open()];
  one.grow(40);
  one.grow(40);
  two.grow(20);
  assert.throws(
    () => two.grow(1),
    (error) => isReason(error, "TooManyRequests") && error.details?.retryAfterSeconds === 1,
  );
  one.giveBack();
  one.giveBack();
  two.grow(80);
  assert.throws(() => one.grow(1));
});

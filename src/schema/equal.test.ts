// Tests of comparing and ordering JSON values.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { deepFreeze, equal, sortKeys } from "./equal.ts";

for (const [a, b, want] of [
  [{ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 }, true],
  [{ a: undefined }, {}, true],
  [{}, { a: undefined }, true],
  [{ a: null }, {}, false],
  [[1, 2], [2, 1], false],
  [[], {}, false],
  [{ a: 1 }, { a: "1" }, false],
  [null, {}, false],
  [{}, { constructor: "x" }, false],
  [{ toString: "x" }, {}, false],
  [{ constructor: "x" }, { constructor: "x" }, true],
] as const) {
  test(`${JSON.stringify(a)} and ${JSON.stringify(b)} are ${want ? "equal" : "different"}`, () => assert.equal(equal(a, b), want));
}

test("sorting keys keeps the value and gives one text to equal values", () => {
  assert.equal(JSON.stringify(sortKeys({ b: { d: 1, c: 2 }, a: [{ z: 1, y: 2 }] })), '{"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}}');
  fc.assert(fc.property(fc.jsonValue(), (value) => equal(sortKeys(value), value)));
});

test("a frozen value cannot be changed anywhere", () => {
  const value = deepFreeze({ a: { b: [1] } });
  assert.throws(() => value.a.b.push(2), TypeError);
});

// Keys that stand twice are found wherever they stand, and in what order.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { duplicateFields, inTextOrder, lostFields, outlineOf } from "./strict-json.ts";

const table = [
  { name: "none", text: '{"a":{"b":1},"b":{"a":1}}', want: [] },
  { name: "at the top", text: '{"a":1, "a" :2}', want: ['duplicate field "a"'] },
  { name: "below lists", text: '{"l":[{},[{"x":"}{,"},{"x":1,"x":2}]]}', want: ['duplicate field "l[1][1].x"'] },
  { name: "three times, told once", text: '{"a":1,"a":2,"a":3}', want: ['duplicate field "a"'] },
  { name: "written in two ways", text: String.raw`{"a":1,"\u0061":"\\","b":"\"","b":"\\\""}`, want: ['duplicate field "a"', 'duplicate field "b"'] },
  { name: "quotes and commas within texts", text: String.raw`{"a":"\",\"a\":1","b":"{\"b\":1,"}`, want: [] },
];

for (const { name, text, want } of table) {
  test(`duplicate fields: ${name}`, () => {
    assert.deepEqual(duplicateFields(text), want);
    assert.deepEqual(lostFields(text, outlineOf(text, 10), JSON.parse(text)), want);
  });
}

test("a text is too deep at the first bracket beyond, and not for brackets within texts", () => {
  assert.equal(outlineOf('{"a":["[[[[",[{', 3).tooDeep, "{");
  assert.equal(outlineOf('{"a":["[[[[",[]]', 3).tooDeep, undefined);
});

test("no JSON that was written by JavaScript has a field twice; one more of any member has", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.string(), (json, key) => {
      assert.deepEqual(duplicateFields(json), []);
      assert.deepEqual(lostFields(json, outlineOf(json, 10), JSON.parse(json)), []);
      const name = JSON.stringify(key);
      assert.deepEqual(duplicateFields(`{${name}:${json},"":${json},${name}:${json}}`), [`duplicate field "${key}"`]);
    }),
    { numRuns: 100, seed: 7 },
  );
});

test("complaints are told in the order of the text", () => {
  const text = '{"m":{"z":1},"d":{"a":1,"a":2},"y":1}';
  assert.deepEqual(inTextOrder(text, ['duplicate field "d.a"', 'unknown field "y"', 'unknown field "m.z"']), [
    'unknown field "m.z"',
    'duplicate field "d.a"',
    'unknown field "y"',
  ]);
});

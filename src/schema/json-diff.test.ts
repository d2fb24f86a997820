// The steps between two documents: few where little differs, and right for any two.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyJsonPatch, jsonPatchBetween } from "./index.ts";

const table = [
  { name: "equal documents need no steps", before: { a: [1, { b: null }] }, after: { a: [1, { b: null }] }, want: [] },
  { name: "a member is added", before: {}, after: { a: 1 }, want: [{ op: "add", path: "/a", value: 1 }] },
  { name: "a member is removed", before: { a: 1 }, after: { a: undefined }, want: [{ op: "remove", path: "/a" }] },
  { name: "a deep member is replaced", before: { a: [{ b: 1 }] }, after: { a: [{ b: 2 }] }, want: [{ op: "replace", path: "/a/0/b", value: 2 }] },
  { name: "a longer list is replaced", before: { a: [1] }, after: { a: [1, 2] }, want: [{ op: "replace", path: "/a", value: [1, 2] }] },
  { name: "keys are escaped", before: {}, after: { "x/y~z": 1 }, want: [{ op: "add", path: "/x~1y~0z", value: 1 }] },
  { name: "null is a value", before: { a: 1 }, after: { a: null }, want: [{ op: "replace", path: "/a", value: null }] },
];
for (const { name, before, after, want } of table) test(`jsonPatchBetween: ${name}`, () => assert.deepEqual(jsonPatchBetween(before, after), want));

test("jsonPatchBetween: applied to the first, its steps give the second", () => {
  const document = fc.dictionary(
    fc.string().filter((key) => key !== "__proto__"),
    fc.jsonValue({ maxDepth: 4 }),
  );
  fc.assert(
    fc.property(document, document, (before, after) => {
      const [from, to] = [before, after].map((value) => JSON.parse(JSON.stringify(value)) as unknown);
      assert.deepEqual(applyJsonPatch(from, jsonPatchBetween(from, to)), to);
    }),
  );
});

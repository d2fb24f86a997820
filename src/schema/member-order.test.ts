import assert from "node:assert/strict";
import { test } from "node:test";
import { memberOrder } from "./member-order.ts";
import type { Node } from "./node.ts";

const text: Node = { type: "string" };
const definitions: Readonly<Record<string, Node>> = { Part: { type: "object", properties: { z: text, a: text } } };
const inOrder = memberOrder(definitions)({
  type: "object",
  properties: { list: { type: "array", items: { $ref: "Part" } }, map: { type: "object", additionalProperties: text } },
});

test("members stand as their types name them, names of maps by the alphabet, unknown members last", () => {
  const value = { other: { c: 1, b: 1 }, map: { y: "1", x: "2" }, list: [{ a: "1", z: "2" }, null] };
  assert.equal(JSON.stringify(inOrder(value)), '{"list":[{"z":"2","a":"1"},null],"map":{"x":"2","y":"1"},"other":{"c":1,"b":1}}');
});

test("what does not fit stays as it is", () => {
  assert.deepEqual(inOrder({ list: "x", map: 7 }), { list: "x", map: 7 });
  assert.equal(inOrder("words"), "words");
});

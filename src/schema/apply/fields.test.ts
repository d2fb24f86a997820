// Sets of fields: the laws of sets, and the form that Kubernetes writes.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { elementText, goNumber, sortElements, stepOf } from "./element.ts";
import { difference, differenceBelow, fieldsOf, intersection, isEmpty, NOTHING, pathsOf, pathText, readFields, union, type Fields } from "./fields.ts";

const element = fc.constantFrom("f:a", "f:b", "f:spec", 'k:{"name":"x"}', 'k:{"port":80,"protocol":"TCP"}', 'v:"x"', "v:1", "i:0");
const path = fc.array(element, { minLength: 1, maxLength: 4 });
const set = fc.array(path, { maxLength: 8 }).map((paths) => fieldsOf(...paths));
const pathTexts = (fields: Fields): Set<string> => new Set([...pathsOf(fields)].map((one) => JSON.stringify(one)));
const paths = (fields: Fields): string[] => [...pathTexts(fields)].sort();

test("sets are those of their paths: union, intersection and difference agree with sets of texts", () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const [left, right] = [pathTexts(a), pathTexts(b)];
      assert.deepEqual(paths(union(a, b)), [...new Set([...left, ...right])].sort());
      assert.deepEqual(paths(intersection(a, b)), [...left].filter((one) => right.has(one)).sort());
      assert.deepEqual(paths(difference(a, b)), [...left].filter((one) => !right.has(one)).sort());
    }),
  );
});

test("what lies below a member goes with it when differences go below", () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      const gone = [...pathsOf(b)];
      const stays = (one: readonly string[]): boolean => !gone.some((other) => other.every((step, index) => one[index] === step));
      const want = [...pathsOf(a)].filter(stays).map((one) => JSON.stringify(one));
      assert.deepEqual(paths(differenceBelow(a, b)), want.sort());
    }),
  );
});

test("a set is read back as it was written, whatever the order of its elements was", () => {
  const shuffled = (fields: Fields): Fields =>
    Object.fromEntries(
      Object.entries(fields)
        .map(([key, inner]) => [key, shuffled(inner)] as const)
        .toReversed(),
    );
  fc.assert(
    fc.property(set, (a) => {
      assert.equal(JSON.stringify(readFields(JSON.parse(JSON.stringify(shuffled(a))))), JSON.stringify(a));
      assert.equal(union(a, NOTHING), a);
      assert.equal(isEmpty(difference(a, a)), true);
    }),
  );
});

test("elements stand in Kubernetes' order: fields by their bytes, keys and values by what they are worth", () => {
  const sorted = [
    "f:-",
    "f:A",
    "f:a",
    "f:aa",
    "f:ß",
    "f:\uffee",
    "f:😀",
    'k:{"port":9}',
    'k:{"port":80}',
    'k:{"port":80,"protocol":"TCP"}',
    "v:2",
    "v:10",
    'v:"1"',
    "v:true",
    "i:0",
  ];
  for (let turn = 0; turn < sorted.length; turn++) assert.deepEqual(sortElements([...sorted.slice(turn), ...sorted.slice(0, turn)]), sorted);
});

const texts = [
  ["f:data", ".data"],
  ['k:{"containerPort":80,"protocol":"TCP"}', '[containerPort=80,protocol="TCP"]'],
  ['v:"a\\u003cb"', '[="a<b"]'],
  ["v:1234567", "[=1.234567e+06]"],
  ["i:3", "[3]"],
] as const;
for (const [given, want] of texts) test(`an element is shown as ${want}`, () => assert.equal(elementText(given), want));

test("a path is shown as its elements", () => assert.equal(pathText(["f:spec", "f:ports", 'k:{"port":80}', "f:name"]), ".spec.ports[port=80].name"));

test("numbers are printed as Go does", () => {
  assert.deepEqual([0, 8080, 0.5, 100000, 1000000, -0.00001].map(goNumber), ["0", "8080", "0.5", "100000", "1e+06", "-1e-05"]);
});

test("what is no set is refused, elements of unknown kinds are left out", () => {
  assert.deepEqual(readFields({ "x:new": {}, "f:a": { "y:new": {}, "f:b": {} } }), { "f:a": { "f:b": {} } });
  for (const wrong of [{ fa: {} }, { f: {} }, { "f:a": 1 }, { "v:{": {} }, { "k:[]": {} }, { "i:x": {} }, [], "f:a"]) {
    assert.throws(() => readFields(wrong), SyntaxError, JSON.stringify(wrong));
  }
  assert.equal(stepOf("x:new"), undefined);
});

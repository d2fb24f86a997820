// Comparing, merging, pruning and claiming typed values; the rows are what kube-apiserver does with the same schema.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deepFreeze } from "../equal.ts";
import { misfitOf } from "./check.ts";
import { compareObjects } from "./compare.ts";
import { isEmpty, pathsOf, pathText, type Fields } from "./fields.ts";
import { fieldsOfObject } from "./field-set.ts";
import { thing, type } from "./fixture.test-suite.ts";
import { mergeObjects } from "./merge.ts";
import { reconciled } from "./reconcile.ts";
import { removeFields, withNamedFields } from "./remove.ts";

const shown = (fields: Fields): string[] => [...pathsOf(fields)].map(pathText).filter((path) => path.startsWith(".spec"));
const specOf = (value: unknown): unknown => (value as { spec?: unknown }).spec;

const claims: readonly { readonly name: string; readonly spec: object; readonly want: readonly string[] }[] = [
  { name: "scalars", spec: { name: "a", count: 1, on: false }, want: [".spec.name", ".spec.count", ".spec.on"] },
  {
    name: "items by their keys, with a default for the one that is not named",
    spec: { ports: [{ port: 80 }, { port: 80, protocol: "UDP" }] },
    want: [
      '.spec.ports[port=80,protocol="TCP"]',
      '.spec.ports[port=80,protocol="UDP"]',
      '.spec.ports[port=80,protocol="TCP"].port',
      '.spec.ports[port=80,protocol="UDP"].port',
      '.spec.ports[port=80,protocol="UDP"].protocol',
    ],
  },
  { name: "items of a set", spec: { tags: ["b", "a"] }, want: ['.spec.tags[="a"]', '.spec.tags[="b"]'] },
  {
    name: "atomic lists and maps as a whole",
    spec: { args: ["x"], plain: [], whole: { a: "1" }, ref: { name: "r" } },
    want: [".spec.args", ".spec.plain", ".spec.ref", ".spec.whole"],
  },
  { name: "keys of a map one by one", spec: { labels: { a: "1", b: "" } }, want: [".spec.labels.a", ".spec.labels.b"] },
  { name: "empty and null values", spec: { labels: {}, name: null, ports: [], tags: null }, want: [".spec.labels", ".spec.name", ".spec.tags"] },
  { name: "what no schema describes", spec: { open: { x: { y: [1], z: {} } } }, want: [".spec.open.x", ".spec.open.x.y", ".spec.open.x.z"] },
  {
    name: "declared fields beside them",
    spec: { open: { known: { a: "1", b: { c: 1 } } } },
    want: [".spec.open.known.a", ".spec.open.known.b", ".spec.open.known.b.c"],
  },
  { name: "int or string", spec: { limit: "5%" }, want: [".spec.limit"] },
  { name: "types that contain themselves", spec: { tree: { left: { left: { value: "x" } } } }, want: [".spec.tree.left.left.value"] },
  {
    name: "metadata of an object inside",
    spec: { inner: { metadata: { labels: { a: "1" }, finalizers: ["f"] } } },
    want: ['.spec.inner.metadata.finalizers[="f"]', ".spec.inner.metadata.labels.a"],
  },
];
for (const { name, spec, want } of claims) {
  test(`an applied object claims ${name}`, () => assert.deepEqual(shown(fieldsOfObject(type, thing(spec))).sort(), [...want].sort()));
}

const merges: readonly { readonly name: string; readonly live: object; readonly config: object; readonly want: object }[] = [
  { name: "what is not named stays", live: { name: "a", count: 1 }, config: { count: 2 }, want: { name: "a", count: 2 } },
  { name: "maps are joined", live: { labels: { a: "1", b: "1" } }, config: { labels: { b: "2", c: "2" } }, want: { labels: { a: "1", b: "2", c: "2" } } },
  {
    name: "atomic values are replaced",
    live: { args: ["a", "b"], whole: { a: "1" } },
    config: { args: ["c"], whole: { b: "2" } },
    want: { args: ["c"], whole: { b: "2" } },
  },
  { name: "null does not empty a map", live: { labels: { a: "1" } }, config: { labels: null }, want: { labels: { a: "1" } } },
  { name: "null replaces a scalar", live: { name: "a" }, config: { name: null }, want: { name: null } },
  {
    name: "items of a list are merged by their keys",
    live: { ports: [{ port: 80, protocol: "TCP", name: "a" }] },
    config: { ports: [{ port: 80, name: "b" }] },
    want: { ports: [{ port: 80, protocol: "TCP", name: "b" }] },
  },
  { name: "new items come where the configuration has them", live: { tags: ["a", "c"] }, config: { tags: ["a", "b", "c"] }, want: { tags: ["a", "b", "c"] } },
  { name: "the configuration's order wins", live: { tags: ["a", "b", "c", "d"] }, config: { tags: ["d", "b"] }, want: { tags: ["a", "c", "d", "b"] } },
  {
    name: "own items stay in relation to shared ones",
    live: { tags: ["x", "a", "y", "b", "z"] },
    config: { tags: ["a", "b"] },
    want: { tags: ["x", "a", "y", "b", "z"] },
  },
  { name: "an empty list takes nothing away", live: { tags: ["a"] }, config: { tags: [] }, want: { tags: ["a"] } },
];
for (const { name, live, config, want } of merges) {
  test(`merging: ${name}`, () => assert.deepEqual(specOf(mergeObjects(type, deepFreeze(thing(live)), deepFreeze(thing(config)))), want));
}

const changes: readonly {
  readonly name: string;
  readonly before: object;
  readonly after: object;
  readonly want: readonly [added: readonly string[], modified: readonly string[], removed: readonly string[]];
}[] = [
  { name: "nothing", before: { tags: ["a", "b"], ports: [{ port: 1 }] }, after: { tags: ["b", "a"], ports: [{ port: 1 }] }, want: [[], [], []] },
  { name: "a scalar", before: { name: "a" }, after: { name: "b" }, want: [[], [".spec.name"], []] },
  { name: "a new struct counts with all its fields", before: {}, after: { tree: { value: "x" } }, want: [[".spec.tree", ".spec.tree.value"], [], []] },
  {
    name: "an item that goes",
    before: { ports: [{ port: 1 }, { port: 2, name: "b" }] },
    after: { ports: [{ port: 1 }] },
    want: [[], [], ['.spec.ports[port=2,protocol="TCP"]', '.spec.ports[port=2,protocol="TCP"].name', '.spec.ports[port=2,protocol="TCP"].port']],
  },
  { name: "an atomic list", before: { args: ["a", "b"] }, after: { args: ["b", "a"] }, want: [[], [".spec.args"], []] },
  { name: "an empty list becomes null", before: { plain: [] }, after: { plain: null }, want: [[], [".spec.plain"], []] },
  { name: "an item that comes twice", before: { tags: ["a"] }, after: { tags: ["a", "a"] }, want: [['.spec.tags[="a"]'], [], ['.spec.tags[="a"]']] },
  { name: "a value of another shape", before: { open: { x: 1 } }, after: { open: { x: { y: 1 } } }, want: [[".spec.open.x.y"], [".spec.open.x"], []] },
];
for (const { name, before, after, want } of changes) {
  test(`comparing: ${name}`, () => {
    const { added, modified, removed } = compareObjects(type, deepFreeze(thing(before)), deepFreeze(thing(after)));
    assert.deepEqual(
      [added, modified, removed].map((fields) => shown(fields).sort()),
      want.map((paths) => [...paths].sort()),
    );
  });
}

const misfits: readonly { readonly spec: unknown; readonly want: string | undefined }[] = [
  { spec: { name: "a", limit: 5, open: { anything: [1, {}] } }, want: undefined },
  { spec: { nam: "a" }, want: ".spec.nam: field not declared in schema" },
  { spec: { name: 5 }, want: ".spec.name: expected string, got &value.valueUnstructured{Value:5}" },
  {
    spec: { name: { b: [], a: "x" } },
    want: '.spec.name: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":"x", "b":[]interface {}{}}}',
  },
  { spec: { count: "5" }, want: ".spec.count: expected numeric (int or float), got string" },
  { spec: { on: { a: [1, "x"], b: null } }, want: ".spec.on: expected boolean, got &{map[a:[1 x] b:<nil>]}" },
  { spec: { labels: ["a"] }, want: ".spec.labels: expected map, got &{[a]}" },
  { spec: { tags: "a" }, want: ".spec.tags: expected list, got &{a}" },
  { spec: { tags: ["a", "a"] }, want: '.spec.tags: duplicate entries for key [="a"]' },
  { spec: { tags: [null] }, want: ".spec.tags: element 0: associative list without keys has an element that's an explicit null" },
  { spec: { tags: [["a"]] }, want: ".spec.tags: element 0: not supported: associative list with lists as elements" },
  { spec: { ports: [null] }, want: ".spec.ports: element 0: associative list with keys may not have a null element" },
  { spec: { ports: [1] }, want: ".spec.ports: element 0: associative list with keys may not have non-map elements" },
  { spec: { ports: [{ port: 80 }, { port: 80, protocol: "TCP" }] }, want: '.spec.ports: duplicate entries for key [port=80,protocol="TCP"]' },
  {
    spec: { args: [1, "a", false] },
    want: "errors:\n  .spec.args[0]: expected string, got &value.valueUnstructured{Value:1}\n  .spec.args[2]: expected string, got &value.valueUnstructured{Value:false}",
  },
];
for (const { spec, want } of misfits) {
  test(`a configuration ${JSON.stringify(spec)} ${want === undefined ? "fits" : "is refused"}`, () =>
    assert.equal(misfitOf(type, { ...thing({}), spec }), want));
}

const key = fc.constantFrom("a", "b", "c");
const word = fc.constantFrom("x", "y");
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<object> => fc.record(model, { requiredKeys: [], noNullPrototype: true });
const spec = record({
  name: word,
  count: fc.integer({ min: 0, max: 2 }),
  tags: fc.uniqueArray(word),
  args: fc.array(word, { maxLength: 2 }),
  labels: fc.dictionary(key, word, { maxKeys: 3, noNullPrototype: true }),
  whole: fc.dictionary(key, word, { maxKeys: 2, noNullPrototype: true }),
  ports: fc.uniqueArray(fc.record({ port: fc.integer({ min: 1, max: 3 }), name: word }, { noNullPrototype: true }), { selector: ({ port }) => port }),
  tree: record({ value: word, left: record({ value: word }) }),
  open: record({ known: record({ a: word }), x: fc.dictionary(key, word, { maxKeys: 2, noNullPrototype: true }) }),
});

test("merging twice is merging once, and what was applied stands in the object", () => {
  fc.assert(
    fc.property(spec, spec, (live, config) => {
      const [object, patch] = [deepFreeze(thing(live)), deepFreeze(thing(config))];
      const once = mergeObjects(type, object, patch);
      assert.deepEqual(mergeObjects(type, once, patch), once);
      const { modified, removed } = compareObjects(type, patch, once);
      assert.ok(isEmpty(modified) && isEmpty(removed));
    }),
  );
});

test("a comparison with itself is empty; turned round, what was added is removed", () => {
  fc.assert(
    fc.property(spec, spec, (a, b) => {
      const [left, right] = [thing(a), thing(b)];
      const there = compareObjects(type, left, right);
      const back = compareObjects(type, right, left);
      assert.deepEqual([there.added, there.modified, there.removed], [back.removed, back.modified, back.added]);
      assert.deepEqual(compareObjects(type, left, structuredClone(left)), { added: {}, modified: {}, removed: {} });
    }),
  );
});

test("an object without all that it claims has nothing left to claim", () => {
  fc.assert(
    fc.property(spec, (a) => {
      const object = deepFreeze(thing(a));
      const rest = removeFields(type, object, withNamedFields(type, fieldsOfObject(type, object)));
      assert.deepEqual(shown(fieldsOfObject(type, rest ?? {})), []);
    }),
  );
});

test("sets written before a place became atomic own it whole", () => {
  const before = { "f:spec": { "f:args": { 'v:"a"': {} }, "f:whole": { "f:a": {}, "f:b": {} }, "f:labels": { "f:a": {} } } };
  assert.deepEqual(reconciled(type, before), { "f:spec": { "f:args": {}, "f:whole": {}, "f:labels": { "f:a": {} } } });
  const fits = { "f:spec": { "f:tags": { ".": {}, 'v:"a"': {} } } };
  assert.equal(reconciled(type, fits), fits);
});

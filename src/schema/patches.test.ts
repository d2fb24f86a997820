// Tests of the three kinds of patches.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isReason } from "#core";
import { deepFreeze, equal } from "./equal.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { jsonSyntaxError } from "./json-syntax.ts";
import { applyMergePatch } from "./merge-patch.ts";
import type { Node } from "./node.ts";
import { readPatch } from "./patch-document.ts";
import { applyStrategicPatch } from "./strategic-patch.ts";

const document = deepFreeze({ a: { b: [1, 2, 3] }, "x/y": 1, n: null });

for (const { name, patch, want } of [
  { name: "add a member", patch: [{ op: "add", path: "/a/c", value: 1 }], want: { ...document, a: { b: [1, 2, 3], c: 1 } } },
  { name: "add into a list", patch: [{ op: "add", path: "/a/b/1", value: 9 }], want: { ...document, a: { b: [1, 9, 2, 3] } } },
  { name: "append", patch: [{ op: "add", path: "/a/b/-", value: 9 }], want: { ...document, a: { b: [1, 2, 3, 9] } } },
  { name: "remove from a list", patch: [{ op: "remove", path: "/a/b/0" }], want: { ...document, a: { b: [2, 3] } } },
  { name: "escaped names", patch: [{ op: "replace", path: "/x~1y", value: 2 }], want: { ...document, "x/y": 2 } },
  { name: "move", patch: [{ op: "move", from: "/a/b", path: "/b" }], want: { ...document, a: {}, b: [1, 2, 3] } },
  { name: "copy", patch: [{ op: "copy", from: "/a/b/2", path: "/a/b/0" }], want: { ...document, a: { b: [3, 1, 2, 3] } } },
  { name: "an index from the end", patch: [{ op: "remove", path: "/a/b/-1" }], want: { ...document, a: { b: [1, 2] } } },
  { name: "add at the end by a negative index", patch: [{ op: "add", path: "/a/b/-1", value: 9 }], want: { ...document, a: { b: [1, 2, 3, 9] } } },
  { name: "an index with sign and zeros", patch: [{ op: "replace", path: "/a/b/+01", value: 9 }], want: { ...document, a: { b: [1, 9, 3] } } },
  { name: "replace what is not there", patch: [{ op: "replace", path: "/a/c", value: 1 }], want: { ...document, a: { b: [1, 2, 3], c: 1 } } },
  { name: "copy what is not there", patch: [{ op: "copy", from: "/a/c", path: "/c" }], want: { ...document, c: null } },
  {
    name: "what stands before the first slash counts for nothing",
    patch: [{ op: "add", path: "zz/a/c", value: 1 }],
    want: { ...document, a: { b: [1, 2, 3], c: 1 } },
  },
  { name: "a whole document that is none leaves all as it is", patch: [{ op: "replace", path: "", value: "x" }], want: document },
  { name: "test the whole document", patch: [{ op: "test", path: "", value: document }], want: document },
  { name: "test for absence", patch: [{ op: "test", path: "/nosuch", value: null }], want: document },
  { name: "the whole document", patch: [{ op: "replace", path: "", value: { z: 1 } }], want: { z: 1 } },
]) {
  test(`JSON patch: ${name}`, () => assert.deepEqual(applyJsonPatch(document, patch), want));
}

for (const patch of [
  [{ op: "test", path: "/a/b/0", value: 2 }],
  [{ op: "remove", path: "/nosuch" }],
  [{ op: "replace", path: "/a/b/3", value: 1 }],
  [{ op: "remove", path: "/a/b/-4" }],
  [{ op: "add", path: "/a/b/-5", value: 1 }],
  [{ op: "add", path: "/a/b/1x", value: 1 }],
  [{ op: "test", path: "/nosuch" }],
  [{ op: "test", path: "/a/b/-", value: 1 }],
  [{ op: "add", path: "", value: {} }],
  [{ op: "remove", path: "" }],
  [{ op: "move", from: "/nosuch", path: "/a/c" }],
  [null],
  [{ op: "add", path: "/a/b/7", value: 1 }],
  [{ op: "add", path: "/q/r", value: 1 }],
  [{ op: "move", from: "/a", path: "/a/b" }],
  [{ op: "jump", path: "/a" }],
]) {
  test(`JSON patch ${JSON.stringify(patch)} cannot be applied`, () => {
    assert.throws(
      () => applyJsonPatch(document, patch),
      (error) => isReason(error, "Invalid") && error.message === "the server rejected our request due to an error in our request",
    );
  });
}

for (const { name, patch } of [
  { name: "double each time", patch: Array.from({ length: 64 }, (_, at) => ({ op: "copy", from: "/a", path: `/a/copy${at}` })) },
  {
    name: "are long",
    patch: [{ op: "add", path: "/long", value: "x".repeat(1 << 20) }, ...["/1", "/2", "/3"].map((path) => ({ op: "copy", from: "/long", path }))],
  },
]) {
  test(`a JSON patch whose copies ${name} ends before the memory does`, () => {
    assert.throws(
      () => applyJsonPatch(document, patch),
      (error) => isReason(error, "Invalid"),
    );
  });
}

const strict = "error decoding patch: ";
for (const { type, text: sent, warn, ignore } of [
  {
    type: "json",
    text: "{}",
    warn: `${strict}json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp`,
    ignore: "json: cannot unmarshal object into Go value of type jsonpatch.Patch",
  },
  {
    type: "json",
    text: '["x"]',
    warn: `${strict}json: cannot unmarshal string into Go value of type handlers.jsonPatchOp`,
    ignore: "json: cannot unmarshal string into Go value of type jsonpatch.Operation",
  },
  { type: "json", text: '[{"op":5}]', warn: `${strict}json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string`, ignore: undefined },
  {
    type: "json",
    text: "[x",
    warn: `${strict}invalid character 'x' looking for beginning of value`,
    ignore: "invalid character 'x' looking for beginning of value",
  },
  { type: "merge", text: "[]", warn: `${strict}json: cannot unmarshal array into Go value of type map[string]interface {}`, ignore: undefined },
  { type: "merge", text: "null", warn: "Invalid JSON Patch", ignore: "Invalid JSON Patch" },
  { type: "merge", text: "", warn: `${strict}unexpected end of JSON input`, ignore: "Invalid JSON Patch" },
  {
    type: "strategic",
    text: "true",
    warn: "json: cannot unmarshal bool into Go value of type map[string]interface {}",
    ignore: "json: cannot unmarshal bool into Go value of type map[string]interface {}",
  },
  { type: "strategic", text: "{} x", warn: "invalid character 'x' after top-level value", ignore: "invalid character 'x' after top-level value" },
] as const) {
  test(`a ${type} patch ${sent} is refused as at Kubernetes, with and without field validation`, () => {
    for (const [validation, want] of [
      ["Warn", warn],
      ["Ignore", ignore],
    ] as const) {
      if (want === undefined) assert.doesNotThrow(() => readPatch(type, sent, validation));
      else
        assert.throws(
          () => readPatch(type, sent, validation),
          (error) => isReason(error, "BadRequest") && error.message === want,
        );
    }
  });
}

test("problems of a patch itself are told: fields that it names twice, and members that operations do not have", () => {
  assert.deepEqual(readPatch("json", '[{"op":"test","op":"add","path":"/x","foo":1}]', "Strict").problems, [
    'json patch duplicate field "[0].op"',
    'json patch unknown field "[0].foo"',
  ]);
  assert.deepEqual(readPatch("merge", '{"a":{"b":1,"b":2}}', "Warn").problems, ['duplicate field "a.b"']);
  assert.deepEqual(readPatch("strategic", '{"a":1,"a":2}', "Ignore").problems, []);
});

test("10,000 operations are a patch, one more is too large", () => {
  const operations = (count: number): object[] => Array.from({ length: count }, () => ({ op: "test", path: "/a/b/0", value: 1 }));
  assert.equal(applyJsonPatch(document, operations(10_000)), document);
  assert.throws(
    () => applyJsonPatch(document, operations(10_001)),
    (error) =>
      isReason(error, "RequestEntityTooLarge") &&
      error.message === "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
  );
});

for (const { text: sent, want } of [
  { text: "", want: "unexpected end of JSON input" },
  { text: '{"a"', want: "unexpected end of JSON input" },
  { text: "{a", want: "invalid character 'a' looking for beginning of object key string" },
  { text: '{"a" 1', want: "invalid character '1' after object key" },
  { text: '{"a":1 "b"', want: "invalid character '\"' after object key:value pair" },
  { text: "[1 2]", want: "invalid character '2' after array element" },
  { text: "[01]", want: "invalid character '1' after array element" },
  { text: "[-x]", want: "invalid character 'x' in numeric literal" },
  { text: "[1.]", want: "invalid character ']' after decimal point in numeric literal" },
  { text: "[1e]", want: "invalid character ']' in exponent of numeric literal" },
  { text: "[trux]", want: "invalid character 'x' in literal true (expecting 'e')" },
  { text: '["\n"]', want: String.raw`invalid character '\n' in string literal` },
  { text: String.raw`["\q"]`, want: "invalid character 'q' in string escape code" },
  { text: String.raw`["\u12g4"]`, want: String.raw`invalid character 'g' in \u hexadecimal character escape` },
  { text: "[é]", want: "invalid character 'Ã' looking for beginning of value" },
  { text: "'a'", want: String.raw`invalid character '\'' looking for beginning of value` },
  { text: "[".repeat(10_001), want: "invalid character '[' exceeded max depth" },
]) {
  test(`Go says of ${sent.slice(0, 20)}: ${want}`, () => assert.equal(jsonSyntaxError(sent), want));
}

test("what JSON.parse reads, Go has nothing to say about, and the other way round", () => {
  const parses = (sent: string): boolean => {
    try {
      JSON.parse(sent);
      return true;
    } catch {
      return false;
    }
  };
  const pieces = fc.array(fc.constantFrom("{", "}", "[", "]", ",", ":", '"a"', "1", "-", "0.5e3", "true", "null", " ", "x", '"'), { maxLength: 9 });
  fc.assert(
    fc.property(
      fc.oneof(
        pieces.map((list) => list.join("")),
        fc.json(),
      ),
      (sent) => (jsonSyntaxError(sent) === undefined) === parses(sent),
    ),
  );
});

test("a merge patch deletes by null, replaces lists and merges objects", () => {
  assert.deepEqual(applyMergePatch(document, { a: { b: [4], c: { d: null, e: 1 } }, n: null }), { a: { b: [4], c: { e: 1 } }, "x/y": 1 });
});

test("new values of a merge patch lose their nulls, in lists too; a list in the place of an object keeps them", () => {
  assert.deepEqual(applyMergePatch({ l: [1], o: {} }, { l: [{ x: null, y: 1 }, null], o: [{ x: null }], n: { a: [{ b: null }] } }), {
    l: [{ y: 1 }, null],
    o: [{ x: null }],
    n: { a: [{}] },
  });
});

test("a patch cannot reach an object's prototype", () => {
  const patched = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}')) as Record<string, unknown>;
  assert.equal(patched["polluted"], undefined);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

const json = fc.jsonValue({ maxDepth: 3 });
const objects = fc.dictionary(fc.constantFrom("a", "b", "c"), json);

test("applying a merge patch twice is applying it once, but for the nulls of a list that takes an object's place: they go the second time", () => {
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 3 }, fc.constant(null), fc.integer(), fc.string(), fc.dictionary(fc.constantFrom("a", "b", "c"), tie("tree"))),
  }));
  const patches = fc.dictionary(fc.constantFrom("a", "b", "c"), tree);
  fc.assert(
    fc.property(objects, patches, (target, patch) => {
      const once = applyMergePatch(deepFreeze(target), deepFreeze(patch));
      return equal(applyMergePatch(once, patch), once);
    }),
  );
  fc.assert(
    fc.property(objects, objects, (target, patch) => {
      const twice = applyMergePatch(applyMergePatch(deepFreeze(target), deepFreeze(patch)), patch);
      return equal(applyMergePatch(twice, patch), twice);
    }),
  );
});

test("replacing a member and putting it back gives the document back", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom("a", "b"), json, { minKeys: 1 }), json, (target, value) => {
      const [key = ""] = Object.keys(target);
      const there = applyJsonPatch(deepFreeze(target), [{ op: "replace", path: `/${key}`, value }]);
      return equal(applyJsonPatch(there, [{ op: "replace", path: `/${key}`, value: target[key] }]), target);
    }),
  );
});

const text: Node = { type: "string" };
const containers: Node = {
  type: "array",
  items: { type: "object", properties: { name: text, args: { type: "array", items: text } } },
  "x-kubernetes-patch-strategy": "merge",
  "x-kubernetes-patch-merge-key": "name",
};
const compiled = {
  kind: { kind: "Pod" },
  root: {
    type: "object",
    properties: {
      containers: { ...containers },
      finalizers: { type: "array", items: text, "x-kubernetes-patch-strategy": "merge" },
      plain: { type: "array", items: text },
      strategy: { $ref: "apps.DeploymentStrategy", "x-kubernetes-patch-strategy": "retainKeys" },
    },
  } satisfies Node,
  definitions: { "apps.DeploymentStrategy": { type: "object", properties: { type: text, rolling: text } } } satisfies Record<string, Node>,
};
const pod = deepFreeze({
  containers: [
    { name: "a", image: "1", args: ["x"] },
    { name: "b", image: "1" },
  ],
  finalizers: ["f", "g"],
  plain: ["p"],
  strategy: { type: "Rolling", rolling: "x" },
});

for (const { name, patch, want } of [
  { name: "merges items by key", patch: { containers: [{ name: "b", image: "2" }] }, want: { containers: [pod.containers[0], { name: "b", image: "2" }] } },
  {
    name: "puts new items first, as they are",
    patch: { containers: [{ name: "c", x: null }] },
    want: { containers: [{ name: "c", x: null }, ...pod.containers] },
  },
  { name: "deletes an item", patch: { containers: [{ name: "a", $patch: "delete" }] }, want: { containers: [pod.containers[1]] } },
  { name: "replaces a list", patch: { containers: [{ $patch: "replace" }, { name: "z" }] }, want: { containers: [{ name: "z" }] } },
  {
    name: "keeps what the patch does not name where it stood",
    patch: { "$setElementOrder/finalizers": ["h"], finalizers: ["h"] },
    want: { finalizers: ["h", "f", "g"] },
  },
  {
    name: "puts what it does not name before what came after it",
    patch: { "$setElementOrder/finalizers": ["g"], finalizers: ["g"] },
    want: { finalizers: ["f", "g"] },
  },
  {
    name: "orders items",
    patch: { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }], containers: [{ name: "a", image: "3" }] },
    want: { containers: [pod.containers[1], { ...pod.containers[0], image: "3" }] },
  },
  {
    name: "replaces lists without a strategy",
    patch: { plain: ["q"], containers: [{ name: "a", args: ["y"] }] },
    want: { plain: ["q"], containers: [{ ...pod.containers[0], args: ["y"] }, pod.containers[1]] },
  },
  { name: "adds to a list of plain values", patch: { finalizers: ["g", "h"] }, want: { finalizers: ["f", "g", "h"] } },
  { name: "takes from a list of plain values", patch: { "$deleteFromPrimitiveList/finalizers": ["f"] }, want: { finalizers: ["g"] } },
  { name: "retains only named keys", patch: { strategy: { $retainKeys: ["type"], type: "Recreate" } }, want: { strategy: { type: "Recreate" } } },
  { name: "replaces an object", patch: { strategy: { $patch: "replace", type: "R" } }, want: { strategy: { type: "R" } } },
  { name: "deletes by null", patch: { plain: null }, want: { plain: undefined } },
] as const) {
  test(`strategic merge patch ${name}`, () => {
    assert.ok(equal(applyStrategicPatch(compiled, pod, patch), { ...pod, ...want }), JSON.stringify(applyStrategicPatch(compiled, pod, patch)));
  });
}

for (const { name, patch, want } of [
  { name: "an item without its key", patch: { containers: [{ image: "x" }] }, want: "map: map[image:x] does not contain declared merge key: name" },
  { name: "an unknown directive", patch: { strategy: { $patch: "explode" } }, want: "unknown patch type: explode in map: map[$patch:explode]" },
  { name: "a directive that is no text", patch: { strategy: { $patch: 5 } }, want: "unknown patch type: %!s(int64=5) in map: map[$patch:5]" },
  { name: "a merge of a list", patch: { containers: [{ name: "a", $patch: "merge" }] }, want: "merging lists cannot yet be specified in the patch" },
  { name: "lists of several types", patch: { finalizers: [1] }, want: "list element types are not identical: [[f g] [1]]" },
  { name: "an order that is no list", patch: { "$setElementOrder/finalizers": "f" }, want: "expected a []interface {}, but received a string" },
  {
    name: "an order without an item of the patch",
    patch: { "$setElementOrder/finalizers": ["f"], finalizers: ["h"] },
    want: "The order in patch list:\n[h]\n doesn't match $setElementOrder list:\n[f]\n",
  },
  {
    name: "an order of an unknown field",
    patch: { strategy: { "$setElementOrder/x": [] } },
    want: 'unable to find api field in struct DeploymentStrategy for the json field "x"',
  },
]) {
  test(`strategic merge patch: ${name} fails as at Kubernetes, with code 500 and no reason`, () => {
    assert.throws(
      () => applyStrategicPatch(compiled, pod, patch),
      (error) => isReason(error, "Unknown") && error.code === 500 && error.message === want,
    );
  });
}

for (const { name, patch, want } of [
  { name: "keys to retain that are no list", patch: { strategy: { $retainKeys: "type" } }, want: "invalid patch format of retainKeys" },
  { name: "members beside those to retain", patch: { strategy: { $retainKeys: ["x"], type: "R" } }, want: "invalid patch format of retainKeys" },
  { name: "an order of nothing", patch: { $setElementOrder: [] }, want: "invalid patch format of setElementOrder list" },
  { name: "a deletion from nothing", patch: { $deleteFromPrimitiveList: [] }, want: "invalid patch format of primitive list" },
  { name: "a list", patch: [], want: "json: cannot unmarshal array into Go value of type map[string]interface {}" },
]) {
  test(`strategic merge patch: ${name} is a bad request`, () => {
    assert.throws(
      () => applyStrategicPatch(compiled, pod, patch),
      (error) => isReason(error, "BadRequest") && error.message === want,
    );
  });
}

const keyed = fc.uniqueArray(fc.constantFrom(..."abcdefgh"), { maxLength: 6 });
const itemsOf = (names: string[], image: string): object[] => names.map((name) => ({ name, image }));

test("applying a strategic merge patch twice is applying it once, and what it names stands in its order", () => {
  fc.assert(
    fc.property(keyed, keyed, keyed, (server, sent, order) => {
      const before = deepFreeze({ containers: itemsOf(server, "1"), finalizers: server });
      const list = [...order, ...sent.filter((name) => !order.includes(name))].filter((name) => server.includes(name) || sent.includes(name));
      const inOrder = list.filter((name) => sent.includes(name));
      const patch = deepFreeze({
        containers: itemsOf(inOrder, "2"),
        "$setElementOrder/containers": list.map((name) => ({ name })),
        finalizers: inOrder,
        "$setElementOrder/finalizers": list,
      });
      fc.pre(server.length + sent.length > 0);
      const once = applyStrategicPatch(compiled, before, patch) as { containers: { name: string; image: string }[]; finalizers: string[] };
      assert.deepEqual(applyStrategicPatch(compiled, once, patch), once);
      assert.deepEqual(
        once.finalizers,
        once.containers.map(({ name }) => name),
      );
      if (list.length > 0) {
        assert.deepEqual(
          once.finalizers.filter((name) => list.includes(name)),
          list,
        );
      }
      const others = server.filter((name) => !list.includes(name));
      assert.deepEqual(
        once.finalizers.filter((name) => !list.includes(name)),
        others,
      );
      for (const { name, image } of once.containers) assert.equal(image, sent.includes(name) ? "2" : "1");
    }),
  );
});

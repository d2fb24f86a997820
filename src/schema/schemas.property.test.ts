// Properties of schemas: pruning and defaults settle at once, and what they leave is what the schema allows.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ownEngines } from "./engines.ts";
import { defaulter } from "./defaults.ts";
import type { FieldError } from "./field-error.ts";
import type { Node } from "./node.ts";
import { pruner } from "./prune.ts";
import { structureChecker } from "./validate-structure.ts";

const names = fc.constantFrom("a", "b", "c");
const leaf: fc.Arbitrary<Node> = fc.constantFrom<Node>(
  { type: "string", default: "x" },
  { type: "integer" },
  { type: "boolean", nullable: true },
  { "x-kubernetes-int-or-string": true },
  { "x-kubernetes-preserve-unknown-fields": true },
);
const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.dictionary(names, tie("node")).map((properties): Node => ({ type: "object", properties })),
    tie("node").map((items): Node => ({ type: "array", items })),
    tie("node").map((additionalProperties): Node => ({ type: "object", additionalProperties })),
  ),
}));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, fc.constantFrom<unknown>("x", 1, true, null), fc.dictionary(names, tie("value")), fc.array(tie("value"), { maxLength: 3 })),
}));

const plain = (json: unknown): unknown => JSON.parse(JSON.stringify(json)) as unknown;

test("pruning and defaults change nothing the second time, and share what they leave alone", () => {
  fc.assert(
    fc.property(node, value, (schema, json) => {
      const prune = pruner({})(schema);
      const fill = defaulter({})(schema);
      const once = fill(prune(json, "", []));
      const unknown: string[] = [];
      assert.equal(prune(once, "", unknown), once);
      assert.deepEqual(unknown, []);
      assert.equal(fill(once), once);
    }),
  );
});

test("an object that stays as it was is never refused, however wrong it is", () => {
  fc.assert(
    fc.property(node, value, (schema, json) => {
      const check = structureChecker({}, ownEngines)(schema);
      const errors: FieldError[] = [];
      check(json, plain(json) ?? undefined, errors);
      if (json !== null) assert.deepEqual(errors, []);
    }),
  );
});

test("every error of a structure names a field, and a value of the schema's own type has none", () => {
  fc.assert(
    fc.property(node, value, (schema, json) => {
      const errors: FieldError[] = [];
      structureChecker({}, ownEngines)({ type: "object", properties: { spec: schema } })({ spec: json }, undefined, errors);
      for (const { field } of errors) assert.match(field, /^spec/);
    }),
  );
});

// Tests of decoding, defaults and structural checks of custom kinds, and of what every kind's metadata must be.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import { compileKind } from "./compile-kind.ts";
import { crdFor } from "./crd.ts";
import { defineKind, type ObjectOf } from "./define-kind.ts";
import { s } from "./dsl.ts";
import { deepFreeze } from "./equal.ts";
import type { KubeObject } from "./object.ts";
import { duplicateFields } from "./strict-json.ts";

const Thing = defineKind({
  group: "g.dev",
  version: "v1",
  kind: "Thing",
  plural: "things",
  shortNames: ["th"],
  spec: s.object({
    size: s.optional(s.int32({ minimum: 1 })),
    mode: s.withDefault(s.oneOf(["Fast", "Slow"]), "Fast"),
    parts: s.optional(s.list(s.object({ name: s.string({ pattern: "^[a-z]+$" }), weight: s.withDefault(s.int64(), 1) }), { keyedBy: ["name"] })),
    open: s.optional(s.anything()),
    port: s.optional(s.intOrString()),
    labels: s.optional(s.map(s.string({ maxLength: 3 }))),
  }),
  status: s.object({ ready: s.optional(s.boolean()) }),
});
type Thing = ObjectOf<typeof Thing>;

const compiled = compileKind(Thing);
const draft = (spec: unknown, extra: object = {}): unknown => ({
  apiVersion: "g.dev/v1",
  kind: "Thing",
  metadata: { name: "t", namespace: "d" },
  spec,
  ...extra,
});
const decode = (json: unknown): KubeObject => compiled.decode(deepFreeze(json), { fieldValidation: "Strict" }).object;
const errorsOf = (spec: unknown): string[] => compiled.validate(decode(draft(spec))).map((error) => `${error.type} ${error.field}: ${error.message}`);

test("the compiler knows the type of a kind's objects", () => {
  const thing: Pick<Thing, "spec" | "status"> = { spec: { mode: "Slow", parts: [{ name: "a", weight: 2 }] } };
  assert.equal(thing.spec.parts?.[0]?.weight, 2);
});

test("unknown fields are pruned, and named in order", () => {
  const json = draft({ mode: "Fast", zoo: 1, parts: [{ name: "a", bad: 1 }], open: { any: { thing: 1 } } }, { extra: true });
  const { object, warnings } = compiled.decode(json, { fieldValidation: "Warn" });
  assert.deepEqual(warnings, ['unknown field "extra"', 'unknown field "spec.parts[0].bad"', 'unknown field "spec.zoo"']);
  assert.deepEqual((object as Thing).spec, { mode: "Fast", parts: [{ name: "a" }], open: { any: { thing: 1 } } });
});

test("strict decoding refuses unknown and duplicate fields in one sentence", () => {
  const duplicates = duplicateFields('{"spec":{"a":1,"b":[{"c":1,"c":2}],"a":"\\"a\\":{"}}');
  assert.deepEqual(duplicates, ['duplicate field "spec.b[0].c"', 'duplicate field "spec.a"']);
  assert.throws(
    () => compiled.decode(draft({ zoo: 1 }), { fieldValidation: "Strict", duplicates: ['duplicate field "spec.size"'] }),
    (error) =>
      isReason(error, "BadRequest") &&
      error.message === 'Thing in version "v1" cannot be handled as a Thing: strict decoding error: duplicate field "spec.size", unknown field "spec.zoo"',
  );
});

test("fields below a value of the wrong shape are unknown, as in Kubernetes", () => {
  const { warnings } = compiled.decode(draft({ parts: { name: "x" } }), { fieldValidation: "Warn" });
  assert.deepEqual(warnings, ['unknown field "spec.parts.name"']);
});

test("nulls go away and defaults come in, also inside lists", () => {
  const object = compiled.applyDefaults(decode(draft({ size: null, parts: [{ name: "a" }, { name: "b", weight: 5 }] }))) as Thing;
  assert.deepEqual(object.spec, {
    mode: "Fast",
    parts: [
      { name: "a", weight: 1 },
      { name: "b", weight: 5 },
    ],
  });
  assert.equal(compiled.applyDefaults(object), object, "nothing to do gives the same object");
});

for (const { name, spec, want } of [
  { name: "nothing", spec: { mode: "Fast" }, want: [] },
  {
    name: "a wrong type",
    spec: { mode: "Fast", size: "big" },
    want: ['FieldValueTypeInvalid spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
  },
  {
    name: "a fraction for an integer",
    spec: { mode: "Fast", size: 1.5 },
    want: ['FieldValueTypeInvalid spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"'],
  },
  {
    name: "a value below the minimum",
    spec: { mode: "Fast", size: 0 },
    want: ["FieldValueInvalid spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"],
  },
  { name: "a missing field", spec: { mode: "Fast", parts: [{}] }, want: ["FieldValueRequired spec.parts[0].name: Required value"] },
  {
    name: "a word outside the list",
    spec: { mode: "Odd" },
    want: ['FieldValueNotSupported spec.mode: Unsupported value: "Odd": supported values: "Fast", "Slow"'],
  },
  {
    name: "a text that does not match",
    spec: { mode: "Fast", parts: [{ name: "A1" }] },
    want: ["FieldValueInvalid spec.parts[0].name: Invalid value: \"A1\": spec.parts[0].name in body should match '^[a-z]+$'"],
  },
  {
    name: "a key that occurs twice",
    spec: { mode: "Fast", parts: [{ name: "a" }, { name: "a" }] },
    want: ['FieldValueDuplicate spec.parts[1]: Duplicate value: {"name":"a"}'],
  },
  {
    name: "a text that is too long",
    spec: { mode: "Fast", labels: { a: "abcd" } },
    want: ["FieldValueTooLong spec.labels.a: Too long: may not be more than 3 bytes"],
  },
  {
    name: "neither integer nor string",
    spec: { mode: "Fast", port: true },
    want: ['FieldValueTypeInvalid spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"'],
  },
]) {
  test(`the structure check finds ${name}`, () => assert.deepEqual(errorsOf(spec), want));
}

const metaErrors = (metadata: object): string[] =>
  compiled
    .validate({ ...(draft({ mode: "Fast" }) as KubeObject), metadata: { namespace: "d", ...metadata } as never })
    .map((error) => `${error.field}: ${error.message}`);

for (const { name, metadata, want } of [
  { name: "no name", metadata: {}, want: /^metadata\.name: Required value: name or generateName is required$/ },
  { name: "a bad name", metadata: { name: "A_b" }, want: /^metadata\.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of/ },
  { name: "a bad generated name", metadata: { name: "a", generateName: "A-" }, want: /^metadata\.generateName: Invalid value: "A-": / },
  {
    name: "a bad label",
    metadata: { name: "a", labels: { k: "no!" } },
    want: /^metadata\.labels: Invalid value: "no!": a valid label must be an empty string or/,
  },
  {
    name: "a bad label key",
    metadata: { name: "a", labels: { "a/b/c": "" } },
    want: /^metadata\.labels: Invalid value: "a\/b\/c": a qualified name must consist of/,
  },
  {
    name: "an owner without uid",
    metadata: { name: "a", ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "" }] },
    want: /^metadata\.ownerReferences\.uid: Invalid value: "": must not be empty$/,
  },
]) {
  test(`the metadata check finds ${name}`, () => {
    const found = metaErrors(metadata);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", want);
  });
}

test("an update cannot change the name, nor add finalizers to what is being deleted", () => {
  const old = compiled.decode(draft({ mode: "Fast" }), { fieldValidation: "Ignore" }).object;
  const dying = { ...old, metadata: { ...old.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  const renamed = compiled.validate({ ...old, metadata: { ...old.metadata, name: "u" } }, old);
  assert.deepEqual(
    renamed.map((error) => error.message),
    ['Invalid value: "u": field is immutable', 'Invalid value: "u": field is immutable'],
  );
  const held = compiled.validate({ ...dying, metadata: { ...dying.metadata, finalizers: ["g.dev/x"] } }, dying);
  assert.deepEqual(
    held.map((error) => error.type),
    ["FieldValueForbidden", "FieldValueForbidden"],
  );
});

test("metadata of a wrong type is refused while decoding", () => {
  assert.throws(
    () => compiled.decode({ metadata: { name: 5 } }, { fieldValidation: "Ignore" }),
    (error) => isReason(error, "BadRequest") && error.message.endsWith("json: cannot unmarshal number into Go struct field ObjectMeta.name of type string"),
  );
});

test("the CustomResourceDefinition has the schema, the names and is established", () => {
  const crd = JSON.parse(JSON.stringify(crdFor(Thing, 0))) as {
    spec: { names: object; versions: { schema: { openAPIV3Schema: { properties: { spec: { required?: string[] } } } } }[] };
    metadata: { name: string };
  };
  assert.equal(crd.metadata.name, "things.g.dev");
  assert.deepEqual(crd.spec.names, { kind: "Thing", listKind: "ThingList", plural: "things", shortNames: ["th"], singular: "thing" });
  assert.equal(crd.spec.versions[0]?.schema.openAPIV3Schema.properties.spec.required, undefined);
});

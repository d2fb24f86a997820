// How field errors learn their paths, merge and read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { disallowedFields, fieldError, fieldWarning, invalidValue, missingField, noErrors, type FieldErrors } from "./knative-field-error.ts";

const table: { name: string; given: FieldErrors; want: string }[] = [
  { name: "nothing wrong is empty", given: noErrors, want: "" },
  {
    name: "an index joins the field before it",
    given: missingField("image").viaFieldIndex("containers", 2).viaField("spec"),
    want: "missing field(s): spec.containers[2].image",
  },
  { name: "a key without dots joins, too", given: invalidValue("x", "").viaKey("a").viaField("annotations"), want: "invalid value: x: annotations[a]" },
  {
    name: "a key with dots stands by itself",
    given: invalidValue("x", "").viaKey("a.b/c").viaField("annotations"),
    want: "invalid value: x: annotations.[a.b/c]",
  },
  { name: "the value at hand has its parent's path", given: fieldError("wrong").viaField("spec", "traffic"), want: "wrong: spec.traffic" },
  { name: "no path stays no path", given: fieldError("off", []).viaField("spec"), want: "off: " },
  {
    name: "equal messages share their sorted paths",
    given: disallowedFields("b").also(disallowedFields("a"), disallowedFields("b")),
    want: "must not set the field(s): a, b",
  },
  { name: "other details make another error", given: fieldError("m", "b", "two").also(fieldError("m", "a", "one")), want: "m: a\none\nm: b\ntwo" },
  { name: "messages are sorted", given: fieldError("b", "x").also(fieldError("a", "y")), want: "a: y\nb: x" },
];
for (const { name, given, want } of table) test(`FieldErrors: ${name}`, () => assert.equal(given.render(), want));

test("FieldErrors: warnings and errors are told apart", () => {
  const both = fieldWarning("careful", "a").also(fieldError("wrong", "b"));
  assert.equal(both.at("error").render(), "wrong: b");
  assert.equal(both.at("warning").viaField("spec").render(), "careful: spec.a");
});

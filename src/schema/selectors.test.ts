// Tests of label and field selectors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import { checkFields, matchesFields, parseFieldSelector, requiredValue } from "./field-selector.ts";
import { formatLabelSelector, matchesLabels, parseLabelSelector, requirementsOf, selectorMatches } from "./label-selector.ts";
import type { KubeObject } from "./object.ts";

const labels = { app: "web", tier: "2", empty: "" };

for (const [selector, wanted] of [
  ["", true],
  ["app=web", true],
  ["app==web", true],
  ["app = web , tier=2", true],
  ["app=api", false],
  ["app!=api", true],
  ["none!=x", true],
  ["app in (api, web)", true],
  ["app notin (web)", false],
  ["none notin (web)", true],
  ["app", true],
  ["none", false],
  ["!none", true],
  ["!app", false],
  ["empty=", true],
  ["app=web,!tier", false],
  ["tier>1", true],
  ["tier<2", false],
  ["app in ()", false],
] as const) {
  test(`label selector ${JSON.stringify(selector)} ${wanted ? "matches" : "does not match"}`, () => {
    assert.equal(matchesLabels(parseLabelSelector(selector), labels), wanted);
  });
}

for (const [selector, message] of [
  ["=x", "found '=', expected: !, identifier, or 'end of string'"],
  ["a=b=c", "found '=', expected: ',' or 'end of string'"],
  ["a===b", "unable to parse requirement: found '=', expected: identifier"],
  ["a gt 1", "unable to parse requirement: found 'gt', expected: in, notin, =, ==, !=, gt, lt"],
  ["a>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"],
  ["a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"],
  ["a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"],
  ["a in b", "unable to parse requirement: found 'b' expected: '('"],
  ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ["a constructor b", "unable to parse requirement: found 'constructor', expected: in, notin, =, ==, !=, gt, lt"],
  ["a,", "found '', expected: identifier after ','"],
] as const) {
  test(`label selector ${JSON.stringify(selector)} is refused in Kubernetes' words`, () => {
    assert.throws(
      () => parseLabelSelector(selector),
      (error) => isReason(error, "BadRequest") && error.message === message,
    );
  });
}

test("the text of a selector reads back as the same selector", () => {
  const text = "!gone,app=web,env in (a,b),has,tier!=1";
  assert.equal(formatLabelSelector(parseLabelSelector(text)), "app=web,env in (a,b),!gone,has,tier!=1");
});

test("selector objects: absent matches nothing, empty everything, expressions are honoured", () => {
  assert.equal(selectorMatches(undefined, labels), false);
  assert.equal(selectorMatches({}, labels), true);
  assert.equal(selectorMatches({ matchLabels: { app: "web" }, matchExpressions: [{ key: "none", operator: "DoesNotExist" }] }, labels), true);
  assert.equal(requirementsOf({ matchExpressions: [{ key: "a", operator: "Like" }] }), undefined);
});

const kind = {
  custom: false,
  scope: "Namespaced" as const,
  selectableFields: { "status.phase": (object: KubeObject) => (object as KubeObject & { status: { phase: string } }).status.phase },
};
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "d", uid: "", resourceVersion: "", creationTimestamp: "" },
  status: { phase: "Running" },
};

for (const [selector, wanted] of [
  ["metadata.name=p", true],
  ["metadata.name==q", false],
  ["metadata.namespace=d,status.phase!=Failed", true],
  ["status.phase!=Running", false],
  ["", true],
] as const) {
  test(`field selector ${JSON.stringify(selector)} ${wanted ? "matches" : "does not match"}`, () => {
    assert.equal(matchesFields(parseFieldSelector(selector), kind, pod), wanted);
  });
}

for (const [selector, message] of [
  ["metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
  ["a=b=c", "invalid field selector: unescaped character in value: 61"],
  ["a=b\\c", "invalid field selector: invalid escape sequence: \\c"],
  ["a=b\\", "invalid field selector: invalid escape sequence: \\"],
] as const) {
  test(`field selector ${JSON.stringify(selector)} is refused in Kubernetes' words`, () => {
    assert.throws(
      () => parseFieldSelector(selector),
      (error) => isReason(error, "BadRequest") && error.message === message,
    );
  });
}

test("escaped commas and equal signs belong to a value", () => {
  assert.deepEqual(parseFieldSelector("a=b\\,c\\=d,e!=f"), [
    { field: "a", equals: true, value: "b,c=d" },
    { field: "e", equals: false, value: "f" },
  ]);
});

test("a field that the kind does not offer is refused", () => {
  assert.throws(
    () => checkFields(parseFieldSelector("spec.nosuch=1"), kind),
    (error) => isReason(error, "BadRequest") && error.message === "field label not supported: spec.nosuch",
  );
});

test("the one name that a selector asks for is known", () => {
  assert.equal(requiredValue(parseFieldSelector("metadata.name=p,status.phase=x"), "metadata.name"), "p");
  assert.equal(requiredValue(parseFieldSelector("metadata.name!=p"), "metadata.name"), undefined);
});

// Tests of label and field selectors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReason } from "#core";
import { matchesFields, parseFieldSelector, requiredValue } from "./field-selector.ts";
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
  ["=x", "unable to parse requirement: found '=', expected: identifier"],
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
    assert.equal(matchesFields(parseFieldSelector(selector, kind), kind, pod), wanted);
  });
}

test("a field that the kind does not offer is refused", () => {
  assert.throws(
    () => parseFieldSelector("spec.nosuch=1", kind),
    (error) => isReason(error, "BadRequest") && error.message === "field label not supported: spec.nosuch",
  );
});

test("the one name that a selector asks for is known", () => {
  assert.equal(requiredValue(parseFieldSelector("metadata.name=p,status.phase=x", kind), "metadata.name"), "p");
  assert.equal(requiredValue(parseFieldSelector("metadata.name!=p", kind), "metadata.name"), undefined);
});

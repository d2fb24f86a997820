// Tests of the selectors of workloads and Services.
import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesPairs, matchesSelector } from "./label-selector.ts";

const labels = { app: "web" };
const expression = (key: string, operator: string, values?: string[]): object => ({ matchExpressions: [{ key, operator, ...(values && { values }) }] });

for (const [selector, want] of [
  [undefined, false],
  [{}, false],
  [{ matchLabels: { app: "web" } }, true],
  [{ matchLabels: { app: "web", tier: "1" } }, false],
  [expression("app", "In", ["api", "web"]), true],
  [expression("app", "NotIn", ["web"]), false],
  [expression("tier", "NotIn", ["1"]), true],
  [expression("tier", "DoesNotExist"), true],
  [expression("constructor", "Exists"), false],
  [expression("app", "Like", ["web"]), false],
] as const) {
  test(`the selector ${JSON.stringify(selector)} ${want ? "matches" : "does not match"}`, () => assert.equal(matchesSelector(selector, labels), want));
}

for (const [selector, want] of [
  [undefined, false],
  [{}, false],
  [{ app: "web" }, true],
  [{ app: "api" }, false],
] as const) {
  test(`the pairs ${JSON.stringify(selector)} ${want ? "match" : "do not match"}`, () => assert.equal(matchesPairs(selector, labels), want));
}

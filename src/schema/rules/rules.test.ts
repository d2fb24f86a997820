// Tests of users' rules and patterns: what they say, what they cost, and that no text of a user stops the thread.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../node.ts";
import { engines } from "./index.ts";

const text: Node = { type: "string", maxLength: 100 };

function found(spec: Node, value: unknown, old?: unknown): string[] {
  const check = engines.rules({ type: "object", properties: { spec } });
  return (check?.({ spec: value }, old === undefined ? undefined : { spec: old }, () => {}) ?? []).map(({ field, message }) => `${field}: ${message}`);
}

const rule = (source: string, more: object = {}): Pick<Node, "x-kubernetes-validations"> => ({ "x-kubernetes-validations": [{ rule: source, ...more }] });
const problems = (spec: Node): string[] =>
  engines.ruleProblems({ type: "object", properties: { spec } }, { path: "s", unchanged: false }).map(({ field, message }) => `${field}: ${message}`);

test("a schema without rules costs nothing", () => assert.equal(engines.rules({ type: "object", properties: { spec: text } }), undefined));

for (const { name, source, value, want } of [
  { name: "a rule that holds", source: "self.a == 'x'", value: { a: "x" }, want: [] },
  { name: "a rule that does not", source: "self.a == 'x'", value: { a: "y" }, want: ["spec: Invalid value: \"object\": failed rule: self.a == 'x'"] },
  {
    name: "a field that is not there",
    source: "self.a == 'x'",
    value: {},
    want: ["spec: Invalid value: \"object\": no such key: a evaluating rule: self.a == 'x'"],
  },
  {
    name: "an item that is not there",
    source: "self.l[3] == 'x'",
    value: { l: [] },
    want: ["spec: Invalid value: \"object\": index out of bounds: 3 evaluating rule: self.l[3] == 'x'"],
  },
  { name: "objects that are equal", source: "self.o == self.o", value: { o: { p: "1" } }, want: [] },
  { name: "Kubernetes' sums", source: "[1, 2].sum() == 3 && [2, 1].min() == 1", value: {}, want: [] },
  { name: "sets", source: "sets.contains([1, 2], [2]) && !sets.intersects([1], [2])", value: {}, want: [] },
  { name: "quantities", source: "quantity('1Gi').compareTo(quantity('1Mi')) == 1", value: {}, want: [] },
  { name: "texts put together", source: "'%s-%d'.format(['a', 1]) == 'a-1'", value: {}, want: [] },
]) {
  test(`rules know ${name}`, () => {
    const spec: Node = {
      type: "object",
      properties: { a: text, l: { type: "array", items: text }, o: { type: "object", properties: { p: text } } },
      ...rule(source),
    };
    assert.deepEqual(found(spec, value), want);
  });
}

test("what a rule refused before is tolerated while it stays, unless the rule asks for the old value", () => {
  const spec: Node = { type: "object", properties: { a: { ...text, ...rule("self != 'bad'") }, b: { ...text, ...rule("self == oldSelf") } } };
  assert.deepEqual(found(spec, { a: "bad", b: "1" }, { a: "bad", b: "1" }), []);
  assert.equal(found(spec, { a: "bad", b: "1" }, { a: "good", b: "1" }).length, 1);
  assert.equal(found(spec, { a: "good", b: "2" }, { a: "good", b: "1" }).length, 1);
});

test("an evaluation is cut when it costs more than a rule may", () => {
  const list: Node = { type: "array", items: { type: "integer" }, ...rule("self.all(a, self.all(b, self.all(c, a + b + c >= 0)))") };
  const value = Array.from({ length: 200 }, (_, index) => index);
  const [error = ""] = found(list, value);
  assert.match(error, /operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit/);
});

test("a pattern that backtracks for ever elsewhere is answered at once, in schemas and in rules", () => {
  const source = "^(a+)+$";
  const long = `${"a".repeat(5_000)}b`;
  assert.equal(engines.pattern(source).matches(long), false);
  assert.equal(found({ type: "string", ...rule(`self.matches('${source}')`) }, long).length, 1);
  assert.throws(() => engines.pattern("(?=a)"), /error parsing regexp: invalid or unsupported Perl syntax/);
});

for (const { name, spec, want } of [
  { name: "a field that nobody declared", spec: { type: "object", properties: { a: text }, ...rule("self.b == ''") } as Node, want: /undefined field 'b'/ },
  { name: "a field behind has", spec: { type: "object", properties: { a: text }, ...rule("has(self.b)") } as Node, want: /undefined field 'b'/ },
  { name: "a rule that is no condition", spec: { ...text, ...rule("self") } as Node, want: /must evaluate to a bool/ },
  {
    name: "the old value of an item of a list without keys",
    spec: { type: "array", maxItems: 2, items: { ...text, ...rule("self == oldSelf") } } as Node,
    want: /uncorrelatable/,
  },
  {
    name: "a rule that may cost too much",
    spec: { type: "array", items: { type: "string" }, ...rule("self.all(a, self.all(b, a == b))") } as Node,
    want: /estimated rule cost exceeds budget by factor of more than 100x/,
  },
]) {
  test(`a schema is refused for ${name}`, () => assert.match(problems(spec).join("\n"), want));
}

test("bounds make a costly rule acceptable", () => {
  const spec: Node = { type: "array", maxItems: 10, items: text, ...rule("self.all(a, self.all(b, a == b))") };
  assert.deepEqual(problems(spec), []);
});

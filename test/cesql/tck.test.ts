// The compatibility kit of CloudEvents SQL passes whole. CESQL_TCK is a checkout of the CloudEvents repository, or its folder `cesql/cesql_tck`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateExpression, type Attributes, type Evaluation } from "#cesql";
import { casesIn, casesOf, differences, tckFolder } from "./tck.ts";

/** Of version 1.0.0. */
const CASES = 275;

const kit = process.env["CESQL_TCK"];
const skip = kit === undefined ? `CESQL_TCK names no checkout of the CloudEvents repository: ${CASES} cases were not run` : false;

test("the compatibility kit of CESQL passes whole", { skip }, (t) => {
  const cases = casesIn(tckFolder(kit ?? ""));
  assert.ok(cases.length >= CASES, `only ${cases.length} cases are there`);
  assert.deepEqual(differences(cases, evaluateExpression), []);
  t.diagnostic(`${cases.length} cases`);
});

const SAMPLE = `
name: Sample
tests:
  - name: a number
    expression: -10
    result: -10
  - name: a text
    expression: "'a' LIKE 'a_'"
    result: false
  - name: of an extension
    expression: 1 / missing
    eventOverrides: { other: x }
    result: 0
    error: missingAttribute
  - name: no result
    expression: ABC(
    error: parse
`;

test("the kit's checker: right answers pass, planted faults are told by name", () => {
  const cases = casesOf(SAMPLE);
  assert.deepEqual(differences(cases, evaluateExpression), []);
  const planted = (change: (evaluation: Evaluation) => Evaluation) => (expression: string, attributes: Attributes) =>
    change(evaluateExpression(expression, attributes));
  const silent = differences(
    cases,
    planted(({ value }) => ({ value, fault: undefined })),
  );
  assert.deepEqual(
    silent.map((line) => line.split(": ")[1]),
    ["of an extension", "no result"],
  );
  const wrong = differences(
    cases,
    planted(({ fault }) => ({ value: "wrong", fault })),
  );
  assert.equal(wrong.length, 3);
  assert.match(wrong[0] ?? "", /^Sample: a number: -10 is "wrong" \(no error\), wanted -10 \(no error\)$/);
  const swapped = differences(
    cases,
    planted(({ value, fault }) => ({ value, fault: fault && { ...fault, kind: "cast" } })),
  );
  assert.equal(swapped.length, 2);
});

// The expectations' checker: each kind of difference is told, and nothing else is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, resultsOf } from "./judge.ts";

const ROOT = "TestIngressConformance";
const OUTPUT = `=== RUN   TestIngressConformance/basics
    basic.go:1: --- PASS: TestIngressConformance/nonsense (1s)
--- FAIL: TestIngressConformance (0.00s)
    --- PASS: TestIngressConformance/basics (1.18s)
    --- FAIL: TestIngressConformance/basics/http2 (1.07s)
    --- PASS: TestIngressConformance/visibility (1.05s)
        --- PASS: TestIngressConformance/visibility/fqdn (0.08s)
FAIL
`;
const expected = { passes: ["basics", "visibility"], fails: { "basics/http2": "later" } };

test("only the suite's own tests count, under their names", () => {
  assert.deepEqual(
    [...resultsOf(OUTPUT, ROOT)],
    [
      ["basics", "PASS"],
      ["basics/http2", "FAIL"],
      ["visibility", "PASS"],
    ],
  );
});

test("without a root the tests at the top count", () => {
  const output = "--- PASS: TestA (1.0s)\n    --- FAIL: TestB/part (0.1s)\n--- SKIP: TestB (0.1s)\n";
  assert.deepEqual(
    [...resultsOf(output)],
    [
      ["TestA", "PASS"],
      ["TestB", "SKIP"],
    ],
  );
  assert.deepEqual(differences(resultsOf(output), { passes: ["TestA"], fails: {}, skips: { TestB: "alpha" } }), []);
  assert.deepEqual(differences(resultsOf(output), { passes: [], fails: {}, skips: { TestA: "alpha", TestB: "alpha" } }), [
    "TestA: passes, it is expected to be skipped (alpha)",
  ]);
});

const rows = [
  { name: "as expected", output: OUTPUT, want: [] },
  {
    name: "planted fault: a test that has to pass fails",
    output: OUTPUT.replace("PASS: TestIngressConformance/visibility (", "FAIL: TestIngressConformance/visibility ("),
    want: ["visibility: failed, it has to pass"],
  },
  {
    name: "an unexpected pass",
    output: OUTPUT.replace("FAIL: TestIngressConformance/basics/http2", "PASS: TestIngressConformance/basics/http2"),
    want: ["basics/http2: passes, it is expected to fail (later)"],
  },
  {
    name: "a skipped test",
    output: OUTPUT.replace("PASS: TestIngressConformance/basics (", "SKIP: TestIngressConformance/basics ("),
    want: ["basics: was skipped, it has to pass"],
  },
  {
    name: "a test that nobody knows",
    output: `${OUTPUT}    --- PASS: TestIngressConformance/new (0.00s)\n`,
    want: ["new: is not in the expectations"],
  },
  {
    name: "a run that broke off",
    output: "panic: no",
    want: ["basics/http2: did not run, it is expected to fail (later)", "basics: did not run, it has to pass", "visibility: did not run, it has to pass"],
  },
];
for (const { name, output, want } of rows) test(`differences: ${name}`, () => assert.deepEqual(differences(resultsOf(output, ROOT), expected), want));

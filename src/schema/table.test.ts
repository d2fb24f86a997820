// Tests of ages, JSONPaths and tables.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ageOf, humanDuration } from "./age.ts";
import { defineKind } from "./define-kind.ts";
import { s } from "./dsl.ts";
import { compileJsonPath } from "./json-path.ts";
import { tableOf } from "./table.ts";

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

for (const [ms, text] of [
  [-5 * S, "<invalid>"],
  [-1 * S, "0s"],
  [0, "0s"],
  [119 * S, "119s"],
  [2 * M, "2m"],
  [5 * M + 30 * S, "5m30s"],
  [12 * M + 5 * S, "12m"],
  [179 * M, "179m"],
  [3 * H, "3h"],
  [3 * H + 5 * M, "3h5m"],
  [47 * H, "47h"],
  [2 * D + 4 * H, "2d4h"],
  [8 * D + 4 * H, "8d"],
  [3 * 365 * D + 2 * D, "3y2d"],
  [9 * 365 * D, "9y"],
] as const) {
  test(`${ms} ms are shown as ${text}`, () => assert.equal(humanDuration(ms), text));
}

test("an age without a time is unknown", () => assert.equal(ageOf(undefined, 0), "<unknown>"));

const object = {
  a: { b: 1 },
  list: [
    { type: "Other", status: "no" },
    { type: "Ready", status: "True" },
  ],
  labels: { "serving.knative.dev/x": "v" },
};
for (const [path, want] of [
  [".a.b", [1]],
  ["a.b", [1]],
  [".list[?(@.type=='Ready')].status", ["True"]],
  ['.list[?(@.type=="Ready")].status', ["True"]],
  [".list[?(@.type!='Ready')].status", ["no"]],
  [".labels['serving\\.knative\\.dev/x']", ["v"]],
  [".labels.serving\\.knative\\.dev/x", ["v"]],
  [".list[*].type", ["Other", "Ready"]],
  [".list[1].type", ["Ready"]],
  [".nosuch.b", []],
] as const) {
  test(`the path ${path} finds ${JSON.stringify(want)}`, () => assert.deepEqual(compileJsonPath(path)(object), want));
}

test("a path outside the subset is refused when it is compiled", () => assert.throws(() => compileJsonPath(".a[?(@.b > 1)]")));

const meta = { name: "n", namespace: "d", uid: "", resourceVersion: "", creationTimestamp: "2026-01-01T00:00:00Z" };

test("a custom kind's columns replace AGE and say where they come from", () => {
  const kind = defineKind({
    group: "g.dev",
    version: "v1",
    kind: "Thing",
    plural: "things",
    spec: s.object({ size: s.optional(s.int32()) }),
    columns: [
      { name: "Size", type: "integer", path: ".spec.size" },
      { name: "Since", type: "date", path: ".metadata.creationTimestamp" },
      { name: "Gone", type: "string", path: ".status.gone" },
    ],
  });
  const table = tableOf(kind);
  assert.deepEqual(
    table.columns.map((column) => `${column.name}:${column.type}:${column.format}`),
    ["Name:string:name", "Size:integer:", "Since:date:", "Gone:string:"],
  );
  assert.equal(table.columns[1]?.description, "Custom resource definition column (in JSONPath format): .spec.size");
  const thing = { apiVersion: "g.dev/v1", kind: "Thing", metadata: meta, spec: { size: 3 } };
  assert.deepEqual(table.cells(thing, Date.parse("2026-01-01T00:01:00Z")), ["n", 3, "60s", null]);
});

test("a custom kind without columns shows its age", () => {
  const table = tableOf(defineKind({ group: "g.dev", version: "v1", kind: "Thing", plural: "things" }));
  assert.deepEqual(table.cells({ apiVersion: "", kind: "", metadata: meta }, Date.parse("2026-01-01T00:05:30Z")), ["n", "5m30s"]);
});

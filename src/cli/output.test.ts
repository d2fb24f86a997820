// Rows of what commands print.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "#schema";
import type { CliError } from "./exit.ts";
import { age, formatted, parseFormat, parsePlainFormat, structured, table } from "./output.ts";

const NOW = Date.parse("2026-01-10T00:00:00Z");
const ages = [
  { seconds: 0, text: "0s" },
  { seconds: 119, text: "119s" },
  { seconds: 120, text: "2m" },
  { seconds: 310, text: "5m10s" },
  { seconds: 601, text: "10m" },
  { seconds: 179 * 60, text: "179m" },
  { seconds: 3 * 3600, text: "3h" },
  { seconds: 3 * 3600 + 300, text: "3h5m" },
  { seconds: 47 * 3600, text: "47h" },
  { seconds: 52 * 3600, text: "2d4h" },
  { seconds: 9 * 86400 + 3600, text: "9d" },
  { seconds: -5, text: "0s" },
];
for (const { seconds, text } of ages) {
  test(`age: ${seconds} seconds are ${text}`, () => assert.equal(age(new Date(NOW - seconds * 1000).toISOString(), NOW), text));
}

test("an age that is not known", () => assert.equal(age(undefined, NOW), "<unknown>"));

test("columns are as wide as their widest cell and three blanks", () => {
  assert.equal(table(["A", "LONG"], [["value", "x"]]), "A       LONG\nvalue   x\n");
});

const object = { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name: "a" } } as unknown as KubeObject;
const forms = [
  { format: "name", single: true, text: "service.serving.knative.dev/a\n" },
  { format: "yaml", single: true, text: "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: a\n" },
  { format: "json", single: true, text: `${JSON.stringify(object, undefined, 2)}\n` },
  { format: "json", single: false, text: `${JSON.stringify({ apiVersion: "v1", kind: "List", items: [object] }, undefined, 2)}\n` },
] as const;
for (const { format, single, text } of forms) {
  test(`formatted: ${format}, ${single ? "one object" : "a list"}`, () => assert.equal(formatted(format, [object], single), text));
}

test("plain values as JSON on one line and as YAML", () => {
  assert.equal(structured("json", { a: 1 }), '{"a":1}\n');
  assert.equal(structured("yaml", { a: 1 }), "a: 1\n");
});

test("formats that are not known are a usage error", () => {
  for (const parse of [parseFormat, parsePlainFormat]) {
    assert.equal(parse("json"), "json");
    assert.equal(parse(undefined), undefined);
    assert.throws(
      () => parse("table"),
      (error: CliError) => error.exit === "usage",
    );
  }
});

// Tests of quantities.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { compareQuantities, formatQuantity, parseQuantity, quantityNumber, type Quantity } from "./quantity.ts";

const parsed = (text: string | number): Quantity => {
  const quantity = parseQuantity(text);
  assert.ok(quantity !== undefined, `${text} is a quantity`);
  return quantity;
};

for (const [text, canonical, value] of [
  ["100m", "100m", 0.1],
  ["1000m", "1", 1],
  ["0.5", "500m", 0.5],
  ["1.5Gi", "1536Mi", 1_610_612_736],
  ["1024Ki", "1Mi", 1_048_576],
  ["512Mi", "512Mi", 536_870_912],
  ["1e3", "1e3", 1000],
  ["2000k", "2M", 2_000_000],
  ["-5", "-5", -5],
  ["0", "0", 0],
  [3, "3", 3],
  ["0.5Ki", "512", 512],
] as const) {
  test(`${text} is written as ${canonical}`, () => {
    assert.equal(formatQuantity(parsed(text)), canonical);
    assert.equal(quantityNumber(parsed(text)), value);
  });
}

for (const text of ["", "abc", "1x", "1.2.3", "--1", "Gi", "1e999"]) {
  test(`${JSON.stringify(text)} is no quantity`, () => assert.equal(parseQuantity(text), undefined));
}

test("quantities compare by value, not by text", () => {
  assert.equal(compareQuantities(parsed("1000m"), parsed("1")), 0);
  assert.ok(compareQuantities(parsed("1Gi"), parsed("1G")) > 0);
});

test("the canonical text has the same value and is its own canonical text", () => {
  const suffix = fc.constantFrom("", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3");
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), suffix, (number, unit) => {
      const first = parsed(`${number}${unit}`);
      const text = formatQuantity(first);
      return compareQuantities(parsed(text), first) === 0 && formatQuantity(parsed(text)) === text;
    }),
  );
});

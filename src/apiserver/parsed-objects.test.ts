// One parse for one text, within a limit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ParsedObjects } from "./parsed-objects.ts";

const text = (name: string, filler = ""): string => JSON.stringify({ metadata: { name }, filler });

test("the same text gives the same object", () => {
  const parsed = new ParsedObjects();
  assert.equal(parsed.of(text("a")), parsed.of(text("a")));
  assert.equal(parsed.of(text("b")).metadata.name, "b");
});

test("what was not used for long is forgotten when there is too much", () => {
  const parsed = new ParsedObjects();
  const used = parsed.of(text("used"));
  const idle = parsed.of(text("idle"));
  for (let index = 0; index < 30; index++) {
    parsed.of(text(`large-${index}`, "x".repeat(100_000)));
    assert.equal(parsed.of(text("used")), used);
  }
  assert.notEqual(parsed.of(text("idle")), idle);
});

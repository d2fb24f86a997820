// config-autoscaler against the recordings of the real parser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAutoscalerConfig } from "./autoscaler.ts";

interface Case {
  readonly data: Record<string, string>;
  readonly parsed?: Record<string, unknown>;
  readonly error?: string;
}

const golden = join(import.meta.dirname, "../../../test/golden/autoscaler/config-autoscaler.json");
const { cases } = JSON.parse(readFileSync(golden, "utf8")) as { cases: Case[] };

test("there are recordings to compare with", () => assert.ok(cases.length >= 31));

for (const { data, parsed, error } of cases) {
  test(`parseAutoscalerConfig: ${JSON.stringify(data)}`, () => {
    const got = parseAutoscalerConfig(data);
    if (error !== undefined) return assert.deepEqual(got, { error });
    assert.ok(!("error" in got), JSON.stringify(got));
    for (const [name, value] of Object.entries(parsed ?? {})) assert.equal((got as unknown as Record<string, unknown>)[name], value, name);
  });
}

// Recorded requests to a real cluster, sent to the whole control plane: same code, Status or object, and warnings.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Checked } from "./autoscaler-compare.ts";
import { checkValidation, type ValidationCase } from "./validation/check.ts";
import { VALIDATION_EXPECTATIONS } from "./validation/expectations.ts";

const read = (file: string): ValidationCase[] =>
  JSON.parse(readFileSync(new URL(`./serving/validation/${file}.json`, import.meta.url), "utf8")) as ValidationCase[];
const cases = [...read("accepted"), ...read("rejected")];

async function check(of: readonly ValidationCase[]): Promise<Map<string, Checked>> {
  const results = new Map<string, Checked>();
  for await (const result of checkValidation(of)) results.set(result.name, result);
  return results;
}

test("there are recordings to compare with, each with a name of its own", () => {
  assert.ok(cases.length >= 343);
  const names = new Set(cases.map(({ name }) => name));
  assert.equal(names.size, cases.length);
  assert.deepEqual(
    Object.keys(VALIDATION_EXPECTATIONS).filter((name) => !names.has(name)),
    [],
  );
});

const results = await check(cases);
for (const { group, name } of cases) {
  const why = VALIDATION_EXPECTATIONS[name];
  test(`validation: ${group}: ${name}${why === undefined ? "" : ` differs: ${why}`}`, () => {
    const { difference } = results.get(name) ?? { difference: "not compared" };
    if (why === undefined) assert.equal(difference, undefined);
    else assert.notEqual(difference, undefined, `is equal although expected to differ (${why}): take it out of the expectations`);
  });
}

/** A recording with one thing changed must differ: the comparison can fail. */
const faults: readonly { readonly name: string; readonly of: string; readonly plant: (recorded: ValidationCase) => object }[] = [
  { name: "another code", of: "no-name", plant: ({ response }) => ({ ...response, code: 400 }) },
  { name: "another message", of: "env-secret-no-key", plant: ({ response }) => ({ ...response, body: { ...response.body, message: "planted" } }) },
  { name: "another cause", of: "no-name", plant: ({ response }) => ({ ...response, body: { ...response.body, details: { causes: [] } } }) },
  { name: "a warning too few on a refusal", of: "env-secret-no-key", plant: ({ response }) => ({ ...response, warnings: [] }) },
  { name: "another spec", of: "update-byo-drop-name", plant: ({ response }) => ({ ...response, body: { ...response.body, spec: {} } }) },
];

test("validation: planted faults are noticed", async () => {
  const planted = faults.map(({ name, of, plant }) => {
    const recorded = cases.find((each) => each.name === of);
    assert.ok(recorded !== undefined && results.get(of)?.ok === true, of);
    return { ...recorded, name, response: plant(recorded) } as ValidationCase;
  });
  const found = await check(planted);
  assert.deepEqual(
    [...found.values()].filter(({ ok }) => ok),
    [],
  );
});

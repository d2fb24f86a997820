// Recorded requests to the real webhooks of Knative Eventing, sent to the whole control plane: same code, Status or object, and warnings.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Checked } from "./autoscaler-compare.ts";
import { checkValidation, type ValidationCase } from "./validation/check.ts";
import { EVENTING_EXPECTATIONS, skippedEventing } from "./validation/eventing-expectations.ts";

const read = (file: string): ValidationCase[] =>
  JSON.parse(readFileSync(new URL(`./eventing/validation/${file}.json`, import.meta.url), "utf8")) as ValidationCase[];
const all = [...read("accepted"), ...read("rejected")];
const cases = all.filter((each) => skippedEventing(each) === undefined);

async function check(of: readonly ValidationCase[]): Promise<Map<string, Checked>> {
  const results = new Map<string, Checked>();
  for await (const result of checkValidation(of)) results.set(result.name, result);
  return results;
}

/** Recordings of kinds that are not served. */
const SKIPPED = 32;

test("there are recordings to compare with, each with a name of its own, and it is known how many are left out", () => {
  const names = new Set(all.map(({ name }) => name));
  assert.equal(names.size, all.length);
  assert.equal(all.length - cases.length, SKIPPED);
  assert.deepEqual(
    Object.keys(EVENTING_EXPECTATIONS).filter((name) => !names.has(name)),
    [],
  );
});

const results = await check(cases);
for (const { group, name } of cases) {
  const why = EVENTING_EXPECTATIONS[name];
  test(`eventing: ${group}: ${name}${why === undefined ? "" : ` differs: ${why}`}`, () => {
    const { difference } = results.get(name) ?? { difference: "not compared" };
    if (why === undefined) assert.equal(difference, undefined);
    else assert.notEqual(difference, undefined, `is equal although expected to differ (${why}): take it out of the expectations`);
  });
}

/** A recording with one thing changed must differ: the comparison can fail. */
const faults: readonly { readonly name: string; readonly of: string; readonly plant: (recorded: ValidationCase) => object }[] = [
  { name: "another code", of: "broker-no-spec", plant: ({ response }) => ({ ...response, code: 200 }) },
  { name: "another message", of: "trigger-no-broker", plant: ({ response }) => ({ ...response, body: { ...response.body, message: "planted" } }) },
  { name: "a warning too many", of: "broker-no-spec", plant: ({ response }) => ({ ...response, warnings: ["planted"] }) },
  { name: "another default", of: "update-broker-delivery", plant: ({ response }) => ({ ...response, body: { ...response.body, spec: {} } }) },
];

test("eventing: planted faults are noticed", async () => {
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

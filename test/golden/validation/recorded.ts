// The tests that every set of recorded requests has: each is answered as recorded, what differs has its reason, and planted faults are noticed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Checked } from "../autoscaler-compare.ts";
import { checkValidation, type ValidationCase } from "./check.ts";

/** A recording with one thing changed, which must differ: the comparison can fail. */
export interface PlantedFault {
  readonly name: string;
  /** Name of the recording. */
  readonly of: string;
  /** Its response, changed. */
  readonly plant: (recorded: ValidationCase) => object;
}

export interface RecordedSet {
  /** Before the names of its tests. */
  readonly name: string;
  /** Of `accepted.json` and `rejected.json`, beside the tests. */
  readonly folder: string;
  /** How many there are at least, so that a set that is not there is no green one. */
  readonly atLeast: number;
  /** Why a recording differs, by its name. */
  readonly expectations: Readonly<Record<string, string>>;
  /** Why one is left out. */
  readonly leftOut?: (recorded: ValidationCase) => string | undefined;
  /** How many are. */
  readonly leftOutCount?: number;
  readonly faults: readonly PlantedFault[];
}

function read(folder: string): ValidationCase[] {
  return ["accepted", "rejected"].flatMap(
    (file) => JSON.parse(readFileSync(new URL(`../${folder}/${file}.json`, import.meta.url), "utf8")) as ValidationCase[],
  );
}

async function check(cases: readonly ValidationCase[]): Promise<ReadonlyMap<string, Checked>> {
  const results = new Map<string, Checked>();
  for await (const result of checkValidation(cases)) results.set(result.name, result);
  return results;
}

/** Defines the tests in the calling file. */
export async function recordedTests({ name: set, folder, atLeast, expectations, leftOut, leftOutCount = 0, faults }: RecordedSet): Promise<void> {
  const all = read(folder);
  const cases = all.filter((each) => leftOut?.(each) === undefined);

  test(`${set}: there are recordings to compare with, each with a name of its own, and it is known how many are left out`, () => {
    assert.ok(all.length >= atLeast);
    const names = new Set(all.map(({ name }) => name));
    assert.equal(names.size, all.length);
    assert.equal(all.length - cases.length, leftOutCount);
    assert.deepEqual(
      Object.keys(expectations).filter((name) => !names.has(name)),
      [],
    );
  });

  const results = await check(cases);
  for (const { group, name } of cases) {
    const why = expectations[name];
    test(`${set}: ${group}: ${name}${why === undefined ? "" : ` differs: ${why}`}`, () => {
      const { difference } = results.get(name) ?? { difference: "not compared" };
      if (why === undefined) assert.equal(difference, undefined);
      else assert.notEqual(difference, undefined, `is equal although expected to differ (${why}): take it out of the expectations`);
    });
  }

  test(`${set}: planted faults are noticed`, async () => {
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
}

// Ages of conditions under clocks that are set.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import type { Condition } from "#schema";
import { ConditionAges } from "./condition-ages.ts";

const WALL = Date.UTC(2026, 0, 1);
const active = (status: Condition["status"], since: number): Condition => ({ type: "Active", status, lastTransitionTime: new Date(since).toISOString() });

test("what was there before is as old as it says, what changes is counted", () => {
  const ages = new ConditionAges();
  equal(ages.ageOf("a", active("True", WALL - 40_000), { monotonic: 0, wall: WALL }), 40_000);
  equal(ages.ageOf("a", active("True", WALL - 40_000), { monotonic: 5_000, wall: WALL + 5_000 }), 45_000);
  equal(ages.ageOf("a", active("False", WALL + 6_000), { monotonic: 6_000, wall: WALL + 6_000 }), 0);
  equal(ages.ageOf("a", undefined, { monotonic: 7_000, wall: WALL + 7_000 }), 0);
});

test("a wall clock that is set, either way, changes no age", () => {
  for (const step of [8 * 3_600_000, -8 * 3_600_000]) {
    const ages = new ConditionAges();
    ages.ageOf("a", active("True", WALL), { monotonic: 0, wall: WALL });
    equal(ages.ageOf("a", active("True", WALL), { monotonic: 10_000, wall: WALL + 10_000 + step }), 10_000);
    // A change after the step has a time of the new wall clock.
    equal(ages.ageOf("a", active("False", WALL + 20_000 + step), { monotonic: 20_000, wall: WALL + 20_000 + step }), 0);
  }
});

test("a time to come counts as now, and what was forgotten is believed anew", () => {
  const ages = new ConditionAges();
  equal(ages.ageOf("a", active("True", WALL + 60_000), { monotonic: 0, wall: WALL }), 0);
  equal(ages.ageOf("a", active("True", WALL + 60_000), { monotonic: 9_000, wall: WALL }), 9_000);
  ages.forget("a");
  equal(ages.ageOf("a", active("True", WALL - 1_000), { monotonic: 9_000, wall: WALL }), 1_000);
});

// Tests of Knative's condition algebra.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { conditionOf, conditionSet, mergeTransitionTimes } from "./conditions.ts";
import { deepFreeze } from "./equal.ts";
import type { Condition } from "./object.ts";

const set = conditionSet({ happy: "Ready", dependents: ["A", "B"] });
const statusOf = (conditions: readonly Condition[], type = "Ready"): string => {
  const { status, reason } = conditionOf(conditions, type) ?? {};
  return `${status ?? "absent"}${reason === undefined ? "" : `/${reason}`}`;
};

test("initialize adds the happy condition and its dependents as Unknown", () => {
  assert.deepEqual(set.sorted(set.initialize(undefined)), [
    { type: "A", status: "Unknown" },
    { type: "B", status: "Unknown" },
    { type: "Ready", status: "Unknown" },
  ]);
});

test("initialize adds a new dependent of a happy object as True", () => {
  assert.equal(statusOf(set.initialize([{ type: "Ready", status: "True" }]), "B"), "True");
});

test("the object is happy once all dependents are true", () => {
  const one = set.markTrue(set.initialize([]), "A");
  assert.equal(statusOf(one), "Unknown");
  const both = set.markTrue(one, "B");
  assert.equal(statusOf(both), "True");
  assert.ok(set.isHappy(both));
});

test("a missing dependent keeps the object Unknown without a reason", () => {
  assert.equal(statusOf(set.markTrue([], "A")), "Unknown");
});

test("False goes up with its reason and its message", () => {
  const marked = set.markFalse(set.initialize([]), "B", { reason: "Broken", message: "it broke" });
  assert.deepEqual(conditionOf(marked, "Ready"), { type: "Ready", status: "False", reason: "Broken", message: "it broke" });
});

test("Unknown does not hide that another dependent is False", () => {
  const marked = set.markUnknown(set.markFalse(set.initialize([]), "A", { reason: "Broken" }), "B", { reason: "Waiting" });
  assert.equal(statusOf(marked), "False/Broken");
});

test("after a recovery the False dependent that changed last speaks", () => {
  const three = conditionSet({ happy: "Ready", dependents: ["A", "B", "C"] });
  const base = three.initialize([]);
  const first = three.markFalse(three.markFalse(base, "B", { reason: "First" }), "A", { reason: "Second" });
  assert.equal(statusOf(three.markTrue(first, "C")), "False/Second");
});

test("stored transition times decide among conditions that did not change", () => {
  const stored: Condition[] = [
    { type: "A", status: "False", reason: "Old", lastTransitionTime: "2026-01-01T00:00:00Z" },
    { type: "B", status: "Unknown", lastTransitionTime: "2026-01-01T00:00:02Z" },
    { type: "C", status: "False", reason: "New", lastTransitionTime: "2026-01-01T00:00:01Z" },
  ];
  const three = conditionSet({ happy: "Ready", dependents: ["A", "B", "C"] });
  assert.equal(statusOf(three.markTrue(deepFreeze(stored), "B")), "False/New");
});

test("a condition that is no dependent informs and does not move the happy one", () => {
  const marked = set.markFalse(set.initialize([]), "Extra", { reason: "NoTraffic" });
  assert.deepEqual(conditionOf(marked, "Extra"), { type: "Extra", status: "False", severity: "Info", reason: "NoTraffic" });
  assert.equal(statusOf(marked), "Unknown");
  assert.equal(conditionOf(set.clear(marked, "Extra"), "Extra"), undefined);
  assert.equal(set.clear(marked, "A").length, marked.length);
});

test("transition times move only with the rest of a condition", () => {
  const old: Condition[] = [{ type: "A", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }];
  const merged = mergeTransitionTimes(
    old,
    [
      { type: "A", status: "True" },
      { type: "B", status: "True" },
    ],
    Date.UTC(2026, 1, 1),
  );
  assert.deepEqual(
    merged.map((condition) => condition.lastTransitionTime),
    ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"],
  );
  const changed = mergeTransitionTimes(old, [{ type: "A", status: "False" }], Date.UTC(2026, 1, 1));
  assert.equal(changed[0]?.lastTransitionTime, "2026-02-01T00:00:00Z");
});

test("whatever is marked, the happy condition agrees with its dependents", () => {
  const mark = fc.record({ type: fc.constantFrom("A", "B", "X"), status: fc.constantFrom("True", "False", "Unknown"), reason: fc.constantFrom("R", "S") });
  fc.assert(
    fc.property(fc.array(mark, { maxLength: 12 }), (marks) => {
      let conditions = set.initialize([]);
      for (const { type, status, reason } of marks) {
        deepFreeze(conditions);
        if (status === "True") conditions = set.markTrue(conditions, type);
        else if (status === "False") conditions = set.markFalse(conditions, type, { reason });
        else conditions = set.markUnknown(conditions, type, { reason });
      }
      const below = ["A", "B"].map((type) => statusOf(conditions, type).split("/")[0]);
      const wanted = below.includes("False") ? "False" : below.includes("Unknown") ? "Unknown" : "True";
      return statusOf(conditions).split("/")[0] === wanted;
    }),
  );
});

// The truth table of EventTypes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventType } from "#kinds";
import { conditionsOf, made } from "../../serving/fixture.test-suite.ts";
import type { Referred } from "./observe.ts";
import { planEventType } from "./plan.ts";

const eventType = made(EventType, "t", { spec: { attributes: [] } }, { generation: 2 });
const table: readonly { readonly name: string; readonly referred: Referred; readonly want: readonly string[]; readonly failure?: string }[] = [
  {
    name: "about nothing in particular",
    referred: "unset",
    want: ["Ready=True", "ReferenceExists=True ReferenceNotSet: spec.reference is not set"],
  },
  { name: "about something that is there", referred: "exists", want: ["Ready=True", "ReferenceExists=True"] },
  {
    name: "about something that is not there",
    referred: "missing",
    want: [
      "Ready=False ResourceDoesNotExist: Resource in spec.reference does not exist",
      "ReferenceExists=False ResourceDoesNotExist: Resource in spec.reference does not exist",
    ],
  },
  {
    name: "about something of a kind that nobody serves",
    referred: { error: 'no matches for kind "X" in version "x/v1"' },
    want: [
      'Ready=Unknown ReferenceGetFailed: Failed to get reference: no matches for kind "X" in version "x/v1"',
      'ReferenceExists=Unknown ReferenceGetFailed: Failed to get reference: no matches for kind "X" in version "x/v1"',
    ],
    failure: 'no matches for kind "X" in version "x/v1"',
  },
];
for (const { name, referred, want, failure } of table) {
  test(`planEventType: ${name}`, () => {
    const plan = planEventType({ eventType, referred });
    assert.deepEqual(conditionsOf(plan.status), want);
    assert.equal(plan.failure, failure);
    assert.equal((plan.status as { observedGeneration?: number }).observedGeneration, 2);
  });
}

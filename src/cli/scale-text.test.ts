// Each reason why a count is what it is appears in words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decide, newDecider, type DeciderSettings, type Explained } from "#autoscaler";
import { scaleText, type ScaleBounds } from "./scale-text.ts";

const SETTINGS: DeciderSettings = {
  scalingMetric: "concurrency",
  targetValue: 70,
  totalValue: 100,
  targetBurstCapacity: 211,
  activatorCapacity: 100,
  panicThreshold: 2,
  stableWindowMs: 60_000,
  maxScaleUpRate: 10,
  maxScaleDownRate: 2,
  initialScale: 1,
  activationScale: 0,
  scaleDownDelayMs: 0,
  reachable: true,
};
const NO_BOUNDS: ScaleBounds = { min: 0, max: 0, wanted: undefined, inactive: undefined };

interface Given {
  readonly settings?: Partial<DeciderSettings>;
  readonly ready: number;
  readonly stable: number;
  readonly panic?: number;
  readonly heldAt?: number;
}

/** The words about the second of two decisions; the first one saw `before`. */
function told({ settings: over = {}, ready, stable, panic = stable, heldAt }: Given, before = stable): string {
  const settings = { ...SETTINGS, ...over };
  const inputs = (value: number, other: number) => ({ settings, ready, values: { stable: value, panic: other } });
  const first = decide(newDecider(settings, Math.min(ready, 1), 0), inputs(before, before), 2_000);
  const second = decide(first.state, inputs(stable, panic), 4_000);
  const { status, panicSinceMs } = second.state;
  const desired = Math.max(status.desired, heldAt ?? 0);
  const held = heldAt === undefined ? {} : { heldAt };
  const explained: Explained = {
    ...inputs(stable, panic),
    ...status,
    ...held,
    desired,
    outcome: second.explain,
    panicking: panicSinceMs !== undefined,
    sinceMs: 2_000,
    untilMs: 4_000,
  };
  return scaleText({ key: "default/hello-00001", ready, desired, nowMs: 10_000, decisions: [explained] }, NO_BOUNDS, 5);
}

const rows: readonly (readonly [what: string, text: string, words: RegExp])[] = [
  ["the head", told({ ready: 1, stable: 30 }), /Revision: {3}hello-00001\nNamespace: {2}default\nReady: {6}1\n/],
  ["the target", told({ ready: 1, stable: 30 }), /70 concurrent requests a pod = 100 × 70 %/],
  [
    "requests per second",
    told({ settings: { scalingMetric: "rps", targetValue: 140, totalValue: 200 }, ready: 1, stable: 30 }),
    /140 requests per second a pod = 200 × 70 %/,
  ],
  ["the demand", told({ ready: 3, stable: 175.5, panic: 150 }), /stable 175\.5 \/ 70 → 3 pods\n {6}panic 150 \/ 70 → 3 pods/],
  ["time", told({ ready: 1, stable: 30 }), /6s ago {7}1 pod wanted, 1 ready \(the same for 2s\)/],
  ["the way down", told({ ready: 9, stable: 70 }), /not below 4 = floor\(9 \/ 2\)/],
  ["the way up", told({ ready: 2, stable: 7_000 }), /not above 20 = ceil\(10 × 2\)/],
  ["panic begins", told({ ready: 1, stable: 30, panic: 300 }), /panic \(5 ≥ 2 × 1 ready\): the count does not fall/],
  ["panic lasts", told({ ready: 4, stable: 70 }, 700), /panic \(for 60s after it was last needed\): the count does not fall below 10/],
  ["activation", told({ settings: { activationScale: 4 }, ready: 1, stable: 3 }), /raised to the activation scale 4/],
  [
    "a delay",
    told({ settings: { scaleDownDelayMs: 30_000, panicThreshold: 10 }, ready: 4, stable: 70 }, 250),
    /kept at 4 for the scale-down delay of 30s; now it would be 2/,
  ],
  ["a hold", told({ ready: 4, stable: 70, heldAt: 4 }), /held at 4: after a start or a gap in the data a whole window \(60s\) is awaited/],
  ["nothing routes to it", told({ settings: { reachable: false }, ready: 1, stable: 3 }), /Reachable: {2}no/],
];
for (const [what, text, words] of rows) test(`in words: ${what}`, () => assert.match(text, words));

test("in words: no decision, bounds, and why nothing is active", () => {
  const silent: Explained = {
    settings: SETTINGS,
    ready: 2,
    values: undefined,
    outcome: "gateways silent",
    desired: 2,
    excessBurstCapacity: 0,
    panicking: false,
    sinceMs: 0,
    untilMs: 0,
  };
  const bounds = { min: 1, max: 5, wanted: 2, inactive: "NoTraffic: The target is not receiving traffic." };
  const text = scaleText({ key: "a/b", ready: 2, desired: 2, nowMs: 1_000, decisions: [silent] }, bounds, 5);
  assert.match(text, /no decision: a gateway thread owes its report/);
  assert.match(text, /The autoscaler wants 2 pods; with the bounds, between 1 and 5: 2 pods in the end\.\nNoTraffic: The target/);
  assert.match(scaleText({ key: "a/b", desired: -1, nowMs: 0, decisions: [] }, NO_BOUNDS, 5), /has decided nothing yet; .*: nothing is wanted yet/);
});

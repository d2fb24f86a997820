// Windows, rates and bounds between what the metrics ask for and what is set.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HPAScalingRules } from "#kinds";
import { horizontal } from "./fixture.test-suite.ts";
import { limited, type Wish } from "./limits.ts";
import { remembering } from "./memory.ts";

const NOW = 1_000_000;
type Past = readonly [secondsAgo: number, count: number][];

const UP: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};
const DOWN: HPAScalingRules = { stabilizationWindowSeconds: 0, selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] };
const behavior = (up: HPAScalingRules = {}, down: HPAScalingRules = {}) => ({ behavior: { scaleUp: { ...UP, ...up }, scaleDown: { ...DOWN, ...down } } });

interface Row {
  readonly name: string;
  readonly spec?: Parameters<typeof horizontal>[0];
  readonly from: number;
  readonly to: number;
  readonly recommended?: Past;
  readonly ups?: Past;
  readonly downs?: Past;
  readonly want: string;
}

function wish({ spec, from, to, recommended = [], ups = [], downs = [] }: Omit<Row, "name" | "want">): Wish {
  const at = (ago: number): number => NOW - ago * 1000;
  return {
    spec: horizontal(spec).spec,
    current: from,
    recommended: to,
    memory: {
      recommendations: recommended.map(([ago, replicas]) => ({ replicas, atMs: at(ago) })),
      ups: ups.map(([ago, by]) => ({ by, atMs: at(ago) })),
      downs: downs.map(([ago, by]) => ({ by, atMs: at(ago) })),
    },
    nowMs: NOW,
  };
}

const shown = (given: Wish): string => {
  const { replicas, able, limit, isLimited } = limited(given);
  return `${replicas} ${able.reason} ${isLimited ? "" : "not limited: "}${limit.reason}`;
};

const table: readonly Row[] = [
  { name: "as the metrics want", from: 2, to: 3, want: "3 ReadyForNewScale not limited: DesiredWithinRange" },
  { name: "not more than it may", from: 4, to: 12, spec: { maxReplicas: 6 }, want: "6 ReadyForNewScale TooManyReplicas" },
  { name: "not fewer than it must", from: 4, to: 0, want: "1 ReadyForNewScale TooFewReplicas" },
  { name: "at most twice as many", from: 5, to: 30, spec: { maxReplicas: 50 }, want: "10 ReadyForNewScale ScaleUpLimit" },
  { name: "but four from the start", from: 1, to: 30, spec: { maxReplicas: 50 }, want: "4 ReadyForNewScale ScaleUpLimit" },
  {
    name: "down after five minutes",
    from: 4,
    to: 2,
    recommended: [
      [301, 9],
      [299, 3],
    ],
    want: "3 ScaleDownStabilized not limited: DesiredWithinRange",
  },
  {
    name: "the last moment of the five minutes counts",
    from: 4,
    to: 2,
    recommended: [[300, 4]],
    want: "4 ScaleDownStabilized not limited: DesiredWithinRange",
  },
  { name: "up at once, whatever was wanted before", from: 2, to: 4, recommended: [[15, 2]], want: "4 ReadyForNewScale not limited: DesiredWithinRange" },
  {
    name: "rules of its own: down at once",
    spec: behavior(),
    from: 4,
    to: 2,
    recommended: [[15, 4]],
    want: "2 ReadyForNewScale not limited: DesiredWithinRange",
  },
  {
    name: "rules of its own: a window upwards",
    spec: behavior({ stabilizationWindowSeconds: 60 }),
    from: 2,
    to: 4,
    recommended: [
      [70, 1],
      [30, 3],
    ],
    want: "3 ScaleUpStabilized not limited: DesiredWithinRange",
  },
  {
    name: "rules of its own: a window downwards",
    spec: behavior({}, { stabilizationWindowSeconds: 60 }),
    from: 5,
    to: 2,
    recommended: [
      [70, 5],
      [30, 3],
    ],
    want: "3 ScaleDownStabilized not limited: DesiredWithinRange",
  },
  {
    name: "rules of its own: the number of now lies within both windows",
    spec: behavior({ stabilizationWindowSeconds: 60 }, { stabilizationWindowSeconds: 60 }),
    from: 3,
    to: 4,
    recommended: [[30, 2]],
    want: "3 ScaleUpStabilized not limited: DesiredWithinRange",
  },
  {
    name: "Kubernetes' defaults: the greater of four pods and as many again",
    spec: { ...behavior(), maxReplicas: 50 },
    from: 3,
    to: 30,
    want: "7 ReadyForNewScale ScaleUpLimit",
  },
  { name: "Max takes the greater share", spec: { ...behavior(), maxReplicas: 50 }, from: 6, to: 30, want: "12 ReadyForNewScale ScaleUpLimit" },
  { name: "Min takes the smaller", spec: { ...behavior({ selectPolicy: "Min" }), maxReplicas: 50 }, from: 6, to: 30, want: "10 ReadyForNewScale ScaleUpLimit" },
  { name: "Disabled stays", spec: behavior({ selectPolicy: "Disabled" }), from: 3, to: 9, want: "3 ReadyForNewScale ScaleUpLimit" },
  { name: "Disabled stays downwards", spec: behavior({}, { selectPolicy: "Disabled" }), from: 3, to: 1, want: "3 ReadyForNewScale ScaleDownLimit" },
  {
    name: "what was added within the period counts",
    spec: { ...behavior({ policies: [{ type: "Pods", value: 4, periodSeconds: 60 }] }), maxReplicas: 50 },
    from: 6,
    to: 30,
    ups: [
      [30, 3],
      [70, 9],
    ],
    want: "7 ReadyForNewScale ScaleUpLimit",
  },
  {
    name: "what was taken away gives room",
    spec: { ...behavior({ policies: [{ type: "Pods", value: 2, periodSeconds: 60 }] }), maxReplicas: 50 },
    from: 6,
    to: 30,
    downs: [[30, 3]],
    want: "11 ReadyForNewScale ScaleUpLimit",
  },
  {
    name: "a limit that is used up does not take pods away",
    spec: { ...behavior({ policies: [{ type: "Pods", value: 2, periodSeconds: 60 }] }), maxReplicas: 50 },
    from: 6,
    to: 30,
    ups: [[10, 5]],
    want: "6 ReadyForNewScale ScaleUpLimit",
  },
  {
    name: "a share upwards is rounded up",
    spec: behavior({ policies: [{ type: "Percent", value: 10, periodSeconds: 15 }] }),
    from: 2,
    to: 9,
    want: "3 ReadyForNewScale ScaleUpLimit",
  },
  {
    name: "a share downwards is rounded down",
    spec: behavior({}, { policies: [{ type: "Percent", value: 30, periodSeconds: 15 }] }),
    from: 5,
    to: 1,
    want: "3 ReadyForNewScale ScaleDownLimit",
  },
  {
    name: "two pods a minute downwards",
    spec: behavior({}, { policies: [{ type: "Pods", value: 2, periodSeconds: 60 }] }),
    from: 9,
    to: 1,
    downs: [[30, 1]],
    want: "8 ReadyForNewScale ScaleDownLimit",
  },
  {
    name: "Min downwards takes the fewest away",
    spec: behavior(
      {},
      {
        selectPolicy: "Min",
        policies: [
          { type: "Pods", value: 1, periodSeconds: 60 },
          { type: "Percent", value: 50, periodSeconds: 60 },
        ],
      },
    ),
    from: 8,
    to: 1,
    want: "7 ReadyForNewScale ScaleDownLimit",
  },
  {
    name: "rules of its own know the bounds, too",
    spec: { ...behavior(), minReplicas: 2, maxReplicas: 3 },
    from: 2,
    to: 9,
    want: "3 ReadyForNewScale TooManyReplicas",
  },
  { name: "and the lower one", spec: { ...behavior(), minReplicas: 2 }, from: 3, to: 0, want: "2 ReadyForNewScale TooFewReplicas" },
];
for (const { name, want, ...given } of table) test(`limits: ${name}`, () => equal(shown(wish(given)), want));

const counts = fc.integer({ min: 0, max: 60 });
const past = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 60 })), { maxLength: 6 });
const rules = fc.record({
  stabilizationWindowSeconds: fc.integer({ min: 0, max: 400 }),
  selectPolicy: fc.constantFrom("Max", "Min", "Disabled"),
  policies: fc.array(
    fc.record({ type: fc.constantFrom("Pods", "Percent"), value: fc.integer({ min: 1, max: 300 }), periodSeconds: fc.integer({ min: 1, max: 300 }) }),
    { minLength: 1, maxLength: 3 },
  ),
});

type Limit = (given: Wish) => Pick<ReturnType<typeof limited>, "replicas">;

/** Within the bounds, never past what is wanted, and never the other way. */
function holds(limit: Limit): void {
  const bounds = { minReplicas: fc.integer({ min: 1, max: 5 }), maxReplicas: fc.integer({ min: 5, max: 60 }) };
  const specs = fc.record({ ...bounds, behavior: fc.option(fc.record({ scaleUp: rules, scaleDown: rules }), { nil: undefined }) });
  const property = fc.property(
    specs,
    fc.integer({ min: 0, max: 55 }),
    counts,
    past,
    past,
    past,
    ({ behavior: own, ...spec }, above, to, recommended, ups, downs) => {
      const from = Math.min(spec.maxReplicas, spec.minReplicas + above);
      const given = wish({ spec: { ...spec, ...(own === undefined ? {} : { behavior: own }) }, from, to, recommended, ups, downs });
      const { replicas } = limit(given);
      const text = `${from} → ${to}: ${replicas}`;
      ok(replicas >= spec.minReplicas && replicas <= spec.maxReplicas, text);
      if (own !== undefined && to > from) ok(replicas >= from && replicas <= Math.max(from, to), text);
      if (to < from) ok(replicas >= Math.min(to, from), text);
      if (own !== undefined && to < from) ok(replicas <= from, text);
    },
  );
  fc.assert(property, { numRuns: 3_000, seed: 7 });
}

test("whatever is wanted: within the bounds, never past what is wanted, and never the other way", () => holds(limited));

const faults: Readonly<Record<string, Limit>> = {
  "no bounds": ({ recommended }) => ({ replicas: recommended }),
  "windows and rates without bounds": (given) => limited({ ...given, spec: { ...given.spec, minReplicas: 0, maxReplicas: 1_000 } }),
  "one too many on the way up": (given) => ({
    replicas: Math.min(given.spec.maxReplicas, limited(given).replicas + (given.recommended > given.current ? 1 : 0)),
  }),
  "down although more are wanted": (given) => ({ replicas: given.recommended > given.current ? (given.spec.minReplicas ?? 1) : limited(given).replicas }),
};
for (const [fault, broken] of Object.entries(faults)) test(`whatever is wanted: the check finds "${fault}"`, () => throws(() => holds(broken)));

test("what is remembered has an end: an hour, and a thousand entries", () => {
  let entries: readonly { readonly replicas: number; readonly atMs: number }[] = [];
  for (let second = 0; second < 5_000; second++) entries = remembering(entries, { replicas: second, atMs: second * 1000 });
  deepEqual([entries.length, entries[0]?.atMs], [1_000, 4_000_000]);
  deepEqual(remembering(entries, { replicas: 1, atMs: 4_999_000 + 3_600_001 }), [{ replicas: 1, atMs: 8_599_001 }]);
});

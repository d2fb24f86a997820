// How many replicas a resource metric asks for: the rules about pods that are missing, unready or on their way out, and what holds for all numbers.
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Pod } from "#kinds";
import { pod, WALL, type PodOver } from "./fixture.test-suite.ts";
import { replicasFor, type Answer, type Question, type Sample } from "./replicas.ts";

/** A pod and the thousandths of a core that it uses; undefined: nothing was measured. */
type Row = readonly [milli: number | undefined, over?: PodOver];

function question(rows: readonly Row[], over: Partial<Question> = {}): Question {
  const pods = rows.map(([, given], index) => pod(`p${index}`, given));
  const samples = new Map<string, Sample>();
  for (const [index, [milli]] of rows.entries()) if (milli !== undefined) samples.set(`p${index}`, { milli: BigInt(milli), atMs: WALL, windowMs: 15_000 });
  return { current: rows.length, resource: "cpu", container: "", target: { utilization: 50 }, pods, samples, wallMs: WALL, ...over };
}

const shown = (answer: Answer | string): string =>
  typeof answer === "string" ? answer : `${answer.replicas} at ${answer.milli}m${answer.utilization === undefined ? "" : ` = ${answer.utilization} %`}`;

const YOUNG = { startedAgo: 100 } as const;
const table: readonly { readonly name: string; readonly rows: readonly Row[]; readonly over?: Partial<Question>; readonly want: string }[] = [
  { name: "twice the target wants twice as many", rows: [[1000], [1000]], want: "4 at 1000m = 100 %" },
  { name: "a tenth off the target is near enough", rows: [[550], [550]], want: "2 at 550m = 55 %" },
  { name: "a little more is not, and is rounded up", rows: [[560], [560]], want: "3 at 560m = 56 %" },
  { name: "a tenth below is near enough, too", rows: [[450], [450]], want: "2 at 450m = 45 %" },
  { name: "a quarter of the load wants a quarter of the pods, rounded up", rows: [[120], [120], [120], [120], [120]], want: "2 at 120m = 12 %" },
  { name: "idle pods want none; the bounds are told elsewhere", rows: [[0], [0]], want: "0 at 0m = 0 %" },
  { name: "an amount a pod", rows: [[300], [500]], over: { target: { milli: 200n } }, want: "4 at 400m" },
  { name: "an amount near the target", rows: [[210], [210]], over: { target: { milli: 200n } }, want: "2 at 210m" },
  { name: "up: a missing pod is taken to use nothing", rows: [[1000], [1000], [undefined]], want: "4 at 1000m = 100 %" },
  { name: "up: missing pods that would turn it around change nothing", rows: [[600], [undefined], [undefined]], want: "3 at 600m = 60 %" },
  {
    name: "down: a missing pod is taken to use all that it requests",
    rows: [[100], [100], [undefined]],
    over: { target: { utilization: 90 } },
    want: "2 at 100m = 10 %",
  },
  { name: "down: and what the target is where that is more", rows: [[100], [undefined]], over: { target: { utilization: 200 } }, want: "2 at 100m = 10 %" },
  { name: "down: a missing pod uses the amount", rows: [[10], [10], [undefined]], over: { target: { milli: 200n } }, want: "2 at 10m" },
  { name: "at the target a missing pod changes nothing", rows: [[500], [undefined]], want: "2 at 500m = 50 %" },
  { name: "up: an unready pod is taken to use nothing", rows: [[1000], [1000], [10, { ...YOUNG, ready: "False", readyAgo: 50 }]], want: "4 at 1000m = 100 %" },
  { name: "down: unready pods are left out", rows: [[100], [900, { ...YOUNG, ready: "False", readyAgo: 50 }]], want: "1 at 100m = 10 %" },
  { name: "pending pods are unready", rows: [[1000], [undefined, { phase: "Pending" }]], want: "2 at 1000m = 100 %" },
  { name: "pods that go or have failed do not count", rows: [[1000], [0, { deleting: true }], [0, { phase: "Failed" }]], want: "2 at 1000m = 100 %" },
  { name: "a young pod that became ready within the window is unready", rows: [[100], [2000, { ...YOUNG, readyAgo: 10 }]], want: "1 at 100m = 10 %" },
  { name: "a young pod that was ready for the whole window counts", rows: [[100], [1900, { ...YOUNG, readyAgo: 15 }]], want: "4 at 1000m = 100 %" },
  { name: "an old pod that was never ready is unready", rows: [[100], [2000, { startedAgo: 400, ready: "False", readyAgo: 390 }]], want: "1 at 100m = 10 %" },
  {
    name: "an old pod that is unready for the moment counts",
    rows: [[100], [1900, { startedAgo: 400, ready: "False", readyAgo: 100 }]],
    want: "4 at 1000m = 100 %",
  },
  {
    name: "memory counts from the first moment",
    rows: [[100], [1900, { ...YOUNG, readyAgo: 10, requests: { memory: "1" } }]],
    over: { resource: "memory", target: { milli: 500n } },
    want: "4 at 1000m",
  },
  { name: "no pods", rows: [], want: "no pods returned by selector while calculating replica count" },
  { name: "no measured pods", rows: [[undefined]], want: "did not receive metrics for targeted pods (pods might be unready)" },
  { name: "a share of nothing", rows: [[100, { requests: undefined }]], want: "missing request for cpu in container main of Pod p0" },
  { name: "a share of zero", rows: [[100, { requests: { cpu: "0" } }]], want: "no metrics returned matched known pods" },
  { name: "requests of a container that is not there", rows: [[100]], over: { container: "other" }, want: "no metrics returned matched known pods" },
];
for (const { name, rows, over, want } of table) test(`replicas: ${name}`, () => equal(shown(replicasFor(question(rows, over))), want));

test("requests are those of all containers and of restarting init containers, or of the pod as a whole", () => {
  const one = (name: string, cpu: string, more: object = {}) => ({ name, resources: { requests: { cpu } }, ...more });
  const given = pod("p0");
  const spec = {
    containers: [one("main", "1"), one("aside", "500m")],
    initContainers: [one("once", "8"), one("sidecar", "500m", { restartPolicy: "Always" })],
  };
  const asked = (pods: readonly Pod[], container = "") => shown(replicasFor({ ...question([[1000]], { container }), pods }));
  equal(asked([{ ...given, spec } as Pod]), "1 at 1000m = 50 %");
  equal(asked([{ ...given, spec } as Pod], "aside"), "4 at 1000m = 200 %");
  equal(asked([{ ...given, spec: { ...spec, resources: { requests: { cpu: "1" } } } } as Pod]), "2 at 1000m = 100 %");
});

const rows = fc.array(
  fc.tuple(
    fc.option(fc.integer({ min: 0, max: 4000 }), { nil: undefined }),
    fc.constantFrom<PodOver>({}, { phase: "Pending" }, { ready: "False", readyAgo: 3_590 }, { deleting: true }),
  ),
  { minLength: 1, maxLength: 12 },
);
const targets = fc.oneof(
  fc.integer({ min: 1, max: 200 }).map((utilization) => ({ utilization })),
  fc.integer({ min: 1, max: 4000 }).map((milli) => ({ milli: BigInt(milli) })),
);

type Ask = typeof replicasFor;
const loads = fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 1, maxLength: 8 });
const RUNS = { numRuns: 2_000, seed: 7 };

/** A whole number or a reason. */
function answers(ask: Ask): void {
  const seen = new Set<string>();
  const property = fc.property(rows, targets, fc.integer({ min: 1, max: 20 }), (given, target, current) => {
    const answer = ask(question(given, { target, current }));
    seen.add(typeof answer);
    ok(typeof answer === "string" || (Number.isInteger(answer.replicas) && answer.replicas >= 0));
  });
  fc.assert(property, RUNS);
  equal(seen.size, 2, "only numbers, or only reasons");
}

/** So many that each would use what it should, and no more. */
function fits(ask: Ask): void {
  let moved = 0;
  const property = fc.property(loads, targets, (given, target) => {
    const current = given.length;
    const answer = ask(
      question(
        given.map((milli): Row => [milli]),
        { target },
      ),
    );
    ok(typeof answer !== "string");
    const total = given.reduce((sum, milli) => sum + milli, 0);
    const each = "milli" in target ? Number(target.milli) : target.utilization * 10;
    // The mean is cut to whole thousandths or percents before it is compared.
    const slack = ("milli" in target ? 1 : 10) * current;
    const text = `${answer.replicas} × ${each} for ${total}`;
    if (answer.replicas === current) return ok(total <= 1.1 * each * current + slack && total >= 0.9 * each * current - slack - each, text);
    moved++;
    ok(answer.replicas * each >= total - slack && (answer.replicas - 1) * each < total, text);
  });
  fc.assert(property, RUNS);
  ok(moved > 1_000, `only ${moved} numbers were other than before`);
}

/** Pods of which nothing is known never make it go further than those that are known. */
function isCareful(ask: Ask): void {
  let held = 0;
  const property = fc.property(loads, targets, fc.integer({ min: 1, max: 4 }), (given, target, unknown) => {
    const measured = given.map((milli): Row => [milli]);
    const current = given.length + unknown;
    const some = ask(question([...measured, ...Array.from({ length: unknown }, (): Row => [undefined])], { target, current }));
    const all = ask(question(measured, { target }));
    ok(typeof some !== "string" && typeof all !== "string");
    const slack = Math.ceil(current / ("milli" in target ? Number(target.milli) : target.utilization));
    const text = `${some.replicas} of ${current}; without them ${all.replicas} of ${given.length}`;
    if (all.replicas > given.length) ok(some.replicas >= current && some.replicas <= Math.max(current, all.replicas + slack), text);
    if (all.replicas < given.length) ok(some.replicas <= current && some.replicas >= all.replicas, text);
    if (some.replicas === current && all.replicas !== given.length) held++;
  });
  fc.assert(property, RUNS);
  ok(held > 50, `only ${held} times anything was held back`);
}

const properties: readonly {
  readonly name: string;
  readonly holds: (ask: Ask) => void;
  readonly faults: Readonly<Record<string, (answer: Answer, asked: Question) => number>>;
}[] = [
  { name: "a whole number or a reason", holds: answers, faults: { "a share of a pod": ({ replicas }) => replicas + 0.5 } },
  {
    name: "so many pods that each uses what it should",
    holds: fits,
    faults: {
      "one too few": ({ replicas }, { current }) => (replicas === current ? replicas : replicas - 1),
      "one too many": ({ replicas }, { current }) => (replicas === current ? replicas : replicas + 1),
      "never any other": (_answer, { current }) => current,
    },
  },
  {
    name: "careful with what is not known",
    holds: isCareful,
    faults: {
      "unmeasured pods are taken for measured ones": ({ replicas }, { pods, samples }) =>
        Math.round((replicas * pods.length) / samples.size) + pods.length - samples.size,
    },
  },
];
for (const { name, holds, faults } of properties) {
  test(`whatever pods use: ${name}`, () => holds(replicasFor));
  for (const [fault, change] of Object.entries(faults)) {
    test(`whatever pods use: ${name}; the check finds "${fault}"`, () => {
      const broken: Ask = (asked) => {
        const answer = replicasFor(asked);
        return typeof answer === "string" ? answer : { ...answer, replicas: change(answer, asked) };
      };
      throws(() => holds(broken));
    });
  }
}

test("nothing that it is asked with is changed", () => {
  const asked = question([[1000], [undefined]]);
  const before = new Map(asked.samples);
  replicasFor(asked);
  deepEqual(asked.samples, before);
});

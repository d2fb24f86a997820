// Figures of the bench of events: differences and ratios within a round, verdicts, and that what was refused shows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { attributesOf, BODY_BYTES, eventBody, sentMsIn, stamp, STAMP_AT } from "./events-body.ts";
import { deliveryFigures, filterFigures, ingestFigures, latencyFigures } from "./events-figures.ts";
import { verdictOf, type Figure } from "./figures.ts";
import type { Cost } from "./gateway-figures.ts";

const cost = (over: Partial<Cost> = {}): Cost => ({ answers: 1_000, seconds: 1, p50Ms: 1, p99Ms: 2, failed: 0, cpuMs: 20, pssBytes: 1e6, ...over });

function figure(figures: readonly Figure[], name: string): Figure {
  const found = figures.find((each) => each.name === name);
  assert.ok(found !== undefined, `no figure ${name} among ${figures.map((each) => each.name).join("\n")}`);
  return found;
}

const rounds = (...costs: readonly Cost[]): Map<string, readonly Cost[]> => new Map([["eider", costs]]);

test("a delivery is what the same round without a subscriber does not cost", () => {
  const kept = rounds(cost({ cpuMs: 20 }), cost({ cpuMs: 40 }));
  const delivered = rounds(cost({ cpuMs: 50 }), cost({ cpuMs: 100 }));
  assert.deepEqual(figure(deliveryFigures(kept, delivered), "GOAL: a delivery, eider, CPU").rounds, [30, 60]);
});

test("a contender that did not take part has no ratio, and no verdict", () => {
  const names = [...ingestFigures(rounds(cost()), "single"), ...deliveryFigures(rounds(cost()), rounds(cost()))].map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => name.includes("over")),
    [],
  );
});

// Planted faults: each of these runs must be told as a miss.
const knative = "GOAL: ingest and delivery, events for a second of CPU, eider over knative";
const table: readonly { readonly name: string; readonly figures: readonly Figure[]; readonly line: string; readonly want: "met" | "MISSED" }[] = [
  { name: "20 µs an event meet the goal", figures: ingestFigures(rounds(cost()), "single"), line: "GOAL: ingest single, eider, CPU an event", want: "met" },
  {
    name: "20.1 µs do not",
    figures: ingestFigures(rounds(cost({ cpuMs: 20.1 })), "single"),
    line: "GOAL: ingest single, eider, CPU an event",
    want: "MISSED",
  },
  {
    name: "the same CPU for fewer events does not",
    figures: ingestFigures(rounds(cost({ answers: 990 })), "single"),
    line: "GOAL: ingest single, eider, CPU an event",
    want: "MISSED",
  },
  {
    name: "6 µs an event of a batch are too many",
    figures: ingestFigures(rounds(cost({ cpuMs: 6 })), "in batches"),
    line: "GOAL: ingest in batches, eider, CPU an event",
    want: "MISSED",
  },
  {
    name: "a delivery of 51 µs is one too dear",
    figures: deliveryFigures(rounds(cost()), rounds(cost({ cpuMs: 71 }))),
    line: "GOAL: a delivery, eider, CPU",
    want: "MISSED",
  },
  {
    name: "nine times the rate of Knative for a second of CPU misses the goal",
    figures: deliveryFigures(new Map(), new Map([...rounds(cost()), ["knative", [cost({ cpuMs: 180 })]]])),
    line: knative,
    want: "MISSED",
  },
  {
    name: "ten times meets it",
    figures: deliveryFigures(new Map(), new Map([...rounds(cost()), ["knative", [cost({ cpuMs: 200 })]]])),
    line: knative,
    want: "met",
  },
  {
    name: "2.1 ms to a subscriber are too long",
    figures: latencyFigures(rounds(cost({ p50Ms: 2.1 }))),
    line: "GOAL: producer to subscriber, eider, p50",
    want: "MISSED",
  },
  {
    name: "a Trigger that costs 1.1 µs is too dear",
    figures: filterFigures(
      new Map([
        [100, [cost()]],
        [1_000, [cost({ cpuMs: 20 + 0.9 * 1_100 })]],
      ]),
      [100, 1_000],
    ),
    line: "GOAL: a Trigger that does not want an event, eider, CPU",
    want: "MISSED",
  },
  {
    name: "one refused event of 1,000 is a miss",
    figures: ingestFigures(rounds(cost({ failed: 1 })), "single"),
    line: "ingest single, eider, refused or unanswered",
    want: "MISSED",
  },
];
for (const { name, figures, line, want } of table) test(`verdict: ${name}`, () => assert.equal(verdictOf(figure(figures, line)), want));

test("an event is as long as it says, and tells when it was sent", () => {
  const body = eventBody();
  body.write(stamp(1_795_862_400_123.456), STAMP_AT, "latin1");
  assert.equal(body.length, BODY_BYTES);
  assert.equal(sentMsIn(body, 0), 1_795_862_400_123.456);
  assert.equal((JSON.parse(body.toString()) as { sentMs: number }).sentMs, 1_795_862_400_123.456);
  assert.deepEqual(attributesOf("a")[1], ["ce-id", "a"]);
});

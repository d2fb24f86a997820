// Figures of the gateway bench: ratios within a round, verdicts, and that failed answers and missing rounds show.
import assert from "node:assert/strict";
import { test } from "node:test";
import { verdictOf, type Figure } from "./figures.ts";
import { bodyFigures, differences, idleFigures, judged, ratios, requestFigures, threadFigures, unableFigure, type Cost } from "./gateway-figures.ts";
import { requestTable } from "./gateway-requests.ts";
import { wrkResult } from "./gateway-wrk.ts";

const cost = (over: Partial<Cost> = {}): Cost => ({ answers: 1_000, seconds: 1, p50Ms: 1, p99Ms: 2, failed: 0, cpuMs: 10, pssBytes: 1e6, ...over });

function figure(figures: readonly Figure[], name: string): Figure {
  const found = figures.find((each) => each.name === name);
  assert.ok(found !== undefined, `no figure ${name} among ${figures.map((each) => each.name).join("\n")}`);
  return found;
}

test("a ratio is that of one round, not that of the medians", () => {
  const rounds = new Map([
    ["eider", [cost({ cpuMs: 10 }), cost({ cpuMs: 40 }), cost({ cpuMs: 30 })]],
    ["nginx", [cost({ cpuMs: 5 }), cost({ cpuMs: 40 }), cost({ cpuMs: 10 })]],
  ]);
  assert.deepEqual(
    ratios(rounds, ["eider", "nginx"], ({ cpuMs }) => cpuMs),
    [2, 1, 3],
  );
  assert.deepEqual(
    differences(rounds, ["eider", "nginx"], ({ cpuMs }) => cpuMs),
    [5, 0, 20],
  );
});

test("a contender that did not take part has no ratio, and no verdict", () => {
  const figures = requestFigures(new Map([["eider", [cost()]]]), 50);
  assert.equal(
    figures.find(({ name }) => name.includes("over nginx")),
    undefined,
  );
  assert.deepEqual(judged({ name: "x", unit: "", rounds: [] }, { must: { is: "<=", value: 1 } }), []);
});

// Planted faults: each of these runs must be told as a miss.
const must = "MUST: 50 connections, CPU a request, eider over nginx";
const table = [
  { name: "1.5 times nginx' CPU meets the must", eider: cost({ cpuMs: 15 }), figure: must, want: "met" },
  { name: "1.51 times does not", eider: cost({ cpuMs: 15.1 }), figure: must, want: "MISSED" },
  { name: "the same CPU for fewer answers does not", eider: cost({ answers: 600 }), figure: must, want: "MISSED" },
  { name: "1.3 times misses the goal", eider: cost({ cpuMs: 13 }), figure: "GOAL: 50 connections, CPU a request, eider over nginx", want: "MISSED" },
  {
    name: "a seventh of the chain misses the must",
    eider: cost({ cpuMs: 12 }),
    figure: "MUST: 50 connections, CPU a request, eider over activator and queue-proxy",
    want: "MISSED",
  },
  {
    name: "nine times the rate of the chain misses the goal",
    eider: cost(),
    figure: "GOAL: 50 connections, rate, eider over activator and queue-proxy",
    want: "MISSED",
  },
  { name: "a p99 of twice nginx' misses the goal", eider: cost({ p99Ms: 4 }), figure: "GOAL: 50 connections, p99, eider over nginx", want: "MISSED" },
  { name: "one failed answer of 1,000 is a miss", eider: cost({ failed: 1 }), figure: "50 connections, eider, failed answers", want: "MISSED" },
  { name: "none is none", eider: cost(), figure: "50 connections, eider, failed answers", want: "met" },
] as const;
for (const { name, eider, figure: line, want } of table) {
  test(`verdict: ${name}`, () => {
    const rounds = new Map([
      ["nginx", [cost()]],
      ["activator", [cost({ cpuMs: 84, answers: 1_000, seconds: 9 })]],
      ["eider", [eider]],
    ]);
    assert.equal(verdictOf(figure(requestFigures(rounds, 50), line)), want);
  });
}

const CHAIN = "CPU a request, eider over activator and queue-proxy";

for (const { name, relay, want } of [
  { name: "a relay costs less than an eighth of the chain: judged", relay: [cost({ cpuMs: 10 })], want: ["MISSED", "MISSED"] },
  { name: "a relay costs more: told", relay: [cost({ cpuMs: 10.6 })], want: [""] },
  { name: "no relay: judged", relay: undefined, want: ["MISSED", "MISSED"] },
]) {
  test(`verdict over the chain: ${name}`, () => {
    const rounds = new Map([
      ["activator", [cost({ cpuMs: 84 })]],
      ["eider", [cost({ cpuMs: 12 })]],
      ...(relay === undefined ? [] : [["relay", relay] as const]),
    ]);
    const lines = requestFigures(rounds, 1).filter((each) => each.name.endsWith(`1 connection, ${CHAIN}`));
    assert.deepEqual(lines.map(verdictOf), want);
  });
}

test("p50 over direct is told in microseconds", () => {
  const rounds = new Map([
    ["direct", [cost({ p50Ms: 0.02 })]],
    ["eider", [cost({ p50Ms: 0.08 })]],
  ]);
  const line = figure(requestFigures(rounds, 1), "GOAL: 1 connection, p50, eider over direct");
  assert.equal(Math.round(line.rounds[0] ?? 0), 60);
  assert.equal(verdictOf(line), "MISSED");
});

test("bytes a core: more CPU a body is fewer bytes", () => {
  const rounds = new Map([
    ["nginx", [cost()]],
    ["eider", [cost({ cpuMs: 12 })]],
  ]);
  assert.equal(verdictOf(figure(bodyFigures(rounds, "down"), "GOAL: 1 MB bodies down, bytes a second and core, eider over nginx")), "MISSED");
});

test("the worst share of a thread counts, and 7 kB an idle connection are too many", () => {
  const rounds = new Map([
    ["one thread", [cost()]],
    ["two threads", [cost({ cpuMs: 10.5 })]],
  ]);
  const figures = threadFigures({ rounds, shares: [0.5, 0.61] }, 1_000);
  assert.equal(verdictOf(figure(figures, "GOAL: 1000 connections on two cores, largest share of a thread")), "MISSED");
  assert.equal(verdictOf(figure(figures, "GOAL: 1000 connections on two cores, CPU a request, two threads over one")), "met");
  assert.equal(verdictOf(figure(idleFigures(new Map([["eider", [7_000]]]), 5_000), "GOAL: 5000 idle connections, eider, memory of one")), "MISSED");
});

test("a load that a peer could not take is told, one that eider could not take is a miss", () => {
  assert.equal(verdictOf(unableFigure(["nginx"])), "met");
  assert.equal(verdictOf(unableFigure(["nginx", "two threads"])), "MISSED");
});

test("a load without answers is no figure", () => {
  assert.throws(() => wrkResult("RESULT 0 1000000 0 0 12"), /no answers/);
  assert.throws(() => wrkResult("unable to connect"), /no answers/);
  assert.deepEqual(wrkResult("noise\nRESULT 10 2000000 1500 2500 3\n"), { requests: 10, seconds: 2, p50Ms: 1.5, p99Ms: 2.5, failed: 3 });
});

test("no two requests of the table are alike, and one of a hundred is sampled by its client", () => {
  const requests = requestTable();
  assert.equal(new Set(requests).size, 1_024);
  const sampled = requests.filter((request) => /traceparent: \S+-01\r\n/.test(request)).length;
  assert.ok(sampled >= 10 && sampled <= 11, `${sampled}`);
  // What the loads of 1, 50, 500 and 5,000 connections step by.
  for (const connections of [1, 50, 500, 5_000]) assert.notEqual(connections % requests.length, 0);
});

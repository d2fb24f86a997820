// From rounds of the bench of events to figures: what an event costs each contender, and which goals of issue 7 that meets.
import type { Figure } from "./figures.ts";
import { cpuMicros, judged, perSecond, ratios, type Cost, type Limit, type Rounds } from "./gateway-figures.ts";

const most = (value: number): Limit => ({ is: "<=", value });
const least = (value: number): Limit => ({ is: ">=", value });

const perCpuSecond = ({ answers, cpuMs }: Cost): number => (answers * 1000) / cpuMs;

/** What each takes in and keeps, with nobody who wants it. */
export function ingestFigures(rounds: Rounds, how: "single" | "in batches"): Figure[] {
  const at = `ingest ${how}`;
  const goal = most(how === "single" ? 20 : 5);
  const table = [...rounds].flatMap(([name, costs]): Figure[] => [
    { name: `${at}, ${name}, events a second`, unit: "1/s", rounds: costs.map(perSecond) },
    ...(how === "single" ? [{ name: `${at}, ${name}, p50`, unit: "ms", rounds: costs.map(({ p50Ms }) => p50Ms) }] : []),
    ...judged({ name: `${at}, ${name}, CPU an event`, unit: "µs", rounds: costs.map(cpuMicros) }, name === "eider" ? { goal } : {}),
  ]);
  return [
    ...table,
    ...judged({ name: `${at}, CPU an event, eider over nats`, unit: "x", rounds: ratios(rounds, ["eider", "nats"], cpuMicros) }, {}),
    ...failures(rounds, at),
  ];
}

/** `kept` and `delivered` are rounds of the same load, without and with one subscriber. */
export function deliveryFigures(kept: Rounds, delivered: Rounds): Figure[] {
  const at = "ingest and delivery";
  const table = [...delivered].flatMap(([name, costs]): Figure[] => {
    const without = kept.get(name) ?? [];
    const deliveries = costs.flatMap((cost, round) => {
      const other = without[round];
      return other === undefined ? [] : [cpuMicros(cost) - cpuMicros(other)];
    });
    return [
      { name: `${at}, ${name}, events a second`, unit: "1/s", rounds: costs.map(perSecond) },
      { name: `${at}, ${name}, CPU an event`, unit: "µs", rounds: costs.map(cpuMicros) },
      ...judged({ name: `a delivery, ${name}, CPU`, unit: "µs", rounds: deliveries }, name === "eider" ? { goal: most(50) } : {}),
    ];
  });
  const against = (other: string): number[] => ratios(delivered, ["eider", other], perCpuSecond);
  return [
    ...table,
    ...judged({ name: `${at}, events for a second of CPU, eider over knative`, unit: "x", rounds: against("knative") }, { goal: least(10) }),
    ...judged({ name: `${at}, events for a second of CPU, eider over nats`, unit: "x", rounds: against("nats") }, {}),
    ...failures(delivered, at),
  ];
}

/** Rounds of paced events: `p50Ms` is from the producer to the subscriber. */
export function latencyFigures(rounds: Rounds): Figure[] {
  const at = "producer to subscriber";
  const table = [...rounds].flatMap(([name, costs]): Figure[] => [
    ...judged({ name: `${at}, ${name}, p50`, unit: "ms", rounds: costs.map(({ p50Ms }) => p50Ms) }, name === "eider" ? { goal: most(2) } : {}),
    { name: `${at}, ${name}, p99`, unit: "ms", rounds: costs.map(({ p99Ms }) => p99Ms) },
  ]);
  return [...table, ...failures(rounds, at)];
}

/** The same load on a Broker with `few` and on one with `many` Triggers that do not want it, by how many they are. */
export function filterFigures(rounds: ReadonlyMap<number, readonly Cost[]>, [few, many]: readonly [number, number]): Figure[] {
  const of = (count: number): readonly Cost[] => rounds.get(count) ?? [];
  const slopes = of(many).flatMap((cost, round) => {
    const other = of(few)[round];
    return other === undefined ? [] : [(cpuMicros(cost) - cpuMicros(other)) / (many - few)];
  });
  const table = [few, many].map((count): Figure => ({
    name: `beside ${count} Triggers that do not want it, eider, CPU an event`,
    unit: "µs",
    rounds: of(count).map(cpuMicros),
  }));
  return [
    ...table,
    ...judged({ name: `a Trigger that does not want an event, eider, CPU`, unit: "µs", rounds: slopes }, { goal: most(1) }),
    ...failures(new Map([["eider", [...of(few), ...of(many)]]]), "filters"),
  ];
}

/** Of ours there must be none, else the run fails; those of others are told when there are any. */
function failures(rounds: Rounds, at: string): Figure[] {
  return [...rounds].flatMap(([name, costs]): Figure[] => {
    const failed = costs.reduce((total, cost) => total + cost.failed, 0);
    const figure = { name: `${at}, ${name}, refused or unanswered`, unit: "", rounds: [failed] };
    if (name === "eider") return [{ ...figure, goal: { is: "==", value: 0 } }];
    return failed > 0 ? [figure] : [];
  });
}

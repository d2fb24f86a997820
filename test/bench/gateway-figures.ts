// From rounds to figures: what a contender cost, how it stands to another in the same round, and which musts and goals of issue 5 that meets.
import { medianOf, type Figure } from "./figures.ts";

/** One contender in one round of one load. */
export interface Cost {
  /** Requests, messages or bodies that were answered. */
  readonly answers: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
  /** CPU time of its processes during the round. */
  readonly cpuMs: number;
  /** Memory after the round. */
  readonly pssBytes: number;
}

/** Rounds by contender; the same index is the same round. */
export type Rounds = ReadonlyMap<string, readonly Cost[]>;

export const cpuMicros = ({ cpuMs, answers }: Cost): number => (cpuMs * 1000) / answers;
export const perSecond = ({ answers, seconds }: Cost): number => answers / seconds;

/** One value a round in which both took part: `of` of `name` over that of `other`. */
export function ratios(rounds: Rounds, [name, other]: readonly [string, string], of: (cost: Cost) => number): number[] {
  const others = rounds.get(other) ?? [];
  return (rounds.get(name) ?? []).flatMap((cost, round) => {
    const against = others[round];
    return against === undefined ? [] : [of(cost) / of(against)];
  });
}

/** As `ratios`, with the difference. */
export function differences(rounds: Rounds, [name, other]: readonly [string, string], of: (cost: Cost) => number): number[] {
  const others = rounds.get(other) ?? [];
  return (rounds.get(name) ?? []).flatMap((cost, round) => {
    const against = others[round];
    return against === undefined ? [] : [of(cost) - of(against)];
  });
}

export type Limit = NonNullable<Figure["goal"]>;

/** The same values against a must and a goal, one line each. */
export function judged(figure: Omit<Figure, "goal">, limits: { readonly must?: Limit; readonly goal?: Limit }): Figure[] {
  if (figure.rounds.length === 0) return [];
  const lines = (["must", "goal"] as const).flatMap((kind) => {
    const goal = limits[kind];
    return goal === undefined ? [] : [{ ...figure, name: `${kind.toUpperCase()}: ${figure.name}`, goal }];
  });
  return lines.length > 0 ? lines : [figure];
}

const most = (value: number): Limit => ({ is: "<=", value });
const least = (value: number): Limit => ({ is: ">=", value });

/** The part of what Knative's two proxies cost that we may. */
const CHAIN_PART = 1 / 8;

const relayed = (rounds: Rounds): number[] => ratios(rounds, ["relay", "activator"], cpuMicros);

/**
 * Whether a load measures what proxies do. Where a relay that only passes octets on costs more than the part of the chain that we may, it is
 * the sleeping and waking of programs that is measured: nobody can do with less, so the ratio is told and not judged.
 */
function isOfProxies(rounds: Rounds): boolean {
  const floor = relayed(rounds);
  return floor.length === 0 || medianOf(floor) <= CHAIN_PART;
}

/** Tables and verdicts for small requests over `connections` connections. */
export function requestFigures(rounds: Rounds, connections: number): Figure[] {
  const at = `${connections} connection${connections === 1 ? "" : "s"}`;
  const table = [...rounds].flatMap(([name, costs]): Figure[] => {
    const figure = (what: string, unit: string, of: (cost: Cost) => number): Figure => ({ name: `${at}, ${name}, ${what}`, unit, rounds: costs.map(of) });
    const rates = [figure("requests a second", "1/s", perSecond), figure("p50", "ms", ({ p50Ms }) => p50Ms), figure("p99", "ms", ({ p99Ms }) => p99Ms)];
    if (name === "direct") return rates;
    const busy = ({ cpuMs, seconds }: Cost): number => cpuMs / (seconds * 10);
    return [
      ...rates,
      figure("CPU a request", "µs", cpuMicros),
      figure("of its core used", "%", busy),
      figure("memory", "MB", ({ pssBytes }) => pssBytes / 1e6),
    ];
  });
  const p99 = ratios(rounds, ["eider", "nginx"], ({ p99Ms }) => p99Ms);
  const added = differences(rounds, ["eider", "direct"], ({ p50Ms }) => p50Ms * 1000);
  const rate = ratios(rounds, ["eider", "activator"], perSecond);
  return [
    ...table,
    ...judged(
      { name: `${at}, CPU a request, eider over nginx`, unit: "x", rounds: ratios(rounds, ["eider", "nginx"], cpuMicros) },
      { must: most(1.5), goal: most(1.2) },
    ),
    ...judged(
      { name: `${at}, CPU a request, eider over activator and queue-proxy`, unit: "x", rounds: ratios(rounds, ["eider", "activator"], cpuMicros) },
      isOfProxies(rounds) ? { must: most(CHAIN_PART), goal: most(1 / 10) } : {},
    ),
    ...judged({ name: `${at}, CPU a request, eider over a relay of octets`, unit: "x", rounds: ratios(rounds, ["eider", "relay"], cpuMicros) }, {}),
    ...judged({ name: `${at}, CPU a request, a relay of octets over activator and queue-proxy`, unit: "x", rounds: relayed(rounds) }, {}),
    ...judged({ name: `${at}, CPU a request, eider over queue-proxy`, unit: "x", rounds: ratios(rounds, ["eider", "queue-proxy"], cpuMicros) }, {}),
    ...judged({ name: `${at}, CPU a request, eider over haproxy`, unit: "x", rounds: ratios(rounds, ["eider", "haproxy"], cpuMicros) }, {}),
    ...judged({ name: `${at}, rate, eider over activator and queue-proxy`, unit: "x", rounds: rate }, connections === 50 ? { goal: least(10) } : {}),
    ...judged({ name: `${at}, p50, eider over direct`, unit: "µs more", rounds: added }, connections === 1 ? { goal: most(50) } : {}),
    ...judged({ name: `${at}, p99, eider over nginx`, unit: "x", rounds: p99 }, connections === 50 ? { goal: most(1.5) } : {}),
    ...failures(rounds, at),
  ];
}

/** Bodies of 1 MB: what a core moves, were it busy with nothing else. */
export function bodyFigures(rounds: Rounds, way: "down" | "up"): Figure[] {
  const at = `1 MB bodies ${way}`;
  const gbPerCore = ({ answers, cpuMs }: Cost): number => answers / cpuMs;
  const table = [...rounds].flatMap(([name, costs]): Figure[] => [
    { name: `${at}, ${name}, CPU a MB`, unit: "µs", rounds: costs.map(cpuMicros) },
    { name: `${at}, ${name}, a core`, unit: "GB/s", rounds: costs.map(gbPerCore) },
  ]);
  const name = `${at}, bytes a second and core, eider over nginx`;
  return [...table, ...judged({ name, unit: "x", rounds: ratios(rounds, ["eider", "nginx"], gbPerCore) }, { goal: least(0.9) }), ...failures(rounds, at)];
}

export function messageFigures(rounds: Rounds): Figure[] {
  const at = "websocket messages there and back";
  const table = [...rounds].flatMap(([name, costs]): Figure[] => [
    { name: `${at}, ${name}, CPU a message`, unit: "µs", rounds: costs.map(cpuMicros) },
    { name: `${at}, ${name}, p50`, unit: "ms", rounds: costs.map(({ p50Ms }) => p50Ms) },
  ]);
  return [
    ...table,
    ...judged({ name: `${at}, CPU a message, eider over nginx`, unit: "x", rounds: ratios(rounds, ["eider", "nginx"], cpuMicros) }, {}),
    ...failures(rounds, at),
  ];
}

/** Bytes a connection, by contender. */
export function idleFigures(bytes: ReadonlyMap<string, readonly number[]>, connections: number): Figure[] {
  return [...bytes].flatMap(([name, rounds]) =>
    judged(
      { name: `${connections} idle connections, ${name}, memory of one`, unit: "kB", rounds: rounds.map((each) => each / 1000) },
      name === "eider" ? { goal: most(6) } : {},
    ),
  );
}

export interface ThreadRounds {
  readonly rounds: Rounds;
  /** Per round: the largest part of the connections that one of two threads had. */
  readonly shares: readonly number[];
}

/** \`one\` and \`two\` gateway threads. */
export function threadFigures({ rounds, shares }: ThreadRounds, connections: number): Figure[] {
  const at = `${connections} connections on two cores`;
  return [
    ...[...rounds].map(([name, costs]): Figure => ({ name: `${at}, ${name}, CPU a request`, unit: "µs", rounds: costs.map(cpuMicros) })),
    ...judged(
      { name: `${at}, CPU a request, two threads over one`, unit: "x", rounds: ratios(rounds, ["two threads", "one thread"], cpuMicros) },
      { goal: most(1.1) },
    ),
    ...judged({ name: `${at}, largest share of a thread`, unit: "%", rounds: shares.length === 0 ? [] : [Math.max(...shares) * 100] }, { goal: most(60) }),
    ...failures(rounds, at),
  ];
}

const OURS: ReadonlySet<string> = new Set(["eider", "one thread", "two threads"]);

/** `names`: who could not take a load, once for each. */
export function unableFigure(names: readonly string[]): Figure {
  return { name: "loads that eider could not take", unit: "", rounds: [names.filter((name) => OURS.has(name)).length], goal: { is: "==", value: 0 } };
}

/** Ours must be none, else the run fails; those of others are told when there are any. */
function failures(rounds: Rounds, at: string): Figure[] {
  return [...rounds].flatMap(([name, costs]): Figure[] => {
    const failed = costs.reduce((total, cost) => total + cost.failed, 0);
    const figure = { name: `${at}, ${name}, failed answers`, unit: "", rounds: [failed] };
    if (OURS.has(name)) return [{ ...figure, goal: { is: "==", value: 0 } }];
    return failed > 0 ? [figure] : [];
  });
}

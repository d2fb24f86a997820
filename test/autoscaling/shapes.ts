// Load shapes: who asks when, how the revision is set, and what must have happened for the shape to be what it is called.
import type { Explained } from "#autoscaler";
import { STEP_MS, type World } from "./world.ts";

export interface Shape {
  readonly name: string;
  /** Without their prefix. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly containerConcurrency?: number;
  readonly threads?: number;
  readonly podDelayMs?: number;
  /** At the start; default 1. */
  readonly pods?: number;
  readonly seconds: number;
  /** Clients that each keep one request going. */
  readonly clients?: (second: number) => number;
  /** Requests begun a second, whatever goes on. */
  readonly rate?: (second: number) => number;
  /** How long a pod works on a request. */
  readonly workMs?: number;
  /** What else happens, by second. */
  readonly at?: Readonly<Record<number, (world: World) => Promise<void> | void>>;
  readonly happened: (decisions: readonly Explained[], world: World) => boolean;
}

const HOUR_MS = 3_600_000;
const most = (decisions: readonly Explained[]): number => Math.max(...decisions.map(({ desired }) => desired));
const last = (decisions: readonly Explained[]): number => decisions.at(-1)?.desired ?? -1;
const panicked = (decisions: readonly Explained[]): boolean => decisions.some(({ panicking }) => panicking);
const held = (decisions: readonly Explained[]): boolean => decisions.some(({ heldAt }) => heldAt !== undefined);
const between = (from: number, to: number, clients: number): ((second: number) => number) => {
  return (second) => (second >= from && second < to ? clients : 0);
};

export const shapes: readonly Shape[] = [
  { name: "a step up", seconds: 100, clients: (s) => (s < 40 ? 4 : 20), happened: (d) => most(d) === 3 && last(d) === 3 },
  { name: "a step down", pods: 3, seconds: 180, clients: (s) => (s < 60 ? 20 : 4), happened: (d) => most(d) === 3 && last(d) === 1 },
  { name: "a ramp up", seconds: 120, clients: (s) => Math.floor(s / 4), happened: (d) => last(d) >= 3 },
  { name: "a ramp down", pods: 4, seconds: 160, clients: (s) => Math.max(0, 30 - Math.floor(s / 4)), happened: (d) => last(d) <= 1 },
  { name: "a spike", seconds: 140, clients: (s) => (s >= 30 && s < 36 ? 40 : 2), happened: (d) => panicked(d) && most(d) >= 4 },
  { name: "a sine", seconds: 200, clients: (s) => Math.round(12 + 10 * Math.sin(s / 12)), happened: (d) => most(d) >= 2 },
  { name: "on and off", seconds: 200, clients: (s) => (Math.floor(s / 25) % 2 === 0 ? 15 : 0), happened: (d) => most(d) >= 2 },
  { name: "one request", pods: 0, seconds: 100, clients: between(5, 6, 1), workMs: 500, happened: (d, w) => most(d) === 1 && last(d) === 0 && w.answered >= 1 },
  { name: "long requests", seconds: 150, clients: between(5, 60, 12), workMs: 55_000, happened: (d, w) => most(d) >= 2 && w.answered >= 12 },
  {
    name: "a burst at zero",
    pods: 0,
    podDelayMs: 3_000,
    seconds: 120,
    clients: between(8, 30, 30),
    happened: (d) => most(d) >= 4 && panicked(d),
  },
  {
    name: "a queue before one pod at a time",
    annotations: { target: "", "max-scale": "2" },
    containerConcurrency: 1,
    seconds: 120,
    clients: between(5, 60, 8),
    workMs: 1_500,
    happened: (d, w) => most(d) >= 8 && w.answered > 40,
  },
  {
    name: "limited pods",
    annotations: { target: "" },
    containerConcurrency: 5,
    seconds: 140,
    clients: (s) => (s < 70 ? 12 : 30),
    workMs: 2_000,
    happened: (d) => most(d) >= 8,
  },
  {
    name: "requests per second",
    annotations: { metric: "rps", target: "10" },
    seconds: 120,
    rate: (s) => (s < 60 ? 12 : 25),
    workMs: 500,
    happened: (d) => last(d) === 4,
  },
  {
    name: "a spike of requests per second",
    annotations: { metric: "rps", target: "5" },
    seconds: 140,
    rate: (s) => (s >= 30 && s < 34 ? 60 : 2),
    workMs: 500,
    happened: panicked,
  },
  {
    name: "exponential weights",
    annotations: { target: "10", "metric-aggregation-algorithm": "weighted-exponential" },
    seconds: 140,
    clients: (s) => (s < 70 ? 20 : 5),
    happened: (d) => most(d) >= 2 && last(d) < most(d),
  },
  {
    name: "a delay before going down",
    annotations: { target: "10", "scale-down-delay": "60s" },
    pods: 1,
    seconds: 220,
    clients: between(0, 70, 30),
    happened: (d) => d.some(({ outcome, desired }) => typeof outcome === "object" && outcome.beforeDelay < desired),
  },
  {
    name: "a lower bound",
    annotations: { target: "10", "min-scale": "3" },
    pods: 3,
    seconds: 120,
    clients: between(0, 40, 5),
    happened: (d, w) => w.ready === 3 && last(d) === 1,
  },
  {
    name: "an upper bound",
    annotations: { target: "10", "max-scale": "2" },
    seconds: 100,
    clients: () => 40,
    happened: (d, w) => most(d) >= 5 && w.ready === 2,
  },
  {
    name: "an activation scale",
    annotations: { target: "10", "activation-scale": "4" },
    pods: 0,
    seconds: 100,
    clients: between(8, 40, 1),
    happened: (d) => d.some(({ desired }) => desired === 4),
  },
  {
    name: "into panic and out of it",
    annotations: { target: "10", window: "20s" },
    seconds: 140,
    clients: (s) => (s >= 30 && s < 36 ? 40 : 4),
    happened: (d) => panicked(d) && d.at(-1)?.panicking === false,
  },
  {
    name: "the shortest window",
    annotations: { target: "10", window: "6s" },
    seconds: 90,
    clients: (s) => (s % 20 < 10 ? 20 : 3),
    happened: (d) => most(d) >= 2,
  },
  {
    name: "always behind the activator",
    annotations: { target: "10", "target-burst-capacity": "-1" },
    seconds: 120,
    clients: between(5, 50, 20),
    happened: (d) => most(d) >= 2 && d.every((e) => e.excessBurstCapacity === -1),
  },
  {
    name: "never behind the activator",
    annotations: { target: "10", "target-burst-capacity": "0" },
    seconds: 120,
    clients: between(5, 50, 20),
    happened: (d) => most(d) >= 2 && d.every((e) => e.excessBurstCapacity === 0),
  },
  {
    name: "a gateway thread that dies in the middle",
    threads: 2,
    seconds: 160,
    clients: (s) => (s < 100 ? 24 : 4),
    at: { 51: (world) => world.killThread(0), 121: (world) => world.killThread(1) },
    happened: (d, w) => w.lost > 0 && most(d) >= 3 && most(d) <= 5,
  },
  { name: "two threads", threads: 2, seconds: 120, clients: (s) => (s < 60 ? 20 : 8), happened: (d) => most(d) === 3 },
  { name: "the only thread dies", seconds: 120, clients: () => 15, at: { 41: (world) => world.killThread(0) }, happened: (d, w) => w.lost > 0 && last(d) >= 2 },
  {
    name: "a restart",
    pods: 4,
    seconds: 170,
    clients: (s) => (s < 40 ? 35 : 3),
    at: { 40: (world) => world.restart() },
    happened: (d) => held(d) && last(d) <= 2,
  },
  {
    name: "a lid that is closed for eight hours",
    pods: 3,
    seconds: 200,
    clients: (s) => (s < 60 ? 28 : 1),
    at: { 60: (world) => world.clock.suspend(8 * HOUR_MS) },
    happened: (d) => held(d) && last(d) <= 2,
  },
  {
    name: "a stepped wall clock",
    seconds: 100,
    clients: () => 18,
    at: { 30: (w) => w.clock.stepWall(30 * HOUR_MS), 60: (w) => w.clock.stepWall(-80 * HOUR_MS) },
    happened: (d) => most(d) === 3 && !held(d),
  },
  {
    name: "other settings under way",
    seconds: 160,
    clients: () => 12,
    at: { 40: (world) => world.edit(prefixed({ target: "3" })), 90: (world) => world.edit(prefixed({ target: "30", window: "20s" })) },
    happened: (d) => most(d) >= 5 && last(d) === 1,
  },
  {
    name: "traffic moved to another revision",
    pods: 4,
    seconds: 150,
    clients: between(0, 50, 30),
    at: { 60: (w) => w.edit(prefixed({ target: "10" }), "Unreachable") },
    happened: (d) => last(d) === 0,
  },
  {
    name: "twice, with a rest between",
    pods: 0,
    seconds: 300,
    clients: (s) => (s % 200 >= 10 && s % 200 < 20 ? 3 : 0),
    happened: (d, w) => last(d) >= 0 && w.recording.takes.length >= 2,
  },
  { name: "a long day", threads: 2, seconds: 1_500, clients: (s) => 6 + (s % 97) / 12, workMs: 3_000, happened: (_d, w) => w.recording.takes.length >= 3 },
];

function prefixed(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(annotations).filter(([, value]) => value !== "");
  return Object.fromEntries(kept.map(([key, value]) => [`autoscaling.knative.dev/${key}`, value]));
}

export function annotationsOf({ annotations = { target: "10" } }: Shape): Record<string, string> {
  return prefixed(annotations);
}

/** Lets the shape's load come; the world has started. */
export async function drive(world: World, { seconds, clients, rate, workMs = 2_000, at = {} }: Shape): Promise<void> {
  const steps = 1_000 / STEP_MS;
  for (let step = 0; step < seconds * steps; step++) {
    const second = step / steps;
    await at[second]?.(world);
    const wanted = clients === undefined ? 0 : Math.floor(clients(second)) - world.inFlight;
    const begun = rate === undefined ? Math.max(0, wanted) : Math.round(rate(Math.floor(second)) / steps);
    await world.request(begun, workMs);
    await world.step();
  }
}

// All revisions together under simulated time: capacity, restarts, suspensions, dead threads, rest.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { Deciders } from "./deciders.ts";
import type { RevisionSettings } from "./settings.ts";

const KEY = "default/hello-00001";

/** containerConcurrency 100 at 70 %, the other settings as shipped. */
function settings(overrides: Partial<RevisionSettings["decider"]> = {}): RevisionSettings {
  const decider: RevisionSettings["decider"] = {
    scalingMetric: "concurrency",
    targetValue: 70,
    totalValue: 100,
    targetBurstCapacity: 211,
    activatorCapacity: 100,
    panicThreshold: 2,
    stableWindowMs: 60_000,
    maxScaleUpRate: 1000,
    maxScaleDownRate: 2,
    initialScale: 1,
    activationScale: 0,
    scaleDownDelayMs: 0,
    reachable: true,
    ...overrides,
  };
  return {
    decider,
    metric: { stableWindowMs: decider.stableWindowMs, panicWindowMs: 6_000, algorithm: "linear", scraped: decider.targetBurstCapacity !== -1 },
  };
}

/** A decider set that runs on a simulated clock with gateway thread 0, and a revision's pods that can be set. */
class World {
  readonly clock = new SimClock();
  readonly deciders = new Deciders({ clock: this.clock });
  readonly #abort = new AbortController();
  readonly #settings: RevisionSettings;
  readonly running: Promise<void>;

  constructor(options: { readonly ready: number; readonly restored?: number; readonly settings?: RevisionSettings }) {
    this.#settings = options.settings ?? settings();
    this.deciders.ensure(KEY, this.#settings, { uid: "u", ready: options.ready, restored: options.restored ?? 0 });
    this.deciders.receive({ type: "listening", thread: 0, epoch: 1 });
    this.running = this.deciders.run({ signal: this.#abort.signal });
  }

  pods(ready: number, uid = "u"): void {
    this.deciders.ensure(KEY, this.#settings, { uid, ready, restored: 0 });
  }

  load(concurrency: number, of: { readonly thread?: number; readonly epoch?: number; readonly periodMs?: number } = {}): void {
    const { thread = 0, epoch = 1, periodMs = 1_000 } = of;
    const backends = [{ backend: KEY, averageConcurrency: concurrency, requestCount: concurrency, waiting: 0 }];
    this.deciders.receive({ type: "load", thread, epoch, atMs: this.clock.monotonicMs(), periodMs, backends });
  }

  /** Seconds under a constant load; `each` runs once a second. */
  async seconds(count: number, concurrency: number, each: () => void = () => {}): Promise<void> {
    for (let second = 0; second < count; second++) {
      await this.clock.advance(1_000);
      if (concurrency > 0) this.load(concurrency);
      each();
    }
  }

  get desired(): number | undefined {
    return this.deciders.decision(KEY)?.desired;
  }

  async end(): Promise<void> {
    this.#abort.abort();
    await this.clock.advance(0);
    await this.running;
  }
}

test("500 clients at 70 of 100 with at most 3 pods: exactly 3 all the time", async () => {
  const world = new World({ ready: 1 });
  const wanted: number[] = [];
  await world.seconds(180, 500, () => {
    const want = Math.min(world.desired ?? 0, 3);
    wanted.push(want);
    if (want > 0) world.pods(want);
  });
  deepEqual([...new Set(wanted.slice(2))], [3]);
  await world.end();
});

test("without a cap 500 clients settle at 8 pods", async () => {
  const world = new World({ ready: 1 });
  await world.seconds(180, 500, () => world.pods(Math.max(1, world.desired ?? 1)));
  equal(world.desired, 8);
  await world.end();
});

test("after 8 hours of suspension nothing shrinks before a whole stable window of data", async () => {
  const world = new World({ ready: 5 });
  await world.seconds(120, 300);
  equal(world.desired, 5);
  await world.clock.suspend(8 * 3_600_000);
  world.load(0, { periodMs: 8 * 3_600_000 });
  const seen = new Set<number | undefined>();
  await world.seconds(58, 0, () => seen.add(world.desired));
  deepEqual([...seen], [5]);
  await world.seconds(20, 0);
  equal(world.desired, 2, "half of the ready pods at most");
  await world.end();
});

test("a stepped wall clock changes no decision", async () => {
  const decisions = async (stepMs: number): Promise<(number | undefined)[]> => {
    const world = new World({ ready: 3 });
    const list: (number | undefined)[] = [];
    for (let second = 0; second < 200; second++) {
      if (second % 20 === 7) world.clock.stepWall(stepMs * (second % 40 === 7 ? 1 : -2));
      await world.seconds(1, second < 90 ? 180 + second : 20, () => list.push(world.desired));
    }
    await world.end();
    return list;
  };
  deepEqual(await decisions(86_400_000), await decisions(0));
});

test("a revision made anew under the same name begins anew", async () => {
  const world = new World({ ready: 1 });
  await world.seconds(30, 300);
  equal(world.desired, 5);
  world.pods(0, "anew");
  equal(world.desired, -1);
  equal(world.deciders.explain(KEY).length, 0);
  await world.end();
});

test("after a restart the replicas in force stay for a stable window, also with no pod ready yet", async () => {
  const world = new World({ ready: 0, restored: 4 });
  await world.seconds(10, 0);
  world.pods(4);
  const seen = new Set<number | undefined>();
  await world.seconds(48, 0, () => seen.add(world.desired));
  deepEqual(
    [...seen].filter((desired) => desired !== -1),
    [4],
  );
  await world.seconds(16, 0);
  equal(world.desired, 2);
  await world.end();
});

test("a new revision without traffic is decided to zero from its first data", async () => {
  const world = new World({ ready: 1 });
  await world.seconds(6, 0);
  equal(world.desired, 0);
  await world.end();
});

test("silence is no load: a busy revision shrinks once its window has passed", async () => {
  const world = new World({ ready: 4 });
  await world.seconds(70, 200);
  world.load(0);
  equal(world.desired, 3);
  await world.seconds(70, 0, () => world.pods(Math.max(1, world.desired ?? 1)));
  equal(world.desired, 0);
  await world.end();
});

test("a thread that owes a report and dies silently stops decisions; its end resumes them", async () => {
  const world = new World({ ready: 4 });
  await world.seconds(70, 200);
  const before = world.desired;
  await world.seconds(300, 0);
  equal(world.desired, before);
  equal(world.deciders.explain(KEY).at(-1)?.outcome, "gateways silent");
  world.deciders.gatewayGone(0);
  world.deciders.receive({ type: "listening", thread: 0, epoch: 2 });
  await world.seconds(50, 0);
  equal(world.desired, before, "held: the data had a hole");
  await world.seconds(30, 0);
  equal(world.desired, 2);
  await world.end();
});

test("without any gateway there is no decision", async () => {
  const world = new World({ ready: 2 });
  world.deciders.gatewayGone(0);
  await world.seconds(120, 0);
  equal(world.desired, -1);
  await world.end();
});

test("loads of several threads add up; a replaced thread's late report does not count", async () => {
  const world = new World({ ready: 1 });
  for (let second = 0; second < 4; second++) {
    await world.clock.advance(1_000);
    world.load(100, { thread: 0, epoch: 2 });
    world.load(100, { thread: 1 });
    world.load(1_000, { thread: 0, epoch: 1 });
  }
  equal(world.desired, 3);
  await world.end();
});

test("a report over three seconds counts for each of them", async () => {
  const world = new World({ ready: 1 });
  await world.clock.advance(3_000);
  world.load(140, { periodMs: 3_000 });
  await world.clock.advance(1_000);
  equal(world.deciders.explain(KEY).at(-1)?.values?.stable, 140);
  await world.end();
});

test("at rest nothing ticks; a waiting request is decided upon at once and ticking resumes", async () => {
  const world = new World({ ready: 0 });
  await world.seconds(8, 0);
  equal(world.clock.waiting, 0);
  const told: string[] = [];
  const stop = world.deciders.onChange((key) => told.push(key));
  await world.clock.advance(3_600_000);
  deepEqual(told, []);
  world.deciders.receive({ type: "wake", thread: 0, backend: KEY });
  equal(world.desired, 1);
  deepEqual(told, [KEY]);
  await world.clock.advance(0);
  equal(world.clock.waiting, 1);
  stop();
  await world.end();
});

test("the waking request is not counted twice", async () => {
  const world = new World({ ready: 0 });
  await world.seconds(8, 0);
  world.deciders.receive({ type: "wake", thread: 0, backend: KEY });
  world.deciders.receive({ type: "wake", thread: 0, backend: KEY });
  world.load(1);
  await world.clock.advance(2_000);
  equal(world.deciders.explain(KEY).at(-1)?.values?.panic, 1);
  await world.end();
});

test("a gateway that reports the first request at once and wakes, too, counts it once in any order", async () => {
  for (const order of ["load first", "wake first"]) {
    const world = new World({ ready: 0 });
    await world.seconds(8, 0);
    if (order === "load first") world.load(1);
    world.deciders.receive({ type: "wake", thread: 0, backend: KEY });
    if (order === "wake first") world.load(1);
    equal(world.desired, 1);
    await world.clock.advance(2_000);
    equal(world.deciders.explain(KEY).at(-1)?.values?.panic, 1, order);
    await world.end();
  }
});

test("an idle revision with pods comes to rest, and a burst after it is averaged over the idle time", async () => {
  const world = new World({ ready: 1 });
  await world.seconds(8, 0);
  ok(world.deciders.idle);
  await world.clock.advance(600_000);
  world.load(60);
  const last = world.deciders.explain(KEY).at(-1);
  deepEqual(last?.values, { stable: 1, panic: 10 });
  await world.end();
});

test("the history is bounded and a removed revision is forgotten", async () => {
  const world = new World({ ready: 1 });
  await world.seconds(120, 10);
  const [constant] = world.deciders.explain(KEY).slice(-1);
  ok((constant?.untilMs ?? 0) - (constant?.sinceMs ?? 0) > 40_000, "equal evaluations are one entry");
  for (let load = 1; load <= 160; load++) await world.seconds(1, load);
  equal(world.deciders.explain(KEY).length, 64);
  world.deciders.remove(KEY);
  equal(world.deciders.decision(KEY), undefined);
  deepEqual([...world.deciders.snapshots()], []);
  ok(world.deciders.idle);
  await world.end();
});

test("a request that waits before its revision has a decider is decided upon once it has one", () => {
  const clock = new SimClock();
  const deciders = new Deciders({ clock });
  const decided: string[] = [];
  deciders.onChange((key) => decided.push(key));
  deciders.receive({ type: "listening", thread: 0, epoch: 1 });
  deciders.receive({ type: "wake", thread: 0, backend: KEY });
  const load = { backend: KEY, averageConcurrency: 1, requestCount: 1, waiting: 1 };
  deciders.receive({ type: "load", thread: 0, epoch: 1, atMs: clock.monotonicMs(), periodMs: 1_000, backends: [load] });
  equal(deciders.ensure(KEY, settings(), { uid: "u", ready: 0, restored: 0 }).desired, 1);
  deepEqual(decided, [KEY]);
});

test("load that was reported before its revision has a decider counts, unless it is long ago", async () => {
  const at = async (waitMs: number): Promise<number> => {
    const clock = new SimClock();
    const deciders = new Deciders({ clock });
    deciders.receive({ type: "listening", thread: 0, epoch: 1 });
    const load = { backend: KEY, averageConcurrency: 1, requestCount: 1, waiting: 1 };
    deciders.receive({ type: "load", thread: 0, epoch: 1, atMs: clock.monotonicMs(), periodMs: 1_000, backends: [load] });
    await clock.advance(waitMs);
    return deciders.ensure(KEY, settings(), { uid: "u", ready: 0, restored: 0 }).desired;
  };
  equal(await at(900), 1);
  ok((await at(60_000)) < 1);
});

// An event that is sent again within the window is acknowledged and not stored again: over crashes, while its first is on its way to the
// disk, in batches, and when the disk leaves in doubt what it kept.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { SeededRng, silentLogger, SimClock, type Logger } from "#core";
import { openLog, type Log, type LogOptions, type Stream } from "#log";
import { Intakes } from "../../src/events/ingress/intakes.ts";
import { Budget } from "../../src/events/budget.ts";
import { RECENT_EVENTS_MAX, RecentEvents } from "../../src/events/ingress/recent-events.ts";
import { takeEvents, type Intake, type Taken } from "../../src/events/ingress/take-events.ts";
import { SimDisk } from "../log/sim-disk.ts";
import { CHANNEL, event, idsIn, live, open, type Open } from "./deduplicate.ts";

const SEEDS = 150;

test("an event is stored once and is there once it is acknowledged, wherever the power goes", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) await live(seed);
});

async function failing(made: Open): Promise<string> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const failed = await live(seed, made).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    if (failed !== undefined) return failed;
  }
  return "nothing was found";
}

const planted: readonly (readonly [name: string, shows: RegExp, made: Open])[] = [
  ["nothing is remembered", /twice/, (_log, stream) => ({ stream, hops: false })],
  [
    "what the log has is not learnt after a restart",
    /twice/,
    (log, stream, clock) => {
      const nothing = { search: () => Promise.resolve({ found: [], next: undefined }) };
      const recent = new RecentEvents({
        windowMs: 3_600_000,
        name: "c",
        stream: nothing,
        log,
        budget: new Budget(RECENT_EVENTS_MAX),
        clock,
        logger: silentLogger,
      });
      return { stream, hops: false, recent };
    },
  ],
  [
    "a duplicate does not wait for its first",
    /lost/,
    (log, stream, clock) => {
      const intake = open(log, stream, clock);
      const seen = new Set<string>();
      const hasty = {
        ready: undefined,
        take: async (identities: readonly string[], _wallMs: number, append: (fresh: readonly number[]) => Promise<readonly number[]>) => {
          const fresh = identities.flatMap((identity, index) => (seen.has(identity) ? [] : [index]));
          for (const identity of identities) seen.add(identity);
          if (fresh.length > 0) await append(fresh);
          return { offsets: [], duplicates: 0 };
        },
      };
      return { ...intake, recent: hasty as unknown as RecentEvents };
    },
  ],
];
for (const [name, shows, made] of planted) {
  test(`the lives find it when ${name}`, async () => {
    assert.match(await failing(made), shows);
  });
}

interface World {
  readonly disk: SimDisk;
  readonly clock: SimClock;
  readonly stream: Stream;
  readonly intake: Intake;
  readonly told: string[];
  readonly take: (...ids: readonly string[]) => Promise<Taken>;
}

async function world(t: TestContext, limits: LogOptions["limits"] = {}): Promise<World & { readonly reopened: () => Promise<World> }> {
  const disk = new SimDisk(new SeededRng(1));
  const clock = new SimClock();
  const told: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void told.push(message), with: () => logger };
  const opened = async (): Promise<World & { readonly log: Log }> => {
    const log = await openLog({ disk, clock, logger, limits: { allocateBytes: 1_024, ...limits } });
    t.after(() => log.close());
    const stream = await log.stream("c");
    const intake = new Intakes({ log, clock, logger }).of(CHANNEL, stream);
    return { disk, clock, log, stream, intake, told, take: (...ids) => takeEvents(intake, { events: ids.map((id) => event(id)) }, clock) };
  };
  const first = await opened();
  return {
    ...first,
    reopened: async () => {
      await first.log.close();
      return opened();
    },
  };
}

const reasonOf = (taken: Promise<unknown>): Promise<string> =>
  taken.then(
    () => "taken",
    (error: unknown) => (error as { reason: string }).reason,
  );

/** A disk that answers nothing until it is let go. */
function hang(disk: SimDisk, then: SimDisk["faults"] = {}): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  disk.faults = { held: promise };
  return () => {
    disk.faults = then;
    resolve();
  };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("duplicates of an event that is on its way to the disk wait for the same sync, and get its place", async (t) => {
  const { disk, take, stream, intake } = await world(t);
  await intake.recent?.ready;
  const letGo = hang(disk);
  const answered: string[] = [];
  const all = ["one", "two", "three"].map((name) => take("1").then((taken) => (answered.push(name), taken)));
  await turns();
  assert.deepEqual(answered, []);
  letGo();
  const taken = await Promise.all(all);
  const [first] = taken;
  assert.ok(first !== undefined && "offsets" in first);
  assert.deepEqual(taken, [first, { ...first, duplicates: 1 }, { ...first, duplicates: 1 }]);
  assert.deepEqual(await idsIn(stream), ["1"]);
});

test("of a batch what came before, or twice in it, is left out, and the rest is stored", async (t) => {
  const { take, stream } = await world(t);
  await take("1");
  const taken = await take("2", "1", "2", "3");
  assert.ok("offsets" in taken);
  assert.equal(taken.duplicates, 2);
  assert.equal(taken.offsets[0], taken.offsets[2]);
  assert.deepEqual(await idsIn(stream), ["1", "2", "3"]);
});

test("the window begins with the first and ends with it, also over a restart; sources differ", async (t) => {
  const { clock, take, stream, intake, reopened } = await world(t);
  await take("1");
  await takeEvents(intake, { events: [event("1", "/other")] }, clock);
  await clock.advance(3_000_000);
  await take("1");
  assert.deepEqual(await idsIn(stream), ["1", "1"]);
  const again = await reopened();
  await again.take("1");
  assert.deepEqual(await idsIn(again.stream), ["1", "1"]);
  await clock.advance(600_000);
  await again.take("1");
  assert.deepEqual(await idsIn(again.stream), ["1", "1", "1"]);
});

test("ids that only begin alike are different, also over a restart", async (t) => {
  const { take, reopened } = await world(t);
  const long = "x".repeat(300);
  await take(`${long}1`, `${long}2`);
  const again = await reopened();
  await again.take(`${long}1`, `${long}2`, `${long}3`);
  assert.equal((await idsIn(again.stream)).length, 3);
});

test("what the disk refuses is refused to its duplicates, too, and is new the next time", async (t) => {
  const { disk, take, stream } = await world(t);
  await take("0");
  disk.faults = { capacity: 1 };
  assert.deepEqual(await Promise.all([reasonOf(take("1")), reasonOf(take("1", "2"))]), ["diskFull", "diskFull"]);
  disk.faults = {};
  await take("1");
  assert.deepEqual(await idsIn(stream), ["0", "1"]);
});

test("what a hanging disk kept after all is not stored again; what it did not keep is", async (t) => {
  for (const isKept of [true, false]) {
    const { disk, clock, take, stream } = await world(t, { blockedMs: 5_000 });
    await take("0");
    const letGo = hang(disk, isKept ? {} : { capacity: 1 });
    // The first group is under way and ends well; what comes meanwhile is of the next.
    const before = reasonOf(take("a"));
    await turns();
    const first = reasonOf(take("1"));
    await turns();
    await clock.advance(7_000);
    assert.deepEqual([await before, await first], ["blocked", "blocked"]);
    const second = reasonOf(take("1"));
    await turns();
    letGo();
    assert.equal(await second, isKept ? "taken" : "diskFull");
    disk.faults = {};
    assert.equal(await reasonOf(take("1")), isKept ? "taken" : "disk");
    assert.equal(await reasonOf(take("1")), "taken");
    assert.equal(await reasonOf(take("a")), "taken");
    assert.deepEqual(await idsIn(stream), ["0", "a", "1"]);
  }
});

test("what is remembered is bounded: the oldest is forgotten, counted and told", async (t) => {
  const { clock, stream, told } = await world(t);
  const logger: Logger = { ...silentLogger, warn: (message) => void told.push(message), with: () => logger };
  const log = { sync: () => Promise.resolve(), read: () => Promise.resolve(undefined) };
  const recent = new RecentEvents({ windowMs: 60_000, name: "c", stream, log, budget: new Budget(3), clock, logger });
  const take = (id: string): Promise<Taken> => takeEvents({ stream, hops: false, recent }, { events: [event(id)] }, clock);
  for (const id of ["1", "2", "3", "4", "4", "2", "1"]) await take(id);
  assert.deepEqual(await idsIn(stream), ["1", "2", "3", "4", "1"]);
  assert.equal(recent.forgotten, 2);
  assert.equal(told.length, 1);
});

test("where others remember all that there is room for, a stream with nothing to forget counts what it does not remember, and tells", async (t) => {
  const { clock, stream, told } = await world(t);
  const logger: Logger = { ...silentLogger, warn: (message) => void told.push(message), with: () => logger };
  const log = { sync: () => Promise.resolve(), read: () => Promise.resolve(undefined) };
  const recent = new RecentEvents({ windowMs: 60_000, name: "c", stream, log, budget: new Budget(0), clock, logger });
  const take = (id: string): Promise<Taken> => takeEvents({ stream, hops: false, recent }, { events: [event(id)] }, clock);
  for (const id of ["1", "2", "1"]) await take(id);
  assert.deepEqual([await idsIn(stream), recent.forgotten, told.length], [["1", "2", "1"], 3, 1]);
});

test("what is taken of a stream whose window is another by now, or that is no more, is remembered by nobody and takes nobody's room", async (t) => {
  const { clock, stream } = await world(t);
  const log = { sync: () => Promise.resolve(), read: () => Promise.resolve(undefined) };
  const budget = new Budget(2);
  const over = new RecentEvents({ windowMs: 60_000, name: "c", stream, log, budget, clock, logger: silentLogger });
  await over.ready;
  over.end();
  const take = (recent: RecentEvents, id: string): Promise<Taken> => takeEvents({ stream, hops: false, recent }, { events: [event(id)] }, clock);
  for (const id of ["1", "2", "3"]) await take(over, id);
  assert.deepEqual([budget.take(), budget.take(), budget.take()], [true, true, false]);
  assert.deepEqual(await idsIn(stream), ["1", "2", "3"]);
});

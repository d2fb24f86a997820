// PingSources under a clock that is moved by hand: what is sent when, and what a restart, an outage or a sleeping machine make of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, SimClock, type Marks } from "#core";
import type { Ping, PingsDelta } from "#protocol";
import type { Outgoing, Sender, Sent } from "../delivery/send.ts";
import { firstRun, MISSED_MAX, nextRun, type RunMark } from "./ping-plan.ts";
import { PingSources } from "./ping-sources.ts";
import { readSchedule } from "./schedule.ts";

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const ping = (over: Partial<Ping> = {}): Ping => ({
  id: "u1",
  namespace: "ns",
  name: "p",
  version: 1,
  schedule: "* * * * *",
  timezone: "",
  missed: "skip",
  overrides: {},
  target: { url: "http://sink/" },
  ...over,
});
const batch = (put: readonly Ping[], over: Partial<PingsDelta> = {}): PingsDelta => ({ type: "pings", generation: 1, reset: false, put, removed: [], ...over });

class MemoryMarks implements Marks<RunMark> {
  readonly marks = new Map<string, RunMark>();
  fails = false;
  entries(): Iterable<readonly [string, RunMark]> {
    return this.marks.entries();
  }
  get(source: string): RunMark | undefined {
    return this.marks.get(source);
  }
  async set(source: string, mark: RunMark): Promise<void> {
    if (this.fails) throw new Error("no space");
    this.marks.set(source, mark);
  }
  async delete(source: string): Promise<void> {
    this.marks.delete(source);
  }
}

/** Answers with the next of `statuses`, the last one for ever; `hang` never answers. */
class FakeSender implements Sender {
  readonly got: Outgoing[] = [];
  statuses: (number | "hang")[] = [202];
  async send(outgoing: Outgoing, signal: AbortSignal): Promise<Sent> {
    this.got.push(outgoing);
    const [status] = this.statuses.length > 1 ? this.statuses.splice(0, 1) : this.statuses;
    if (status === "hang") await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    return { result: { is: "answer", status: typeof status === "number" ? status : 0 }, headers: {}, body: new Uint8Array() };
  }
  /** Seconds after the start at which the sent runs were due. */
  get runs(): number[] {
    return this.got.map(({ headers }) => (Date.parse(headers["ce-time"] ?? "") - START) / 1_000);
  }
}

function world(marks = new MemoryMarks(), clock = new SimClock(START)): { marks: MemoryMarks; clock: SimClock; sender: FakeSender; sources: PingSources } {
  const sender = new FakeSender();
  return { marks, clock, sender, sources: new PingSources({ marks, sender, clock, logger: silentLogger }) };
}

test("a run is an event with its time, its data and what the source adds; the id is the run's", async () => {
  const { clock, sender, sources } = world();
  sources.apply(batch([ping({ schedule: "*/30 * * * * *", contentType: "application/json", data: Buffer.from("{}"), overrides: { Team: "red" } })]));
  await clock.advance(MINUTE);
  assert.deepEqual(sender.runs, [30, 60]);
  const [first, second] = sender.got;
  const { "ce-id": id = "", ...headers } = first?.headers ?? {};
  assert.deepEqual(headers, {
    "ce-specversion": "1.0",
    "ce-type": "dev.knative.sources.ping",
    "ce-source": "/apis/v1/namespaces/ns/pingsources/p",
    "ce-time": "2026-01-01T00:00:30.000Z",
    "ce-team": "red",
    "content-type": "application/json",
    "kn-namespace": "ns",
  });
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(second?.headers["ce-id"], id);
  assert.equal(Buffer.from(first?.body ?? []).toString(), "{}");
  await sources.end();
});

test("one timer waits for all: the next of them", async () => {
  const { clock, sender, sources } = world();
  const sleeps: number[] = [];
  const { sleep } = clock;
  clock.sleep = (ms, signal) => (sleeps.push(ms), sleep.call(clock, ms, signal));
  sources.apply(batch([ping(), ping({ id: "u2", schedule: "*/20 * * * * *" }), ping({ id: "u3", schedule: "0 0 1 1 *" })]));
  await clock.advance(19_000);
  assert.deepEqual([sleeps, sender.got.length], [[20_000], 0]);
  await sources.end();
});

test("an event is sent until its sink takes it, with longer and longer pauses, and runs that come due meanwhile follow", async () => {
  const { clock, sender, sources } = world();
  sources.apply(batch([ping({ schedule: "*/10 * * * * *" })]));
  sender.statuses = [500, 404, 503, 202];
  await clock.advance(10_000);
  assert.deepEqual(sender.runs, [10]);
  await clock.advance(700);
  assert.deepEqual(sender.runs, [10, 10, 10, 10]);
  sender.statuses = ["hang"];
  await clock.advance(40_000);
  assert.deepEqual(sender.runs.slice(4), [20]);
  await sources.end();
});

test("what a sink refuses for good is not sent again, and the next run is", async () => {
  const { clock, sender, sources } = world();
  sender.statuses = [400];
  sources.apply(batch([ping()]));
  await clock.advance(2 * MINUTE);
  assert.deepEqual(sender.runs, [60, 120]);
  await sources.end();
});

test("a platform that ended in the middle of a run doubles nothing: the run is left out, unless it is asked for", async () => {
  for (const [missed, runs] of [
    ["skip", [180]],
    ["once", [120, 180]],
    ["all", [60, 120, 180]],
  ] as const) {
    const { marks, clock, sender, sources } = world();
    sender.statuses = ["hang"];
    sources.apply(batch([ping({ missed })]));
    await clock.advance(MINUTE);
    assert.deepEqual(sender.runs, [60]);
    await sources.end();
    await clock.advance(1.5 * MINUTE);
    const next = world(marks, clock);
    next.sources.apply(batch([ping({ missed })], { reset: true }));
    await clock.advance(MINUTE);
    assert.deepEqual([missed, next.sender.runs], [missed, runs]);
    if (missed === "all") assert.equal(next.sender.got[0]?.headers["ce-id"], sender.got[0]?.headers["ce-id"]);
    await next.sources.end();
  }
});

test("a machine that slept has missed what was due meanwhile", async () => {
  const { clock, sender, sources } = world();
  sources.apply(batch([ping(), ping({ id: "u2", name: "all", missed: "all" })]));
  clock.stepWall(10 * MINUTE + 30_000);
  await clock.advance(MINUTE);
  const runsOf = (name: string): number[] => sender.runs.filter((_, at) => sender.got[at]?.headers["ce-source"]?.endsWith(name));
  await clock.advance(MINUTE / 2);
  assert.deepEqual(runsOf("/p"), [720]);
  assert.deepEqual(runsOf("/all"), [60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 660, 720]);
  await sources.end();
});

test("a clock that is set back brings no run again", async () => {
  const { clock, sender, sources } = world();
  sources.apply(batch([ping()]));
  await clock.advance(MINUTE);
  clock.stepWall(-MINUTE / 2);
  await clock.advance(MINUTE);
  await clock.advance(MINUTE);
  assert.deepEqual(sender.runs, [60, 120]);
  await sources.end();
});

test("a run waits for the disk: nothing is sent that is not noted", async () => {
  const { marks, clock, sender, sources } = world();
  sources.apply(batch([ping()]));
  marks.fails = true;
  await clock.advance(MINUTE + 5_000);
  assert.equal(sender.got.length, 0);
  marks.fails = false;
  await clock.advance(1_000);
  assert.deepEqual(sender.runs, [60]);
  await sources.end();
});

test("another schedule begins anew; another sink gets what the first one did not take; what is removed is forgotten", async () => {
  const { marks, clock, sender, sources } = world();
  sender.statuses = [503];
  sources.apply(batch([ping()]));
  await clock.advance(MINUTE);
  sender.statuses = [202];
  sources.apply(batch([ping({ version: 2, target: { url: "http://other/" } })]));
  await clock.advance(1_000);
  assert.deepEqual([sender.got.at(-1)?.target.url, sender.runs.at(-1)], ["http://other/", 60]);
  sources.apply(batch([ping({ version: 3, schedule: "*/20 * * * * *" })]));
  await clock.advance(19_000);
  assert.equal(sender.runs.at(-1), 80);
  sources.apply(batch([], { removed: ["u1"] }));
  const { length } = sender.got;
  await clock.advance(5 * MINUTE);
  assert.deepEqual([sender.got.length, [...marks.marks.keys()]], [length, []]);
  await sources.end();
});

test("schedules: seconds, names, zones, changes of the clock", () => {
  const from = (text: string, zone: string, at: string): string => new Date(readSchedule(text, zone).after(Date.parse(at)) ?? 0).toISOString();
  assert.equal(from("@hourly", "", "2026-03-01T00:10:00Z"), "2026-03-01T01:00:00.000Z");
  assert.equal(from("5/15 0,12 ? * sun", "", "2026-03-01T00:10:00Z"), "2026-03-01T00:20:00.000Z");
  assert.equal(from("0 0 13 * fri", "", "2026-03-07T00:00:00Z"), "2026-03-13T00:00:00.000Z");
  // An hour that does not exist: at its end. One that comes twice: once.
  assert.equal(from("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00.000Z");
  assert.equal(from("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00.000Z");
  assert.equal(readSchedule("0 0 30 2 *", "").after(START), undefined);
});

test("of many missed runs the last ones are made up for", () => {
  const schedule = readSchedule("* * * * * *", "");
  const mark = { schedule: "", begun: START, done: START };
  const nowMs = START + 86_400_000;
  assert.equal(firstRun(schedule, { mark, text: "", missed: "all" }, nowMs), nowMs - (MISSED_MAX - 1) * 1_000);
  assert.equal(nextRun(schedule, START, nowMs), nowMs - (MISSED_MAX - 1) * 1_000);
});

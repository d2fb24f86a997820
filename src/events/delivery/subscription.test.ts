// One subscriber's deliveries over the real log, with a sender that answers as it is told and a clock that is moved by hand.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger, SimClock } from "#core";
import { NodeDisk, openLog, type Cursor } from "#log";
import type { EventSubscriber } from "#protocol";
import type { AttemptNote, StreamLog, StreamReader } from "../port.ts";
import { encodeStored } from "../stored-event.ts";
import type { Outgoing, Sender, Sent } from "./send.ts";
import { matcherFor, type Matcher } from "../filters/matcher.ts";
import { CatchUps } from "./catch-ups.ts";
import { Feed } from "./feed.ts";
import { Subscription } from "./subscription.ts";
import { UnderWay } from "./under-way.ts";

const subscriber = (over: Partial<EventSubscriber> = {}): EventSubscriber => ({
  id: "t-uid",
  stream: "b-uid",
  namespace: "ns",
  name: "t",
  version: 1,
  selection: { attributes: {}, filters: [] },
  target: { url: "http://sub/" },
  rules: { retries: 2, backoff: "linear", backoffMs: 1_000, timeoutMs: 1_000 },
  order: "none",
  ...over,
});

/** Requests stay open until the test answers them. */
class HeldSender implements Sender {
  readonly open: { readonly id: string; readonly url: string; readonly answer: (status: number) => void }[] = [];
  readonly seen: string[] = [];
  #news = Promise.withResolvers<void>();

  send({ headers, target }: Outgoing, signal: AbortSignal): Promise<Sent> {
    const id = headers["ce-id"] ?? "";
    this.seen.push(id);
    return new Promise((resolve) => {
      const end = (sent: Sent): void => {
        const at = this.open.findIndex((one) => one === entry);
        if (at >= 0) this.open.splice(at, 1);
        resolve(sent);
      };
      const entry = {
        id,
        url: target.url,
        answer: (status: number) => end({ result: { is: "answer", status }, headers: {}, body: Buffer.from("no") }),
      };
      signal.addEventListener("abort", () => end({ result: { is: "failure", why: "aborted" }, headers: {}, body: new Uint8Array() }), { once: true });
      this.open.push(entry);
      this.#news.resolve();
    });
  }

  /** Waits for the next request, whoever it is of. */
  async next(): Promise<HeldSender["open"][number]> {
    while (this.open.length === 0) {
      this.#news = Promise.withResolvers();
      await this.#news.promise;
    }
    return this.open[0] as HeldSender["open"][number];
  }
}

const ALL = matcherFor({ attributes: {}, filters: [] });
const NOT_OTHER: Matcher = { matches: (attributes) => attributes.get("type") !== "other", needs: [] };

interface World {
  readonly subscription: Subscription;
  readonly clock: SimClock;
  readonly cursor: Cursor;
  readonly sender: HeldSender;
  readonly notes: readonly AttemptNote[];
  readonly begin: (of: EventSubscriber) => Subscription;
  readonly underWay: UnderWay;
  readonly disk: { fails: boolean };
  /** Resolves once so many attempts were noted. */
  noted(count: number): Promise<void>;
  emit(id: string, more?: Readonly<Record<string, string>>): Promise<number>;
}

/** `reads`: how a subscriber that is behind waits for the disk. */
async function world(
  t: TestContext,
  is: EventSubscriber,
  underWay: UnderWay = new UnderWay(),
  reads: () => Promise<unknown> = async () => undefined,
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "eider-subscription-"));
  const clock = new SimClock();
  const log = await openLog({ disk: new NodeDisk(folder), clock, logger: silentLogger });
  const stream = await log.stream("b-uid");
  const cursor = await stream.cursor(is.id, "end");
  const slow: Pick<StreamLog, "reader"> = {
    reader(from) {
      const reader = stream.reader(from);
      return {
        get at() {
          return reader.at;
        },
        next: (signal) => reader.next(signal),
        poll: () => reader.poll(),
        visit: (take) => reads().then(() => reader.visit(take)),
      } as StreamReader;
    },
  };
  const sender = new HeldSender();
  const notes: AttemptNote[] = [];
  let news = Promise.withResolvers<void>();
  const feed = new Feed({ stream, clock, logger: silentLogger });
  const disk = { fails: false };
  const parts = {
    log: { read: (offset: number) => (disk.fails ? Promise.reject(new Error("the disk fails")) : log.read(offset)) },
    sender,
    underWay,
    catchUps: new CatchUps(),
    takeReply: () => Promise.resolve(undefined),
    note(note: AttemptNote) {
      notes.push(note);
      news.resolve();
    },
    clock,
    logger: silentLogger,
  };
  const begin = (of: EventSubscriber): Subscription => {
    const subscription = new Subscription(parts, { subscriber: of, matcher: NOT_OTHER, stream: slow, feed, cursor });
    subscription.begin();
    feed.begin();
    return subscription;
  };
  const running = begin(is);
  t.after(async () => {
    await running.end();
    await log.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    subscription: running,
    underWay,
    disk,
    clock,
    cursor,
    sender,
    notes,
    begin,
    async noted(count: number): Promise<void> {
      while (notes.length < count) {
        news = Promise.withResolvers();
        await news.promise;
      }
    },
    emit: (id: string, more: Readonly<Record<string, string>> = {}): Promise<number> =>
      stream.append({
        value: encodeStored({ form: "binary", attributes: new Map(Object.entries({ specversion: "1.0", id, source: "/x", type: "t", ...more })), headers: {} }),
      }),
  };
}

/** Lets all that is ready to run do so: a turn of the loop for the disk, some for promises. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("an event that the filter refuses is passed over, and what is accepted is finished", async (t) => {
  const { emit, sender, notes, noted, cursor } = await world(t, subscriber());
  await emit("1", { type: "other" });
  await emit("2");
  (await sender.next()).answer(200);
  await noted(1);
  assert.deepEqual(sender.seen, ["2"]);
  assert.equal(notes[0]?.next, "delivered");
  await settled();
  assert.deepEqual([...cursor.open()], []);
});

test("a failing event does not hold up the next one, and is tried again after its wait", async (t) => {
  const { emit, sender, notes, noted, clock } = await world(t, subscriber());
  await emit("1");
  (await sender.next()).answer(503);
  await noted(1);
  await emit("2");
  (await sender.next()).answer(200);
  await noted(2);
  assert.deepEqual(sender.seen, ["1", "2"]);
  await settled();
  await clock.advance(999);
  await settled();
  assert.deepEqual(sender.seen, ["1", "2"]);
  await clock.advance(1);
  (await sender.next()).answer(200);
  await noted(3);
  assert.deepEqual(sender.seen, ["1", "2", "1"]);
  assert.deepEqual(
    notes.map(({ next, attempt }) => `${next} ${attempt}`),
    ["retry 1", "delivered 1", "delivered 2"],
  );
});

test("by key: an event waits for the one before it of its key, others do not", async (t) => {
  const { emit, sender, noted } = await world(t, subscriber({ order: "key" }));
  await emit("a1", { partitionkey: "a" });
  await emit("a2", { partitionkey: "a" });
  await emit("b1", { partitionkey: "b" });
  await emit("free");
  const first = await sender.next();
  while (sender.seen.length < 3) await settled();
  assert.deepEqual(sender.seen, ["a1", "b1", "free"]);
  first.answer(200);
  await noted(1);
  while (sender.seen.length < 4) await settled();
  assert.deepEqual(sender.seen, ["a1", "b1", "free", "a2"]);
});

test("whole: a retry comes before everything behind it", async (t) => {
  const { emit, sender, noted, clock } = await world(t, subscriber({ order: "whole" }));
  await emit("1");
  await emit("2");
  (await sender.next()).answer(500);
  await noted(1);
  await settled();
  assert.deepEqual(sender.seen, ["1"]);
  await clock.advance(1_000);
  (await sender.next()).answer(200);
  await noted(2);
  (await sender.next()).answer(200);
  await noted(3);
  assert.deepEqual(sender.seen, ["1", "1", "2"]);
});

test("what its dead letter sink refuses is parked, holds nobody up, and goes when it is resumed", async (t) => {
  const { emit, sender, noted, notes, cursor, subscription } = await world(t, subscriber({ deadLetter: { url: "http://dead/" } }));
  const offset = await emit("1");
  (await sender.next()).answer(400);
  await noted(1);
  const dead = await sender.next();
  assert.equal(dead.url, "http://dead/");
  dead.answer(400);
  await noted(2);
  await settled();
  assert.deepEqual(
    [...cursor.open()].map(({ dueMs }) => dueMs),
    [Infinity],
  );
  assert.equal(subscription.resume(offset + 1), false);
  assert.equal(subscription.resume(offset), true);
  (await sender.next()).answer(200);
  await noted(3);
  assert.deepEqual(
    notes.map(({ leg, next }) => `${leg} ${next}`),
    ["subscriber deadLetter", "deadLetter park", "subscriber delivered"],
  );
});

test("without an address events wait, and go once there is one", async (t) => {
  const { target: _, ...nowhere } = subscriber();
  const { emit, sender, subscription } = await world(t, nowhere);
  await emit("1");
  await settled();
  assert.deepEqual(sender.seen, []);
  subscription.update(subscriber(), ALL);
  await sender.next();
  assert.deepEqual(sender.seen, ["1"]);
});

test("what is under way or waits at the end is delivered by whoever comes next, in the same order", async (t) => {
  const whole = subscriber({ order: "whole" });
  const { emit, sender, subscription, notes, noted, begin } = await world(t, whole);
  await emit("1");
  await emit("2");
  await sender.next();
  await subscription.end();
  assert.deepEqual(notes, []);
  const next = begin(whole);
  (await sender.next()).answer(200);
  await noted(1);
  (await sender.next()).answer(200);
  await noted(2);
  assert.deepEqual(sender.seen, ["1", "1", "2"]);
  await next.end();
});

test("what all have under way together is bounded, and whoever has less of it goes first when there is room", async (t) => {
  const { emit, sender, noted, underWay } = await world(t, subscriber(), new UnderWay({ requests: 4, bytes: 1_000 }));
  for (const id of ["1", "2", "3", "4"]) await emit(id);
  await sender.next();
  await settled();
  // Two of four: another one may have as many.
  assert.deepEqual([sender.seen, underWay.requests], [["1", "2"], 2]);
  (await sender.next()).answer(200);
  await noted(1);
  while (sender.seen.length < 3) await settled();
  assert.equal(underWay.requests, 2);
});

test("a subscriber that waits for room is called when others give back", async (t) => {
  const underWay = new UnderWay({ requests: 8, bytes: 1_000 });
  underWay.take({ bytes: 1_000 });
  const { emit, sender } = await world(t, subscriber(), underWay);
  await emit("1");
  await settled();
  assert.deepEqual(sender.seen, []);
  underWay.give({ bytes: 1_000 });
  await sender.next();
  assert.deepEqual(sender.seen, ["1"]);
});

/** Answers whatever comes until so many attempts were noted. */
async function answerAll({ sender, noted }: Pick<World, "sender" | "noted">, count: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    (await sender.next()).answer(200);
    await noted(done + 1);
  }
}
const numbered = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => String(from + index));

test("in order and held up, a subscriber falls behind, reads on by itself and comes back: each event once, in order", async (t) => {
  const { emit, sender, noted, cursor } = await world(t, subscriber({ order: "whole" }));
  for (const id of numbered(0, 150)) await emit(id);
  await sender.next();
  await settled();
  // What is held is a number; the rest is not even that.
  assert.ok([...cursor.open()].length < 100);
  await answerAll({ sender, noted }, 150);
  await emit("150");
  await sender.next();
  assert.deepEqual(sender.seen, numbered(0, 151));
});

test("without room for a request, events are taken for later: as offsets, and the oldest goes first", async (t) => {
  const { emit, sender, noted, underWay, cursor } = await world(t, subscriber(), new UnderWay({ requests: 2 }));
  for (const id of numbered(0, 20)) await emit(id);
  await settled();
  assert.deepEqual([sender.seen, underWay.requests, underWay.records, cursor.openCount], [["0"], 1, 20, 20]);
  await answerAll({ sender, noted }, 20);
  assert.deepEqual(sender.seen, numbered(0, 20));
  await settled();
  assert.deepEqual([underWay.requests, underWay.records], [0, 0]);
});

test("with as much open as it may have, a subscriber falls behind, and goes on as something of it ends", async (t) => {
  const { emit, sender, noted, underWay } = await world(t, subscriber(), new UnderWay({ records: 9 }));
  for (const id of numbered(0, 30)) await emit(id);
  await settled();
  // Five of nine: another one may have four.
  assert.deepEqual([sender.seen, underWay.records], [numbered(0, 5), 5]);
  await answerAll({ sender, noted }, 30);
  await emit("30");
  await sender.next();
  assert.deepEqual(sender.seen, numbered(0, 31));
});

test("what is parked of others leaves room, and who waits for it is called when they finish", async (t) => {
  const underWay = new UnderWay({ records: 2 });
  underWay.take({ records: 2 });
  const { emit, sender } = await world(t, subscriber(), underWay);
  await emit("1");
  await settled();
  assert.deepEqual(sender.seen, []);
  underWay.give({ records: 2 });
  await sender.next();
  assert.deepEqual(sender.seen, ["1"]);
});

test("while one read of who is behind takes its time, what ends begins no other", async (t) => {
  let under = 0;
  let most = 0;
  const go = Promise.withResolvers<void>();
  const reads = async (): Promise<void> => {
    most = Math.max(most, ++under);
    await go.promise;
    under -= 1;
  };
  const { emit, sender, noted } = await world(t, subscriber(), new UnderWay({ records: 9 }), reads);
  for (const id of numbered(0, 30)) await emit(id);
  await settled();
  for (let ended = 1; ended <= 3; ended++) {
    (await sender.next()).answer(200);
    await noted(ended);
    await settled();
  }
  assert.deepEqual([under, most], [1, 1]);
  go.resolve();
  for (let ended = 4; ended <= 30; ended++) {
    (await sender.next()).answer(200);
    await noted(ended);
  }
  assert.deepEqual(sender.seen, numbered(0, 30));
});

test("a subscriber with as much parked as it may have goes on once the log has dropped that", async (t) => {
  const { emit, sender, noted, cursor, underWay } = await world(t, subscriber({ deadLetter: { url: "http://dead/" } }), new UnderWay({ records: 9 }));
  const offsets: number[] = [];
  for (const id of numbered(0, 6)) offsets.push(await emit(id));
  for (let ended = 1; ended <= 10; ended++) {
    (await sender.next()).answer(400);
    await noted(ended);
    await settled();
  }
  assert.deepEqual([sender.open.length, cursor.parked], [0, 5]);
  cursor.drop(0, offsets[5] ?? 0);
  await emit("6");
  await sender.next();
  await settled();
  assert.deepEqual([sender.open.map(({ id }) => id), underWay.records], [["5", "6"], 2]);
});

test("a dead letter that the platform fails to read is one again: the subscriber, which refused the event, is not asked anew", async (t) => {
  const { emit, sender, noted, clock, disk, cursor } = await world(t, subscriber({ deadLetter: { url: "http://dead/" } }));
  await emit("1");
  (await sender.next()).answer(400);
  (await sender.next()).answer(503);
  await noted(2);
  await settled();
  disk.fails = true;
  const [{ dueMs = 0 } = {}] = [...cursor.open()];
  await clock.advance(dueMs - clock.wallMs());
  await settled();
  assert.equal(sender.open.length, 0);
  disk.fails = false;
  await clock.advance(1_000);
  assert.equal((await sender.next()).url, "http://dead/");
});

// 10,000 Triggers: each gets what concerns it and nothing else, one reader reads for all of them, also after the power was cut.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, newDisk, Receivers, SHARED, TRIGGERS, Watched, type Planted } from "./many-triggers.ts";

const EVENTS = 100;
/** One reads for all; whoever falls behind reads for itself, and few do. */
const READERS_MAX = 50;
/** Enough for a planted fault to show. */
const FEWER = 1_000;

interface Seen {
  readonly got: Receivers["got"];
  readonly readers: number;
}

/** Events that nobody wants, one each, ten each; of one Trigger in order nothing is answered until all others have theirs. */
async function live(triggers: number, planted?: Planted): Promise<Seen> {
  const receivers = new Receivers();
  receivers.held = SHARED;
  const watched = new Watched(planted);
  const first = await begin(newDisk(), receivers, watched, triggers);
  const ids = Array.from({ length: EVENTS }, (_, index) => index);
  await first.emit(ids.map((id) => ({ id: `none-${id}`, type: "nobody's" })));
  await first.emit(ids.map((id) => ({ id: `slow-${id}`, type: `own-${SHARED}` })));
  await first.emit(ids.map((id) => ({ id: `one-${id}`, type: `own-${100 + id * 7}` })));
  await first.emit([{ id: "ten", type: "shared" }]);
  await receivers.answered(EVENTS + SHARED);
  receivers.letGo();
  await receivers.answered(2 * EVENTS + SHARED);
  await first.emit([{ id: "last", type: `own-${SHARED}` }]);
  await receivers.answered(2 * EVENTS + SHARED + 1);
  await first.settled();
  first.disk.cutNow();

  const second = await begin(first.disk.afterCut(), receivers, watched, triggers);
  await second.emit([{ id: "again", type: "shared" }]);
  await receivers.answered(2 * EVENTS + 2 * SHARED + 1);
  await second.settled();
  await Promise.all([first.node.end(), second.node.end()]);
  await second.log.close();
  return { got: receivers.got, readers: watched.readers };
}

function wanted(): Map<string, number> {
  const all = Array.from({ length: EVENTS }, (_, id) => [`${100 + id * 7} one-${id}`, `${SHARED} slow-${id}`]).flat();
  const shared = Array.from({ length: SHARED }, (_, index) => [`${index} ten`, `${index} again`]).flat();
  return new Map([...all, ...shared, `${SHARED} last`].map((key) => [key, 1]));
}

function check({ got, readers }: Seen): void {
  assert.deepEqual(got, wanted());
  assert.ok(readers <= READERS_MAX, `${readers} readers`);
}

test("each of 10,000 Triggers gets what concerns it, once, and one reader reads for all", async () => check(await live(TRIGGERS)));

test("this shows it when each Trigger reads for itself", async () => {
  const seen = await live(FEWER, "behind");
  assert.throws(() => check(seen), /^AssertionError.*: \d{4} readers/);
});

test("this shows it when cursors do not move with what was handed out", async () => {
  const seen = await live(FEWER, "apart");
  assert.throws(() => check(seen), /deep-equal/);
});

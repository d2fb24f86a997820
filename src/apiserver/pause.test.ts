// Tests of how long work is spread over the turns of the event loop.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { Turns } from "./pause.ts";

/** A clock on which each look at the time costs a millisecond. */
class WorkingClock extends SimClock {
  #workedMs = 0;

  override monotonicMs(): number {
    return ++this.#workedMs;
  }
}

test("many loops share one slice a turn, in their order, and all come to their end", async () => {
  const turns = new Turns(new WorkingClock());
  let turn = 0;
  const done = new AbortController();
  const counting = (async () => {
    for (; !done.signal.aborted; turn++) await new Promise((resolve) => setImmediate(resolve));
  })();
  const steps: number[] = [];
  const ended: number[] = [];
  const loop = async (name: number): Promise<void> => {
    for (let step = 0; step < 20; step++) {
      if (turns.isOver) await turns.next();
      steps.push(turn);
    }
    ended.push(name);
  };
  await Promise.all([0, 1, 2, 3].map(loop));
  done.abort();
  await counting;
  assert.equal(ended.length, 4);
  const perTurn = Map.groupBy(steps, (at) => at);
  assert.ok(
    [...perTurn.values()].every((all) => all.length <= 6),
    "no turn does more than a slice",
  );
  assert.ok(perTurn.size >= 80 / 6);
});

test("on a clock that stands still nothing waits", async () => {
  const turns = new Turns(new SimClock());
  for (let step = 0; step < 1_000; step++) assert.equal(turns.isOver, false);
});

// Rest comes once after each stretch of work.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { watchRest } from "./rest.ts";

test("memory is given back once after each stretch of work, not while it lasts", async () => {
  const clock = new SimClock();
  const stop = new AbortController();
  let work = 0;
  let rests = 0;
  const running = watchRest({ clock, work: () => work, atRest: () => rests++ }, stop.signal);
  for (; work < 5; work++) await clock.advance(10_000);
  assert.equal(rests, 0, "still at work");
  await clock.advance(60_000);
  assert.equal(rests, 1);
  work++;
  await clock.advance(60_000);
  assert.equal(rests, 2);
  stop.abort();
  await running;
});

// Who stands aside for a start, and for how long.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { RightOfWay } from "./right-of-way.ts";

async function settled(promise: Promise<void>): Promise<boolean> {
  let done = false;
  void promise.then(() => (done = true));
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

test("nobody waits while nobody holds it", async () => {
  assert.equal(await settled(new RightOfWay(new SimClock()).free()), true);
});

test("it is free when the last holder gives it back", async () => {
  const way = new RightOfWay(new SimClock());
  way.take("a");
  way.take("b");
  const free = way.free();
  way.giveBack("a");
  assert.equal(await settled(free), false);
  way.giveBack("b");
  assert.equal(await settled(free), true);
  assert.equal(way.held, false);
});

test("a hold that lasts ends by itself, and the next one has to wait as long", async () => {
  const clock = new SimClock();
  const way = new RightOfWay(clock);
  way.take("a");
  const free = way.free();
  await clock.advance(99);
  assert.equal(await settled(free), false);
  await clock.advance(1);
  assert.equal(await settled(free), true);
  way.take("b");
  assert.equal(way.held, false, "others get their turn");
  await clock.advance(100);
  way.take("b");
  assert.equal(way.held, true);
});

// Tests of seats: how many work at once, whose turn is next, and who is sent away.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { Seats } from "./seats.ts";

const never = new AbortController().signal;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a runaway client waits for its own requests; others have every other turn", async () => {
  const seats = new Seats(new SimClock(), { seats: 1, waitingMax: 100, waitingOfOneMax: 50 });
  const served: string[] = [];
  const ask = async (client: string): Promise<void> => {
    const giveBack = await seats.take(client, never);
    served.push(client);
    await settled();
    giveBack?.();
  };
  await Promise.all(["loud", "loud", "loud", "loud", "quiet", "quiet"].map(ask));
  assert.deepEqual(served, ["loud", "loud", "quiet", "loud", "quiet", "loud"]);
});

test("too many that wait are sent away, of one client first", async () => {
  const clock = new SimClock();
  const seats = new Seats(clock, { seats: 1, waitingMax: 3, waitingOfOneMax: 2 });
  const giveBack = await seats.take("a", never);
  const waiting = [seats.take("a", never), seats.take("a", never)];
  assert.equal(await seats.take("a", never), undefined, "a has two that wait");
  waiting.push(seats.take("b", never));
  assert.equal(await seats.take("c", never), undefined, "three wait");
  giveBack?.();
  await Promise.all(waiting.map(async (next) => (await next)?.()));
  assert.notEqual(await seats.take("c", never), undefined, "all seats are free again");
  assert.equal(clock.waiting, 0);
});

test("who waits too long, or goes away, leaves the line", async () => {
  const clock = new SimClock();
  const seats = new Seats(clock, { seats: 1, waitingMax: 3, waitingOfOneMax: 3 });
  const giveBack = await seats.take("a", never);
  const gone = new AbortController();
  const [late, left] = [seats.take("a", never), seats.take("a", gone.signal)];
  gone.abort();
  assert.equal(await left, undefined);
  await clock.advance(15_000);
  assert.equal(await late, undefined);
  const next = seats.take("b", never);
  giveBack?.();
  giveBack?.();
  assert.notEqual(await next, undefined);
  const last = seats.take("c", never);
  await settled();
  assert.equal(clock.waiting, 1, "a seat is given back once");
  (await next)?.();
  assert.notEqual(await last, undefined);
});

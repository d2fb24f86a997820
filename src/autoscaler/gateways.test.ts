// Silence and missing data are told apart by what each thread owes.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { Gateways } from "./gateways.ts";

const load = (backend: string, averageConcurrency: number) => ({ backend, averageConcurrency, requestCount: 0, waiting: 0 });
const thread = (epoch = 1, number = 0) => ({ thread: number, epoch });

test("without threads nobody answers", () => {
  const gateways = new Gateways();
  equal(gateways.answerFor("a", 0), false);
  gateways.up(0);
  equal(gateways.answerFor("a", 1e9), true);
  gateways.down(0);
  equal(gateways.answerFor("a", 0), false);
});

test("a report on one backend does not settle what is owed on another", () => {
  const gateways = new Gateways();
  gateways.reported(thread(), [load("a", 3), load("b", 1)], 0);
  gateways.reported(thread(), [load("b", 1)], 4_000);
  equal(gateways.answerFor("a", 6_000), false);
  equal(gateways.answerFor("b", 6_000), true);
  equal(gateways.answerFor("c", 6_000), true);
});

test("a report of no load settles it for good", () => {
  const gateways = new Gateways();
  gateways.reported(thread(), [load("a", 3)], 0);
  gateways.reported(thread(), [load("a", 0)], 1_000);
  equal(gateways.answerFor("a", 1e9), true);
});

test("a successor does not owe what its predecessor did, and ends the predecessor's say", () => {
  const gateways = new Gateways();
  gateways.reported(thread(1), [load("a", 3)], 0);
  equal(gateways.reported(thread(2), [load("b", 1)], 1_000), true);
  equal(gateways.answerFor("a", 60_000), true);
  equal(gateways.reported(thread(1), [load("a", 9)], 2_000), false);
});

test("a backend that is gone is owed by nobody", () => {
  const gateways = new Gateways();
  gateways.reported(thread(), [load("a", 3)], 0);
  gateways.forget("a");
  equal(gateways.answerFor("a", 1e9), true);
});

// The tracker: who asked for what.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Tracker } from "./tracker.ts";

const key = (name: string) => ({ namespace: "default", name });

test("Tracker: askers are found by name until they ask for something else or are forgotten", () => {
  const tracker = new Tracker();
  tracker.track(key("a"), ["x", "y"]);
  tracker.track(key("b"), ["x"]);
  assert.deepEqual(tracker.askersOf(key("x")), [key("a"), key("b")]);
  tracker.track(key("a"), ["z"]);
  assert.deepEqual(tracker.askersOf(key("x")), [key("b")]);
  assert.deepEqual(tracker.askersOf(key("y")), []);
  tracker.forget(key("b"));
  assert.deepEqual(tracker.askersOf(key("x")), []);
  assert.deepEqual(tracker.askersOf({ namespace: "other", name: "z" }), []);
});

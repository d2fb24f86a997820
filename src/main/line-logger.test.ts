// Lines for people: what is shown of a message, and that a flood of the same is counted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { lineLogger } from "./line-logger.ts";

test("a line has the level, the message, and the fields that are set", () => {
  const lines: string[] = [];
  const logger = lineLogger({ clock: new SimClock(), write: (line) => lines.push(line) }).with({ room: "client" });
  logger.info("not shown");
  logger.warn("watch broke", { kind: "Pod", err: new Error("no\n  network"), absent: undefined, count: 2 });
  assert.deepEqual(lines, ["warning: watch broke  room=client  kind=Pod  err=no | network  count=2"]);
});

test("the same message within ten seconds is counted, and the count is told with the next", async () => {
  const lines: string[] = [];
  const clock = new SimClock();
  const logger = lineLogger({ clock, write: (line) => lines.push(line) });
  for (const kind of ["Pod", "Secret", "Service"]) logger.warn("watch broke", { kind });
  logger.error("another");
  await clock.advance(10_000);
  logger.with({ kind: "Pod" }).warn("watch broke");
  assert.deepEqual(lines, ["warning: watch broke  kind=Pod", "error: another", "warning: watch broke (and 2 more before)  kind=Pod"]);
});

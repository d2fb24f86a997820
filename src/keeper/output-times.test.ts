// Times beside an output file: one line a growth, a fresh start after a cut, thinning, and no failure without the file.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { silentLogger, SimClock } from "#core";
import { noteTimes } from "./output-times.ts";

function noting(t: TestContext, before = "") {
  const dir = mkdtempSync(join(tmpdir(), "eider-times-"));
  const outputFile = join(dir, "0.log");
  const timesFile = `${outputFile}.times`;
  writeFileSync(outputFile, "");
  if (before !== "") writeFileSync(timesFile, before);
  const clock = new SimClock(1_000);
  const over = new AbortController();
  const done = noteTimes({ outputFile, timesFile }, { clock, logger: silentLogger }, over.signal);
  t.after(async () => {
    over.abort();
    await done;
    rmSync(dir, { recursive: true, force: true });
  });
  const lines = (): string[] => {
    try {
      return readFileSync(timesFile, "utf8").trimEnd().split("\n");
    } catch {
      return [];
    }
  };
  /** Another process writes: the kernel tells us when it likes. */
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) {
      await clock.advance(25);
      await pause(1);
    }
  };
  return { outputFile, timesFile, clock, over, done, lines, until };
}

test("each growth is noted with the size by then", async (t) => {
  const { outputFile, lines, until, over, done } = noting(t);
  appendFileSync(outputFile, "one\n");
  await until(() => lines().length === 1);
  appendFileSync(outputFile, "two\n");
  await until(() => lines().length === 2);
  assert.deepEqual(
    lines().map((line) => line.split(" ")[0]),
    ["4", "8"],
  );
  const times = lines().map((line) => Number(line.split(" ")[1]));
  assert.ok((times[0] ?? 0) >= 1_000 && (times[1] ?? 0) > (times[0] ?? 0), times.join());
  // What came just before the end counts, too.
  appendFileSync(outputFile, "three\n");
  over.abort();
  await done;
  assert.equal(lines().at(-1)?.split(" ")[0], "14");
});

test("a cut file starts anew, and its times with it", async (t) => {
  const { outputFile, lines, until } = noting(t);
  appendFileSync(outputFile, "a long first line\n");
  await until(() => lines().length === 1);
  truncateSync(outputFile, 0);
  appendFileSync(outputFile, "x\n");
  await until(() => lines()[0]?.startsWith("2 ") === true);
  assert.equal(lines().length, 1);
});

test("a file of times that is too large keeps every second line and the last one", async (t) => {
  const many = Array.from({ length: 70_000 }, (_, index) => `${index} 1700000000000\n`).join("");
  const { outputFile, timesFile, lines, until } = noting(t, many);
  appendFileSync(outputFile, "x".repeat(100_000));
  await until(() => lines().length < 40_000);
  assert.ok(statSync(timesFile).size < 1 << 20);
  assert.deepEqual([lines().at(-1)?.split(" ")[0], lines().at(-2)], ["100000", "69998 1700000000000"]);
});

test("output that is gone ends the notes", async (t) => {
  const { outputFile, done, until } = noting(t);
  appendFileSync(outputFile, "x");
  rmSync(outputFile);
  let ended = false;
  void done.then(() => (ended = true));
  await until(() => ended);
});

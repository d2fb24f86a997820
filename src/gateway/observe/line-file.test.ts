import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger, SimClock, type Logger } from "#core";
import { LineFile } from "./line-file.ts";

interface World extends Disposable {
  readonly folder: string;
  readonly path: string;
  readonly clock: SimClock;
  readonly errors: string[];
  dropped: number;
  open(over?: { readonly path?: string; readonly rotates?: boolean; readonly bytesMax?: number }): LineFile;
}

function world(): World {
  const folder = mkdtempSync(join(tmpdir(), "eider-lines-"));
  const clock = new SimClock();
  const errors: string[] = [];
  const logger: Logger = { ...silentLogger, error: (message) => void errors.push(message) };
  const made: World = {
    folder,
    path: join(folder, "access.log"),
    clock,
    errors,
    dropped: 0,
    open: (over = {}) => new LineFile({ path: made.path, rotates: true, clock, logger, dropped: (lines) => void (made.dropped += lines), ...over }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
  return made;
}

/** Resolves once what was handed to the system is written. */
async function written(file: LineFile): Promise<void> {
  file.flush();
  await file.idle;
}

test("lines are gathered and appended whole", async () => {
  using at = world();
  const one = at.open();
  const other = at.open();
  for (let i = 0; i < 1_000; i++) {
    one.add(`one ${i} ${"x".repeat(200)}\n`);
    other.add(`other ${i} ${"y".repeat(200)}\n`);
  }
  await Promise.all([one.close(), other.close()]);
  const lines = readFileSync(at.path, "latin1").trimEnd().split("\n");
  assert.equal(lines.length, 2_000);
  assert.ok(lines.every((line) => /^one \d+ x{200}$|^other \d+ y{200}$/.test(line)));
  assert.equal(at.dropped, 0);
});

test("a file that was moved away is opened again, by all that write to it", async () => {
  using at = world();
  const file = at.open({ rotates: false });
  file.add("before\n");
  await written(file);
  renameSync(at.path, `${at.path}.old`);
  await at.clock.advance(1_000);
  file.add("after\n");
  await written(file);
  await file.close();
  assert.equal(readFileSync(`${at.path}.old`, "utf8"), "before\n");
  assert.equal(readFileSync(at.path, "utf8"), "after\n");
});

test("a full file is moved and three old ones are kept", async () => {
  using at = world();
  const file = at.open({ bytesMax: 10 });
  for (let i = 0; i < 6; i++) {
    file.add(`line number ${i}\n`);
    await written(file);
    await at.clock.advance(1_000);
  }
  await file.close();
  assert.deepEqual(readdirSync(at.folder).sort(), ["access.log", "access.log.1", "access.log.2", "access.log.3"]);
  assert.equal(readFileSync(`${at.path}.3`, "utf8"), "line number 2\n");
});

test("lines for a file that cannot be opened are dropped and counted, told once, and written once it can be", async () => {
  using at = world();
  const folder = join(at.folder, "missing");
  const file = at.open({ path: join(folder, "access.log") });
  for (let i = 0; i < 3; i++) {
    file.add("lost\n");
    await written(file);
    await at.clock.advance(1_000);
  }
  assert.equal(at.dropped, 3);
  assert.deepEqual(at.errors, ["log lines cannot be written"]);
  mkdirSync(folder);
  file.add("kept\n");
  await file.close();
  assert.equal(readFileSync(join(folder, "access.log"), "utf8"), "kept\n");
  assert.equal(at.dropped, 3);
});

test("a full disk drops lines and counts them", { skip: !existsSync("/dev/full") }, async () => {
  using at = world();
  const file = at.open({ path: "/dev/full", rotates: false });
  file.add("one\n");
  file.add("two\n");
  await written(file);
  file.add("three\n");
  await file.close();
  assert.equal(at.dropped, 3);
  assert.deepEqual(at.errors, ["log lines cannot be written"]);
});

test("what waits while the system is slow has a limit", async () => {
  using at = world();
  const file = at.open();
  const line = `${"x".repeat(1_023)}\n`;
  // The first piece is under way until this turn ends.
  for (let i = 0; i < 3_000; i++) file.add(line);
  assert.equal(at.dropped, 3_000 - 64 - 1_024);
  await file.close();
  assert.equal(readFileSync(at.path).length, (64 + 1_024) * 1_024);
});

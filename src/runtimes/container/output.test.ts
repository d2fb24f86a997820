import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { timesFileOf } from "../pod/log-times.ts";
import { copyOutput, OutputWriter, resumptionOf } from "./output.ts";

function fileFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "eider-output-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "0.log");
}

/** A line as `/logs?timestamps=1` frames it. */
function line(at: string, text: string, stream = 1): Buffer {
  const payload = Buffer.from(`${at} ${text}`);
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

const at = (second: number, fraction = ""): string => `2026-01-01T00:00:0${second}${fraction}Z`;
const ms = (second: number): number => Date.parse(at(second));

async function copy(file: string, chunks: readonly Buffer[], bytesMax?: number): Promise<OutputWriter> {
  const writer = new OutputWriter(file, bytesMax);
  await writer.resume();
  await copyOutput(Readable.from(chunks), writer, { tty: false });
  return writer;
}

test("both streams go into one file, with times beside it", async (t) => {
  const file = fileFor(t);
  await copy(file, [line(at(1, ".5"), "one\n"), line(at(1, ".501"), "two\n", 2), line(at(3), "three\n")]);
  assert.equal(readFileSync(file, "utf8"), "one\ntwo\nthree\n");
  assert.equal(readFileSync(timesFileOf(file), "utf8"), `8 ${ms(1) + 500}\n14 ${ms(3)}\n`);
});

test("the output of a terminal is cut at its lines", async (t) => {
  const file = fileFor(t);
  const writer = new OutputWriter(file);
  await writer.resume();
  const text = Buffer.from(`${at(1)} one\r\n${at(2)} two\r\n${at(2)} $ `);
  await copyOutput(Readable.from([text.subarray(0, 30), text.subarray(30)]), writer, { tty: true });
  assert.equal(readFileSync(file, "utf8"), "one\r\ntwo\r\n$ ");
});

test("after a restart nothing is missing and nothing is there twice, wherever the last reading broke off", async (t) => {
  // Podman tells whole seconds: several lines have the same time.
  const lines = [line(at(1), "a\n"), line(at(1), "b\n"), line(at(2), "c\n"), line(at(2), "d\n"), line(at(2), "e\n"), line(at(4), "f\n")];
  const seconds = [1, 1, 2, 2, 2, 4];
  for (let broken = 0; broken <= lines.length; broken++) {
    const file = fileFor(t);
    await copy(file, lines.slice(0, broken));
    const { sinceSeconds } = await new OutputWriter(file).resume();
    const from = seconds.findIndex((second) => ms(second) >= sinceSeconds * 1000);
    await copy(file, lines.slice(from));
    assert.equal(readFileSync(file, "utf8"), "a\nb\nc\nd\ne\nf\n", `broken off after ${broken}`);
  }
});

test("bytes whose time was not noted any more are not written again", async (t) => {
  const file = fileFor(t);
  const lines = [line(at(1), "a\n"), line(at(2), "b\n"), line(at(3), "c\n")];
  await copy(file, lines.slice(0, 1));
  const writer = new OutputWriter(file);
  await writer.resume();
  // A platform that is killed has written the bytes and has the last mark in its memory.
  writer.add({ atMs: ms(1), bytes: Buffer.from("a\n") });
  writer.add({ atMs: ms(2), bytes: Buffer.from("b\n") });
  await writer.flush();
  assert.deepEqual(await new OutputWriter(file).resume(), { sinceSeconds: ms(1) / 1000, skip: 4 });
  await copy(file, lines);
  assert.equal(readFileSync(file, "utf8"), "a\nb\nc\n");
});

test("a full file becomes the one before it", async (t) => {
  const file = fileFor(t);
  await copy(
    file,
    [1, 2, 3].map((second) => line(at(second), `${"x".repeat(9)}\n`)),
    15,
  );
  assert.equal(readFileSync(`${file}.1`, "utf8").length, 20);
  assert.equal(readFileSync(file, "utf8").length, 10);
  assert.match(readFileSync(timesFileOf(file), "utf8"), new RegExp(`^0 ${ms(2)}\n10 ${ms(3)}\n$`));
});

test("resumptionOf: the second of the last mark comes again, and what the file has of it is passed over", () => {
  assert.deepEqual(resumptionOf([], 0), { sinceSeconds: 0, skip: 0 });
  const marks = [
    { bytes: 10, atMs: 1_999 },
    { bytes: 20, atMs: 2_000 },
    { bytes: 30, atMs: 2_400 },
  ];
  assert.deepEqual(resumptionOf(marks, 35), { sinceSeconds: 2, skip: 25 });
});

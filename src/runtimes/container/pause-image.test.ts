import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pauseImage, pauseProgram } from "./pause-image.ts";

test("the program of both architectures is a file that says what it is, and no longer than it says", () => {
  for (const [architecture, machine, bytes] of [
    ["amd64", 62, 192],
    ["arm64", 183, 208],
  ] as const) {
    const file = pauseProgram(architecture);
    assert.deepEqual([file.subarray(0, 4).toString("latin1"), file.readUInt16LE(18), file.length], ["\x7fELF", machine, bytes]);
    assert.equal(file.readBigUInt64LE(96), BigInt(bytes));
  }
  assert.throws(() => pauseProgram("s390x"), /architecture s390x are not supported/);
});

const isHere = process.platform === "linux" && (process.arch === "x64" || process.arch === "arm64");

test("the program waits, without using a processor, until it is killed", { skip: !isHere && "no Linux of a known architecture" }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "eider-pause-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "pause");
  writeFileSync(path, pauseProgram(process.arch === "x64" ? "amd64" : "arm64"));
  chmodSync(path, 0o755);
  const child = spawn(path, { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
  // It sleeps once it has said that it ignores the end of children: bit 17 of SigIgn.
  const status = (): string => readFileSync(`/proc/${child.pid}/status`, "utf8");
  while (!/^State:\tS/m.test(status()) || !/^SigIgn:\t0000000000010000$/m.test(status())) await new Promise((resume) => setImmediate(resume));
  child.kill("SIGKILL");
  assert.equal(await ended, "SIGKILL");
});

test("the image is the same every time, and its name is of its content", async () => {
  const [one, two, other] = await Promise.all([pauseImage("amd64"), pauseImage("amd64"), pauseImage("arm64")]);
  assert.equal(one.name, two.name);
  assert.notEqual(one.name, other.name);
  const bytes = async (archive: ReturnType<typeof one.archive>): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  assert.deepEqual(await bytes(one.archive()), await bytes(two.archive()));
});

// Who uses the disk, and what happens at the budget's end.
import assert from "node:assert/strict";
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { SimClock } from "#core";
import { DiskBudget } from "./disk-budget.ts";
import { bytesText, diskUsage, totalOf, usageText, type DiskUsage } from "./disk-usage.ts";

test("diskUsage: each part by name, a file with two names once", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "eider-usage-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const put = (path: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), Buffer.alloc(1 << 20, 1));
  };
  const before = await diskUsage(root);
  for (const path of ["images/blobs/sha256/a", "images/unpacked/boot/x/file", "images/uploads/id/data", "store/store.db", "log/platform.log", "pods/p/out"])
    put(path);
  linkSync(join(root, "pods/p/out"), join(root, "pods/p/again"));
  const usage = await diskUsage(root);
  assert.equal(before.images, 0);
  for (const part of ["images", "unpacked", "uploads", "store", "logs", "pods"] as const)
    assert.ok(usage[part] >= 1 << 20 && usage[part] < 2 << 20, `${part} ${usage[part]}`);
  assert.ok(totalOf(usage) >= 6 << 20);
  assert.deepEqual(
    [bytesText(512), bytesText(1536), usageText({ ...before, other: 0, logs: 2048, images: 1 << 20 })],
    ["512 B", "1.5 KiB", "images 1.0 MiB, logs 2.0 KiB"],
  );
});

test("diskUsage: of files with several names beyond those that are remembered each name counts for its part", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "eider-usage-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const part of ["pods", "claims"]) mkdirSync(join(root, part));
  const before = await diskUsage(root);
  for (const name of ["a", "b", "c"]) {
    writeFileSync(join(root, "pods", name), Buffer.alloc(1 << 20, 1));
    linkSync(join(root, "pods", name), join(root, "claims", name));
  }
  for (const linkedMax of [3, 1, 0]) {
    const usage = await diskUsage(root, { linkedMax });
    const grown = (part: "pods" | "claims"): number => usage[part] - before[part];
    assert.equal(grown("pods") + grown("claims"), 3 << 20);
    // Of a file that is not remembered both parts have a half, of the others one has all.
    assert.ok(Math.min(grown("pods"), grown("claims")) >= ((3 - linkedMax) << 20) / 2);
  }
});

const none: DiskUsage = { images: 0, unpacked: 0, uploads: 0, store: 0, logs: 0, pods: 0, claims: 0, other: 0 };

test("near its end the budget asks for room once, at its end it refuses with who uses it, and room that was made counts", async () => {
  const clock = new SimClock();
  let usage = { ...none, images: 800 };
  let asked = 0;
  const budget = new DiskBudget({ bytesMax: 1_000, measure: async () => usage, clock, onShort: () => asked++ });
  await budget.measure();
  budget.mayGrow(50);
  assert.equal(asked, 0);
  budget.mayGrow(60);
  budget.mayGrow(60);
  assert.equal(asked, 1);
  assert.throws(() => budget.mayGrow(100), { reason: "NoSpace", message: /budget of 1000 B \(images 800 B\).*eider image prune/ });
  usage = { ...none, images: 100 };
  await clock.advance(5_000);
  assert.throws(() => budget.mayGrow(100), { reason: "NoSpace" });
  await budget.measure();
  budget.mayGrow(100);
  budget.mayGrow(750);
  assert.equal(asked, 2);
});

test("without a budget the disk is the limit", () => {
  const budget = new DiskBudget({ bytesMax: undefined, measure: async () => none, clock: new SimClock(), onShort: () => assert.fail("nothing is short") });
  budget.mayGrow(1e15);
});

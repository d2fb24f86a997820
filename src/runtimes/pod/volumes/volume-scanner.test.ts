// How much a volume holds, where files have several names: more of them than are remembered, too.
import assert from "node:assert/strict";
import { linkSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger, SimClock } from "#core";
import { VolumeScanner } from "./volume-scanner.ts";

const NAMES = 3;
const FILES = ["a", "b", "c", "d"];
const LOOK_MS = 30_000;

/** Files of one size with NAMES names each, in two folders; answers what the files take. */
function fill(root: string): number {
  mkdirSync(join(root, "deep"), { recursive: true });
  for (const file of FILES) {
    writeFileSync(join(root, file), Buffer.alloc(40 << 10, 1));
    for (let name = 1; name < NAMES; name++) linkSync(join(root, file), join(root, name % 2 === 0 ? "." : "deep", `${file}-${name}`));
  }
  return FILES.reduce((sum, file) => sum + lstatSync(join(root, file)).blocks * 512, lstatSync(join(root, "deep")).blocks * 512);
}

async function isEvicted(t: TestContext, path: string, { bytesMax, linkedMax }: { readonly bytesMax: number; readonly linkedMax: number }): Promise<boolean> {
  const clock = new SimClock();
  const over = new AbortController();
  t.after(() => over.abort());
  const scanner = new VolumeScanner({ clock, logger: silentLogger, linkedMax });
  const told: { evicted?: boolean } = {};
  let looks = 0;
  scanner.watch({
    // The second look begins when the first is over.
    get limitedVolumes() {
      if (++looks === 2) told.evicted ??= false;
      return [{ name: "v", path, bytesMax, limit: "1" }];
    },
    evict: () => void (told.evicted = true),
  });
  void scanner.run(over.signal);
  while (told.evicted === undefined) await clock.advance(LOOK_MS);
  return told.evicted;
}

for (const linkedMax of [FILES.length, FILES.length - 2, 0])
  test(`files with several names count once when ${linkedMax} of ${FILES.length} are remembered`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), "eider-scan-"));
    t.after(() => rmSync(root, { recursive: true }));
    const bytes = fill(root);
    assert.equal(await isEvicted(t, root, { bytesMax: bytes, linkedMax }), false);
    // Of each name's part, less than a byte is let go.
    assert.equal(await isEvicted(t, root, { bytesMax: bytes - NAMES * FILES.length - 1, linkedMax }), true);
  });

test("of a file with names outside of the volume counts the whole when it is remembered, else the part of the names inside, and never more", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "eider-scan-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const root = join(folder, "in");
  const bytes = fill(root);
  for (const file of FILES) linkSync(join(root, file), join(folder, file));
  assert.equal(await isEvicted(t, root, { bytesMax: bytes * 0.9, linkedMax: FILES.length }), true);
  assert.equal(await isEvicted(t, root, { bytesMax: bytes * 0.9, linkedMax: 0 }), false);
  assert.equal(await isEvicted(t, root, { bytesMax: bytes * 0.5, linkedMax: 0 }), true);
});

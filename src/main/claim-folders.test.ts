// Folders of claims: made for all users, removed with what is in them, and nothing else of the machine is.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { claimFolders } from "./claim-folders.ts";

test("a folder is open to all, keeps what is in it when it is made again, and goes with it; links out of it are not followed", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "eider-claims-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const folders = claimFolders(join(dir, "claims"));
  const path = join(folders.root, "pvc-1_ns_data");
  await folders.make(path);
  assert.equal(statSync(path).mode & 0o777, 0o777);
  mkdirSync(join(dir, "outside"));
  writeFileSync(join(dir, "outside/precious"), "x");
  symlinkSync(join(dir, "outside"), join(path, "link"));
  await folders.make(path);
  assert.ok(existsSync(join(path, "link")));
  for (const wrong of [folders.root, join(dir, "outside"), `${folders.root}/..`, `${folders.root}/../`, `${folders.root}/./`, join(path, "link"), "/"])
    await assert.rejects(folders.remove(wrong), /is no folder of a claim/, wrong);
  await folders.remove(path);
  await folders.remove(path);
  assert.deepEqual([existsSync(path), existsSync(join(dir, "outside/precious"))], [false, true]);
});

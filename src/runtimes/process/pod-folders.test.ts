// Who owns the folders of a pod: its user gets home and tmp, and nothing that root writes to or changes.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { SeededRng } from "#core";
import { podFolders } from "./pod-folders.ts";

const asRoot = process.getuid?.() === 0;

function foldersIn(t: TestContext, mode = 0o711) {
  const dir = mkdtempSync(join(tmpdir(), "eider-folders-"));
  chmodSync(dir, mode);
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return { dir, folders: podFolders({ dataDir: dir, asRoot, nodePath: process.execPath, rng: new SeededRng(1) }) };
}

const facts = (path: string) => ({ uid: statSync(path).uid, mode: (statSync(path).mode & 0o777).toString(8) });

test("a pod's user owns home and tmp; what is above them stays ours, so that no link can be put in their place", (t) => {
  const { folders } = foldersIn(t);
  const { home, tmp, user } = folders.prepare({ uid: "u1", namespace: "ns" }, "c");
  const own = { uid: user?.uid ?? process.getuid?.(), mode: "700" };
  assert.deepEqual([facts(home), facts(tmp)], [own, own]);
  const ours = { uid: process.getuid?.(), mode: "711" };
  assert.deepEqual([facts(dirname(home)), facts(dirname(dirname(home)))], [ours, ours]);
  assert.equal(user !== undefined, asRoot);
});

test("where other users cannot pass, pods run as the platform's own user", (t) => {
  const { folders } = foldersIn(t, 0o700);
  assert.deepEqual([folders.ownUsers, folders.prepare({ uid: "u1", namespace: "ns" }, "c").user], [false, undefined]);
});

test("output that the keeper writes, that of probes included, lies where pods' users cannot enter", (t) => {
  const { dir, folders } = foldersIn(t);
  for (const file of [folders.outputFile("u1", "c", 0), folders.probeFile("u1", "c")]) assert.ok(file.startsWith(join(dir, "logs", "u1", "c")));
  assert.deepEqual(facts(join(dir, "logs")), { uid: process.getuid?.(), mode: "700" });
});

// Who owns the folders of a pod: its user gets home and tmp, and nothing that root writes to or changes.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { SeededRng } from "#core";
import { podUsers } from "../keeper/pod-users.ts";
import { logFolders } from "../pod/log-folders.ts";
import { processFolders } from "./process-folders.ts";

const asRoot = process.getuid?.() === 0;

function foldersIn(t: TestContext, mode = 0o711) {
  const dir = mkdtempSync(join(tmpdir(), "eider-folders-"));
  chmodSync(dir, mode);
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const users = podUsers({ dataDir: dir, asRoot, nodePath: process.execPath });
  return { dir, users, folders: processFolders({ dataDir: dir, users, rng: new SeededRng(1) }) };
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
  const { folders, users } = foldersIn(t, 0o700);
  assert.deepEqual([users.own, folders.prepare({ uid: "u1", namespace: "ns" }, "c").user], [false, undefined]);
});

test("output that the keeper writes lies where pods' users cannot enter", (t) => {
  const { dir } = foldersIn(t);
  assert.equal(logFolders(dir).outputFile("u1", "c", 0), join(dir, "logs", "u1", "c", "0.log"));
  assert.deepEqual(facts(join(dir, "logs")), { uid: process.getuid?.(), mode: "700" });
});

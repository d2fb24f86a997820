// Marks in a file: what was promised is there after any end, and the file stays small.
import assert from "node:assert/strict";
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { MarksFile, MarksFolder } from "./marks-file.ts";

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "eider-marks-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
const all = async (path: string): Promise<unknown> => Object.fromEntries((await MarksFile.open<number>(path)).entries());

test("marks are on the disk once they are promised, and those that are gone are not", async (t) => {
  const path = join(await folderOf(t), "made", "marks");
  const marks = await MarksFile.open<number>(path);
  await Promise.all(["a", "b", "c"].map((key, at) => marks.set(key, at)));
  assert.deepEqual(await all(path), { a: 0, b: 1, c: 2 });
  void marks.delete("a");
  await marks.set("b", 7);
  await marks.delete("never");
  assert.deepEqual(await all(path), { b: 7, c: 2 });
  assert.equal(marks.get("b"), 7);
});

test("a file that ends anywhere holds what was written before, and the next one goes on from there", async (t) => {
  const path = join(await folderOf(t), "marks");
  const marks = await MarksFile.open<number>(path);
  await marks.set("a", 1);
  await marks.set("b", 2);
  await marks.delete("a");
  const text = await readFile(path, "utf8");
  const lines = text.split("\n").slice(1, -1);
  assert.deepEqual(lines, ['["a",1]', '["b",2]', '["a"]']);
  const states = [{}, { a: 1 }, { a: 1, b: 2 }, { b: 2 }];
  const head = text.indexOf("\n") + 1;
  for (let length = head; length <= text.length; length++) {
    const cut = text.slice(0, length);
    await writeFile(path, cut);
    const state = states[cut.split("\n").length - 2];
    assert.deepEqual(await all(path), state, `${length} octets`);
    await (await MarksFile.open<number>(path)).set("z", 9);
    assert.deepEqual(await all(path), { ...state, z: 9 }, `${length} octets, written on`);
  }
  await writeFile(path, `${text.slice(0, head)}["a",1]\n\0\0\0\n["b",2]\n`);
  assert.deepEqual(await all(path), { a: 1 });
});

test("a file of the first format is read, one of a newer format is refused", async (t) => {
  const path = join(await folderOf(t), "marks");
  await writeFile(path, JSON.stringify({ format: 1, marks: { a: 1 } }));
  const marks = await MarksFile.open<number>(path);
  await marks.set("b", 2);
  assert.deepEqual(await all(path), { a: 1, b: 2 });
  await writeFile(path, (await readFile(path, "utf8")).replace('"format":2', '"format":3'));
  await assert.rejects(MarksFile.open(path), /has format 3, and 2 is read here/);
});

test("marks that change all the time leave a small file", async (t) => {
  const path = join(await folderOf(t), "marks");
  const marks = await MarksFile.open<number>(path);
  const keys = Array.from({ length: 50 }, (_, at) => `key-${at}`);
  let most = 0;
  for (let round = 0; round < 50; round++) {
    await Promise.all(keys.map((key) => marks.set(key, round)));
    most = Math.max(most, (await readFile(path, "utf8")).split("\n").length);
  }
  assert.ok(most > 1_000 && most <= 1_102, String(most));
  assert.deepEqual(await all(path), Object.fromEntries(keys.map((key) => [key, 49])));
});

/** Tells of each sync of a folder, before it is made. */
async function onFolderSync(t: TestContext, tell: (inode: number) => Promise<void>): Promise<void> {
  const probe = await open(tmpdir());
  const handles = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  const { sync } = handles;
  handles.sync = async function (this: FileHandle) {
    const { ino } = await this.stat();
    await tell(ino);
    return sync.call(this);
  };
  t.after(() => void (handles.sync = sync));
}

test("a file that is moved into place is found there after a power cut: its folder is synced before anything is promised, and what holds a new folder, too", async (t) => {
  const top = await folderOf(t);
  const path = join(top, "made", "deep", "marks");
  const synced: { readonly inode: number; readonly names: readonly string[]; readonly isPromised: boolean }[] = [];
  let isPromised = false;
  await onFolderSync(t, async (inode) => void synced.push({ inode, names: await readdir(dirname(path)), isPromised }));
  const marks = await MarksFile.open<number>(path);
  await marks.set("a", 1);
  isPromised = true;
  const inodes = await Promise.all([dirname(path), join(top, "made"), top].map(async (folder) => (await stat(folder)).ino));
  assert.deepEqual(
    synced,
    inodes.map((inode) => ({ inode, names: ["marks"], isPromised: false })),
  );
  await marks.set("a", 2);
  assert.equal(synced.length, 3, "a line behind the others moves nothing");
  for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 1_000 }, (_, at) => marks.set(`key-${at}`, round)));
  assert.ok(synced.length > 3 && synced.slice(3).every(({ inode }) => inode === inodes[0]));
});

test("after a failure of the disk the next write has all that was to be written", async (t) => {
  const folder = await folderOf(t);
  const path = join(folder, "made", "marks");
  await writeFile(join(folder, "made"), "in the way");
  const marks = await MarksFile.open<number>(path).catch(() => undefined);
  assert.equal(marks, undefined);
  await rm(join(folder, "made"));
  const later = await MarksFile.open<number>(path);
  await writeFile(join(folder, "made"), "in the way");
  await assert.rejects(later.set("a", 1));
  await rm(join(folder, "made"));
  await later.set("b", 2);
  assert.deepEqual(await all(path), { a: 1, b: 2 });
});

test("a folder of marks: each owner has its own, and leaves nothing", async (t) => {
  const shelf = new MarksFolder<number>(join(await folderOf(t), "made"));
  assert.deepEqual(await shelf.owners(), []);
  await (await shelf.open("one")).set("a", 1);
  await (await shelf.open("two")).set("a", 2);
  assert.deepEqual([...(await shelf.owners())].sort(), ["one", "two"]);
  await shelf.remove("one");
  await shelf.remove("none");
  const left = await Promise.all(["one", "two"].map(async (owner) => [...(await shelf.open(owner)).entries()]));
  assert.deepEqual(left, [[], [["a", 2]]]);
});

// A disk that is full, on a loop device: the store says so and lives.
import assert from "node:assert/strict";
import { execFileSync, fork, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openForWriting } from "./database.ts";

const DISK_BYTES = 16 << 20;
const MKFS = "mkfs.ext4";

/** Blocks of 1 KiB, as mkfs gives them to small disks: SQLite reserves one in four. */
function whyNot(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs Linux and root";
  if (spawnSync(MKFS, ["-V"]).status !== 0) return `${MKFS} is not on the PATH`;
  return false;
}

const skip = whyNot();
const folder = mkdtempSync(join(tmpdir(), "eider-full-"));
const disk = join(folder, "disk");
const at = join(folder, "at");
const filler = join(at, "filler");
let mounted = false;

before((t) => {
  if (skip !== false) return;
  writeFileSync(disk, "");
  truncateSync(disk, DISK_BYTES);
  execFileSync(MKFS, ["-q", "-m", "0", "-b", "1024", disk]);
  execFileSync("mkdir", [at]);
  mounted = spawnSync("mount", ["-o", "loop", disk, at]).status === 0;
  if (!mounted) (t as { diagnostic(line: string): void }).diagnostic("no loop device can be mounted here");
});

after(() => {
  if (mounted) execFileSync("umount", [at]);
  rmSync(folder, { recursive: true, force: true });
});

/** At a word it opens the store's file, at the next it writes until it is refused; answers by what. */
const WRITER = `
  import { DatabaseSync } from "node:sqlite";
  import { openForWriting } from ${JSON.stringify(new URL("database.ts", import.meta.url).href)};
  const [path, way] = process.argv.slice(2);
  let db;
  const words = {
    open() { db = way === "plain" ? new DatabaseSync(path) : openForWriting(path).db; },
    write() {
      const put = db.prepare("INSERT INTO objects VALUES (?, 1, ?, NULL)");
      for (let i = 0; ; i++) put.run("/more/" + i, "x");
    },
  };
  process.on("message", (word) => {
    try { words[word](); process.send("done"); } catch (error) { process.send(error.message); }
  });
`;

class Writer {
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;

  constructor(name: string, way: "ours" | "plain") {
    const script = join(folder, "writer.mts");
    writeFileSync(script, WRITER);
    this.#child = fork(script, [join(at, name), way], { execArgv: [...process.execArgv, "--conditions=source"] });
    this.#ended = once(this.#child, "exit").then(([code, signal]) => String(signal ?? code));
  }

  /** What it answers, or the signal that ended it. */
  told(word: "open" | "write"): Promise<string> {
    const answer = once(this.#child, "message").then(([text]) => String(text));
    this.#child.send(word);
    return Promise.race([answer, this.#ended]);
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

/** But for so much. What the disk had set aside for its own books is free again once all is written. */
function fill(leftBytes: number): void {
  const fd = openSync(filler, "w");
  const taken = (): boolean => {
    try {
      writeSync(fd, Buffer.alloc(1024));
      return true;
    } catch {
      return false;
    }
  };
  try {
    for (let more = taken(); more; more = taken()) {
      while (taken());
      fsyncSync(fd);
    }
    ftruncateSync(fd, fstatSync(fd).size - leftBytes);
  } finally {
    closeSync(fd);
  }
}

test("a disk that fills up while the store is open is an error of the write, not the end of the process", { skip }, async (t) => {
  if (!mounted) return t.skip("no loop device can be mounted here");
  const writer = new Writer("open.db", "ours");
  assert.equal(await writer.told("open"), "done");
  fill(0);
  assert.match(await writer.told("write"), /disk is full/);
  await writer.end();
});

/** Enough for SQLite to begin with, and not for its index: 8 KiB of that, a log with the first row, and then there is no block. */
const LITTLE_BYTES = 24 << 10;

for (const { name, way, says } of [
  { name: "a store is not opened on a disk that has no room for its index", way: "ours", says: /^ENOSPC/ },
  { name: "planted: without reserved blocks that is the end of the process", way: "plain", says: /^SIGBUS$/ },
] as const) {
  test(name, { skip }, async (t) => {
    if (!mounted) return t.skip("no loop device can be mounted here");
    rmSync(filler, { force: true });
    openForWriting(join(at, `${way}.db`)).close();
    fill(LITTLE_BYTES);
    const writer = new Writer(`${way}.db`, way);
    const opened = await writer.told("open");
    assert.match(opened === "done" ? await writer.told("write") : opened, says);
    await writer.end();
  });
}

// A power cut at any moment loses nothing that was acknowledged: copies of the store as of random syncs, whole and torn.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { below, SeededRng, type Rng } from "#core";
import type { ControlToStore } from "#protocol";
import type { RecordedWrite } from "./kill-facts.ts";
import { findProgram, root } from "./platform.ts";
import { filesOf, openPicture, openStore, isCheckpoint, picturesOf, type Commit, type Cut, type Hook, type Neighbours } from "./power-cut.ts";

const dir = mkdtempSync(join(tmpdir(), "eider-cut-"));
after(() => rmSync(dir, { recursive: true }));

const WRITERS = 6;
const WRITES = 200;
const KEYS = 12;
/** Neighbours of one run that are looked at beside those at a checkpoint, drawn from all. */
const LOOKED_AT = 14;

interface Run {
  readonly drawn: readonly Neighbours[];
  readonly commits: number;
  readonly checkpoints: number;
}

/** How late a faulty writer is. */
const COMMITS_BEHIND = 4;

interface Fault {
  /** Tells the control side that a batch is on disk when it has only been asked for, and commits some batches later. */
  readonly acknowledgeEarly?: boolean;
}

/** Writers at work on a store; a cut is taken at every answer of the writer. */
async function run(path: string, rng: Rng, { acknowledgeEarly = false }: Fault = {}): Promise<Run> {
  const state = new Map<string, string>();
  const writes: { write: RecordedWrite }[] = [];
  const checkpoints: Neighbours[] = [];
  const drawn: Neighbours[] = [];
  let recent: Cut[] = [];
  let revision = 0;
  let commits = 0;
  const cut = (): void => {
    commits++;
    recent = [...recent.slice(-2), { ...filesOf(path), state: new Map(state), writes: writes.map(({ write }) => write), revision }];
    const [before, now, next] = recent;
    if (before === undefined || now === undefined || next === undefined) return;
    if (isCheckpoint({ before, now, next })) checkpoints.push({ before, now, next });
    // A fair draw of a few of the others: all would not fit into memory.
    const place = drawn.length < LOOKED_AT ? drawn.length : below(rng, commits);
    if (place < LOOKED_AT) drawn[place] = { before, now, next };
  };
  const beforeAnswer: Hook = (message, send) => {
    if (message.type !== "committed") return send(message);
    if (acknowledgeEarly) return;
    cut();
    send(message);
  };
  const held: ControlToStore[] = [];
  const onRequest: Commit = (message, { pass, send }) => {
    held.push(message);
    if (message.type === "commit") {
      if (acknowledgeEarly) {
        cut();
        send({ type: "committed", batch: message.batch });
      }
      for (const { key, value } of message.rows) {
        if (value === undefined) state.delete(key);
        else state.set(key, value.replace(/x*$/, ""));
      }
    }
    if (!acknowledgeEarly || held.length > COMMITS_BEHIND || message.type === "close") held.splice(0).forEach(pass);
  };
  const store = await openStore(path, { beforeAnswer, onRequest });
  const writer = async (name: number): Promise<void> => {
    for (let count = 0; count < WRITES; count++) {
      const key = `/w${name}/${below(rng, KEYS)}`;
      const value = below(rng, 6) === 0 && state.has(key) ? undefined : `${count}:${below(rng, 6_000)}`;
      const durability = below(rng, 4) === 0 ? "rebuildable" : "durable";
      const entry: { write: RecordedWrite } = { write: { key, value, outcome: "unknown" } };
      writes.push(entry);
      const encode = (): string => (value === undefined ? "" : value.padEnd(200 + Number(value.split(":")[1]), "x"));
      const operation = { key, expect: "any", durability, encode } as const;
      const written = await (value === undefined ? store.delete(operation) : store.put(operation));
      revision = Math.max(revision, store.revision);
      if (durability === "durable") entry.write = { ...entry.write, outcome: written.ok ? "acknowledged" : "rejected" };
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, name) => writer(name)));
  await store.close();
  return { drawn: [...checkpoints, ...drawn], commits, checkpoints: checkpoints.length };
}

/** All complaints about the pictures of a run, and how many there were. */
async function lookAt({ drawn }: Run, rng: Rng): Promise<{ readonly complaints: string[]; readonly pictures: string[] }> {
  const complaints: string[] = [];
  const pictures: string[] = [];
  for (const picture of drawn.flatMap((neighbours) => picturesOf(neighbours, rng))) {
    pictures.push(picture.name);
    complaints.push(...(await openPicture(picture, join(dir, `${pictures.length}-${rng.uint32()}`))));
  }
  return { complaints, pictures };
}

const first = Number(process.env["KILL_SEED"] ?? Date.now() % 1_000_000);
for (const seed of [first, first + 1, first + 2]) {
  test(`every picture of a power cut opens and holds what was acknowledged`, async (t) => {
    t.diagnostic(`seed ${seed} (repeat with KILL_SEED)`);
    const rng = new SeededRng(seed);
    const recorded = await run(join(dir, `run-${seed}.db`), rng);
    const { complaints, pictures } = await lookAt(recorded, rng);
    t.diagnostic(`${recorded.commits} commits, ${recorded.checkpoints} at checkpoints, ${pictures.length} pictures, ${new Set(pictures).size} sorts`);
    assert.deepEqual(complaints, [], `seed ${seed}`);
    assert.ok(recorded.checkpoints > 0, "no checkpoint was looked at");
    assert.ok(pictures.length >= 3 * 10, `only ${pictures.length} pictures were looked at`);
  });
}

test("planted fault: a writer that acknowledges before it commits is found out", async () => {
  const rng = new SeededRng(1);
  const { complaints } = await lookAt(await run(join(dir, "early.db"), rng, { acknowledgeEarly: true }), rng);
  assert.ok(
    complaints.some((text) => /lost write/.test(text)),
    complaints.join("\n"),
  );
});

/** Acknowledgements in a trace of system calls with bytes in the log that no sync has followed. */
function unsynced(trace: string): { readonly complaints: string[]; readonly acknowledged: number } {
  const complaints: string[] = [];
  let acknowledged = 0;
  let dirty = false;
  // A call of one thread during which another thread calls is told in two lines.
  const syncing = new Set<string>();
  for (const line of trace.split("\n")) {
    const thread = /^\d+/.exec(line)?.[0] ?? "";
    if (/pwrite64\(\d+<[^>]*-wal>/.test(line)) dirty = true;
    else if (/f(data)?sync\(\d+<[^>]*-wal>\)\s+= 0/.test(line)) dirty = false;
    else if (/f(data)?sync\(\d+<[^>]*-wal> <unfinished/.test(line)) syncing.add(thread);
    else if (/<\.\.\. f(data)?sync resumed>/.test(line) && syncing.delete(thread) && /= 0\s*$/.test(line)) dirty = false;
    const said = /write\(1<[^>]*>, "(acknowledged \d+)/.exec(line);
    if (said === null) continue;
    acknowledged++;
    if (dirty) complaints.push(`${said[1]} before its sync`);
  }
  return { complaints, acknowledged };
}

const strace = findProgram("strace");
test("by its system calls the log is synced before each acknowledgement", { skip: strace === undefined && "strace is not on the PATH" }, () => {
  const file = join(dir, "trace");
  const program = [
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    "--conditions=source",
    join(root, "test/e2e/acknowledge-writes.ts"),
    join(dir, "traced.db"),
  ];
  const ran = spawnSync(strace ?? "", ["-f", "-y", "-o", file, "-e", "trace=pwrite64,fsync,fdatasync,write", ...program], { encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stderr);
  assert.deepEqual(unsynced(readFileSync(file, "utf8")), { complaints: [], acknowledged: 20 });
});

test("planted fault: an acknowledgement before the sync is found in the calls", () => {
  const write = 'pwrite64(20</d/store.db-wal>, "x", 24, 32) = 24';
  const said = 'write(1<pipe:[1]>, "acknowledged 0\\n", 15) = 15';
  assert.equal(unsynced([write, said, "fdatasync(20</d/store.db-wal>) = 0"].join("\n")).complaints.length, 1);
  assert.equal(unsynced([write, "fdatasync(20</d/store.db-wal>) = 0", said].join("\n")).complaints.length, 0);
  assert.equal(unsynced([write, "fdatasync(20</d/store.db-wal>) = -1 EIO", said].join("\n")).complaints.length, 1);
  assert.equal(unsynced([write, "fdatasync(21</d/store.db>) = 0", said].join("\n")).complaints.length, 1);
  const [begun, ended] = ["7 fdatasync(20</d/store.db-wal> <unfinished ...>", "7 <... fdatasync resumed>) = 0"];
  assert.equal(unsynced([write, begun, ended, said].join("\n")).complaints.length, 0);
  assert.equal(unsynced([write, begun, said, ended].join("\n")).complaints.length, 1);
  assert.equal(unsynced([write, begun, "8 <... fdatasync resumed>) = 0", said].join("\n")).complaints.length, 1);
});

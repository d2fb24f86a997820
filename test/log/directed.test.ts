// Accidents that chance does not bring about in a model's short life: each is arranged, and each planted fault must show.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRng, silentLogger, SimClock } from "#core";
import type { Log, Stream } from "#log";
import { codeWith, type Fault } from "./faulty.ts";
import type { Code } from "./model.ts";
import { SimDisk } from "./sim-disk.ts";

const SEEDS = 40;
const ALLOCATE_BYTES = 1_024;
const HEAD_BYTES = 32;

const open = (code: Code, disk: SimDisk): Promise<Log> =>
  code.openLog({ disk, clock: new SimClock(), logger: silentLogger, limits: { segmentBytes: 100_000, allocateBytes: ALLOCATE_BYTES } });

/** Of a frame of so many octets. */
const record = (name: string, frameBytes: number): { value: Buffer } => ({ value: Buffer.alloc(frameBytes - HEAD_BYTES, name) });

async function names(stream: Stream): Promise<string> {
  const { found } = await stream.search({ limit: 100 }, new AbortController().signal);
  return found.map(({ value }) => String.fromCharCode(value[0] ?? 0)).join("");
}

/** A record in the middle is torn; the one behind it is whole, and begins where its successor will end. */
async function tornEnd(code: Code, seed: number): Promise<string> {
  const disk = new SimDisk(new SeededRng(seed));
  const log = await open(code, disk);
  const stream = await log.stream("a");
  const offsets = await stream.appendAll([record("A", 500), record("B", 600), record("C", 700)]);
  await log.close();
  disk.flip("0000000000000000.log", (offsets[1] ?? 0) + 100);
  const second = await open(code, disk);
  await (await second.stream("a")).append(record("D", 600));
  await second.close();
  return names(await (await open(code, disk)).stream("a"));
}

/** A write fails and leaves what it had; later writes end where a frame of it begins, behind the zeros that they bring along. */
async function failedWrite(code: Code, seed: number): Promise<string> {
  const disk = new SimDisk(new SeededRng(seed));
  const stream = await (await open(code, disk)).stream("a");
  await stream.append(record("A", 500));
  disk.faults = { failOneIn: 1 };
  await assert.rejects(stream.appendAll([record("B", 600), record("C", ALLOCATE_BYTES), record("D", 300)]), { reason: "disk" });
  disk.faults = {};
  await stream.append(record("E", 600));
  await stream.append(record("F", ALLOCATE_BYTES));
  disk.cutNow();
  return names(await (await open(code, disk.afterCut())).stream("a"));
}

const accidents: readonly {
  readonly name: string;
  readonly run: (code: Code, seed: number) => Promise<string>;
  readonly want: string;
  readonly fault: Fault;
  readonly shows: string;
}[] = [
  {
    name: "what lies behind a torn end never comes back",
    run: tornEnd,
    want: "AD",
    fault: { file: "recover", find: "  if (!torn) return size;\n", put: "  if (end > base) return size;\n" },
    shows: "ADC",
  },
  {
    name: "what a failed write left never comes back",
    run: failedWrite,
    want: "AEF",
    fault: { file: "journal", find: "      await file.truncate(this.#durable - last.base);\n", put: "" },
    shows: "AEFD",
  },
];

for (const { name, run, want, fault, shows } of accidents) {
  const results = async (code: Code): Promise<Set<string>> => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) seen.add(await run(code, seed));
    return seen;
  };
  test(name, async () => {
    assert.deepEqual([...(await results(await codeWith()))], [want]);
  });
  test(`${name}: the planted fault shows`, async () => {
    const seen = await results(await codeWith(fault));
    assert.ok(seen.has(shows), [...seen].join(" "));
  });
}

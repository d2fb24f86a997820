// Lives of the log on a disk that loses what was not synced; and the faults that this must find. `npm run fuzz -- log` runs more seeds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { codeWith, type Fault } from "./faulty.ts";
import { failing } from "./model.ts";

test("no acknowledged record is lost, none invented, order and cursors hold, wherever the power goes", async () => {
  assert.equal(await failing(await codeWith(), { from: 1, count: 300 }), undefined);
});

const WRITE = "      await file.write(buffers, from - segment.base);\n";

const faults: readonly (Fault & { readonly name: string; readonly shows: RegExp })[] = [
  { name: "writes are not synced", file: "segments", find: "create: true, synced: true", put: "create: true, synced: false", shows: /lost/ },
  { name: "records are acknowledged before they are on the disk", file: "journal", find: WRITE, put: `      this.#advance(until);\n${WRITE}`, shows: /lost/ },
  { name: "a new file's name is not synced", file: "segments", find: "    await this.#disk.syncFolder();\n", put: "", shows: /lost|dropped/ },
  {
    name: "the checksum is not looked at",
    file: "frame",
    find: " || crc32(from.subarray(at + 8, at + length)) !== from.readUInt32LE(at + 4)",
    put: "",
    shows: /never appended|has other keys|JSON|out of range|comes behind/,
  },
  {
    name: "a segment without its checkpoint counts",
    file: "recover",
    find: "if (scanned.body !== undefined) {",
    put: "if (scanned.end > base) {",
    shows: /lost|never/,
  },
  {
    name: "a new segment forgets the cursors",
    file: "state",
    find: "    for (const cursor of this.cursors.values()) yield",
    put: "    for (const cursor of []) yield",
    shows: /cursor .* is lost/,
  },
  {
    name: "what is in flight is written as finished",
    file: "cursor",
    find: "    this.#changed.add(offset);\n    this.#inFlight++;\n",
    put: "    this.#inFlight++;\n",
    shows: /which was not so/,
  },
  {
    name: "a cursor that follows writes its place without what is open below it",
    file: "cursor",
    find: "const offsets = [...this.#open.keys()].filter((offset) => offset < next);",
    put: "const offsets = [...this.#open.keys()].filter((offset) => offset < this.#next);",
    shows: /which was not so/,
  },
  { name: "what a cursor has not come to is dropped", file: "retention-plan", find: "end > from || ", put: "", shows: /lost/ },
  { name: "what is open is dropped with its segment", file: "retention-plan", find: " || bases.has(base)", put: "", shows: /lost|dropped/ },
  {
    name: "what is finished is dropped before the disk knows it",
    file: "retention",
    find: "    if (plan().length === 0) return;\n    await sync();\n",
    put: "    if (plan().length === 0) return;\n",
    shows: /dropped/,
  },
  { name: "a cursor's lost changes are not written again", file: "log", find: "      this.#unknown.add(cursor);\n", put: "", shows: /which was not so/ },
];

for (const { name, shows, ...fault } of faults) {
  test(`the model finds it when ${name}`, async () => {
    assert.match((await failing(await codeWith(fault), { from: 1, count: 2_000 })) ?? "nothing was found", shows);
  });
}

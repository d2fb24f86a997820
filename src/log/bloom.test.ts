import assert from "node:assert/strict";
import { test } from "node:test";
import { Bloom } from "./bloom.ts";

test("a filter never denies what was added, however it is folded, and seldom affirms what was not", () => {
  for (const entries of [10, 1_000, 20_000]) {
    const filter = new Bloom(new Uint8Array(1 << 16));
    const entry = (number: number): Buffer => Buffer.from(`id=${number}`);
    for (let number = 0; number < entries; number++) filter.add(entry(number), 3);
    const folded = filter.folded();
    assert.ok(folded.octets.length <= Math.max(64, entries * 4), `${folded.octets.length} octets for ${entries} entries`);
    for (let number = 0; number < entries; number++) assert.ok(folded.mayHave(entry(number), 3));
    let wrong = 0;
    for (let number = 0; number < 10_000; number++) if (folded.mayHave(entry(number), 4) || folded.mayHave(entry(entries + number), 3)) wrong++;
    assert.ok(wrong < 600, `${wrong} of 10,000 with ${entries} entries`);
  }
});

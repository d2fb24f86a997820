// The machine's own chance.
import { randomFillSync } from "node:crypto";
import type { Rng } from "#core";

/** Of a block: asking for one costs as much as a thousand of them. */
const WORDS = 2_048;

/** Cryptographic randomness, drawn in blocks. */
export function createSystemRng(): Rng {
  const block = new Uint32Array(WORDS);
  let used = block.length;
  return {
    uint32() {
      if (used === block.length) {
        randomFillSync(block);
        used = 0;
      }
      return block[used++] ?? 0;
    },
  };
}

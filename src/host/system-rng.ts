// The machine's own chance.
import { randomFillSync } from "node:crypto";
import type { Rng } from "#core";

/** Cryptographic randomness, drawn in blocks. */
export function createSystemRng(): Rng {
  const block = new Uint32Array(256);
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

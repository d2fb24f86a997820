// Percent split without chance: over any 100 consecutive requests each share gets exactly its percent.
import { assert } from "#core";

/**
 * The order in which shares take turns: `sum(weights)` entries, each index `weights[index]` times, spread as evenly as can be
 * (each step the share that is furthest behind). Any window of that length in its endless repetition is exact.
 */
export function splitSequence(weights: readonly number[]): Uint8Array {
  const sum = weights.reduce((a, b) => a + b, 0);
  assert(weights.length > 0 && weights.length <= 256 && sum > 0 && sum <= 10_000, "a split has 1 to 256 shares with a positive sum");
  const credit = weights.map(() => 0);
  return Uint8Array.from({ length: sum }, () => {
    let ahead = 0;
    for (let i = 0; i < weights.length; i++) {
      credit[i] = (credit[i] ?? 0) + (weights[i] ?? 0);
      if ((credit[i] ?? 0) > (credit[ahead] ?? 0)) ahead = i;
    }
    credit[ahead] = (credit[ahead] ?? 0) - sum;
    return ahead;
  });
}

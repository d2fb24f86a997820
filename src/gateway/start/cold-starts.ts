// Where the time of cold starts goes, over all revisions of this thread: a histogram a part.
import { PARTS } from "./receipt.ts";

/** Upper bounds in seconds; the last bucket has none. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

export class ColdStarts {
  /** Per part, and last for the total: how many fell into each bucket, and their sum in seconds. */
  readonly #series = [...PARTS, "total"].map((part) => ({ part, counts: Array.from({ length: BOUNDS.length + 1 }, () => 0), sum: 0 }));

  /** `parts` in milliseconds, as a receipt has them. */
  record(parts: readonly number[]): void {
    const total = parts.reduce((sum, ms) => sum + ms, 0);
    for (const [index, series] of this.#series.entries()) {
      const seconds = (parts[index] ?? total) / 1000;
      const bucket = BOUNDS.findIndex((bound) => seconds <= bound);
      const at = bucket < 0 ? BOUNDS.length : bucket;
      series.counts[at] = (series.counts[at] ?? 0) + 1;
      series.sum += seconds;
    }
  }

  /** Sample name with labels → value; none before the first cold start. */
  samples(): Record<string, number> {
    const samples: Record<string, number> = {};
    for (const { part, counts, sum } of this.#series) {
      let below = 0;
      for (const [index, count] of counts.entries()) {
        below += count;
        samples[`eider_gateway_cold_start_seconds_bucket{part="${part}",le="${BOUNDS[index] ?? "+Inf"}"}`] = below;
      }
      if (below === 0) return {};
      samples[`eider_gateway_cold_start_seconds_sum{part="${part}"}`] = sum;
      samples[`eider_gateway_cold_start_seconds_count{part="${part}"}`] = below;
    }
    return samples;
  }
}

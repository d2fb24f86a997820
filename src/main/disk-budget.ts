// The disk budget of the data folder: near its end the image store is collected, at its end nothing is pushed or pulled any more.
import type { Clock } from "#core";
import { ImageError } from "#images";
import { bytesText, totalOf, usageText, type DiskUsage } from "./disk-usage.ts";

/** From here on pulled images that nobody needs go. */
const NEARLY_FULL = 0.9;
/** A folder that is full is measured again at most this often: somebody may have made room. */
const MEASURE_MS = 5_000;

export interface DiskBudgetOptions {
  /** Undefined: the disk is the limit. */
  readonly bytesMax: number | undefined;
  readonly measure: () => Promise<DiskUsage>;
  readonly clock: Clock;
  /** Called when it is nearly full, once a measurement. */
  readonly onShort: () => void;
}

export class DiskBudget {
  readonly #options: DiskBudgetOptions;
  #usage: DiskUsage | undefined;
  #used = 0;
  #measuredMs = -Infinity;
  #measuring: Promise<void> | undefined;
  #told = false;

  constructor(options: DiskBudgetOptions) {
    this.#options = options;
  }

  /** Counts bytes that are about to be written. Throws ImageError `NoSpace`. */
  mayGrow(bytes: number): void {
    const { bytesMax, clock } = this.#options;
    if (bytesMax === undefined) return;
    if (this.#used + bytes > bytesMax * NEARLY_FULL) {
      if (!this.#told) this.#options.onShort();
      this.#told = true;
      if (clock.monotonicMs() - this.#measuredMs >= MEASURE_MS) void this.measure();
    }
    if (this.#used + bytes <= bytesMax) {
      this.#used += bytes;
      return;
    }
    const who = this.#usage === undefined ? "" : ` (${usageText(this.#usage)})`;
    throw new ImageError(
      "NoSpace",
      `the data folder has used up its disk budget of ${bytesText(bytesMax)}${who}: remove images with eider image remove and eider image prune, or raise --disk-budget`,
    );
  }

  /** Looks at the disk anew; what is written while it looks may be counted twice until the next time. */
  measure(): Promise<void> {
    if (this.#options.bytesMax === undefined) return Promise.resolve();
    this.#measuring ??= this.#measure().finally(() => (this.#measuring = undefined));
    return this.#measuring;
  }

  async #measure(): Promise<void> {
    const { measure, clock, bytesMax = Infinity } = this.#options;
    this.#measuredMs = clock.monotonicMs();
    this.#usage = await measure();
    this.#used = totalOf(this.#usage);
    if (this.#used < bytesMax * NEARLY_FULL) this.#told = false;
  }
}

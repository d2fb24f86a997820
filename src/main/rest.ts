// What the platform does once it has come to rest: gives back the memory that its work has left as garbage.
import type { Clock } from "#core";

const LOOK_EVERY_MS = 10_000;

export interface RestOptions {
  readonly clock: Clock;
  /** A count that grows with the work done. */
  readonly work: () => number;
  readonly atRest: () => void;
}

/** Calls `atRest` once after each stretch of work, when nothing was done between two looks. */
export async function watchRest({ clock, work, atRest }: RestOptions, signal: AbortSignal): Promise<void> {
  let seen = -1;
  let rested = -1;
  while (!signal.aborted) {
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    const now = work();
    if (!signal.aborted && now === seen && now !== rested) {
      rested = now;
      atRest();
    }
    seen = now;
  }
}

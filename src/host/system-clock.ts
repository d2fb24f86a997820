// The machine's own clocks.
import { performance } from "node:perf_hooks";
import type { Clock } from "#core";

/** The longest delay that a timer of Node takes; longer sleeps are slept in parts. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Tries to look at two clocks at once, and how little may lie between. */
const LOOKS = 100;
const APART_MS = 0.002;

/** Each thread counts from its own start; with this added, moments of different threads compare. */
const STARTED_MS = startedMs();

export const systemClock: Clock = {
  monotonicMs: () => STARTED_MS + performance.now(),
  wallMs: () => Date.now(),
  async sleep(ms, signal) {
    let left = Math.max(0, ms);
    do {
      const part = Math.min(left, TIMER_MS_MAX);
      await sleepOnce(part, signal);
      left -= part;
    } while (left > 0);
  },
};

function sleepOnce(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** By the machine's own clock. A thread that is put aside between two looks, which a busy machine does, would be wrong for as long as it lives. */
function startedMs(): number {
  let closest = Infinity;
  let started = 0;
  for (let look = 0; look < LOOKS && closest > APART_MS; look++) {
    const before = performance.now();
    const machineMs = Number(process.hrtime.bigint()) / 1e6;
    const after = performance.now();
    if (after - before >= closest) continue;
    closest = after - before;
    started = machineMs - (before + after) / 2;
  }
  return started;
}

// The machine's own clocks.
import { performance } from "node:perf_hooks";
import type { Clock } from "#core";

/** The longest delay that a timer of Node takes; longer sleeps are slept in parts. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Each thread counts from its own start; with this added, moments of different threads compare. */
const STARTED_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

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

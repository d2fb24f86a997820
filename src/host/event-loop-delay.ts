// How late the event loop of this thread is: the longest turns as they were since somebody last asked.
import { monitorEventLoopDelay } from "node:perf_hooks";

/** The loop is looked at so often: a turn that long is not missed, and an idle thread hardly notices. */
const RESOLUTION_MS = 20;
const NS_PER_S = 1e9;

export interface EventLoopDelay {
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

/** Begins to measure; each call tells the delays since the one before. */
export function measureEventLoopDelay(): () => EventLoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  // What the timer itself waits is no delay.
  const seconds = (ns: number): number => Math.max(0, ns / NS_PER_S - RESOLUTION_MS / 1_000);
  return () => {
    const delay = { p50Seconds: seconds(histogram.percentile(50)), p99Seconds: seconds(histogram.percentile(99)), maxSeconds: seconds(histogram.max) };
    histogram.reset();
    return delay;
  };
}

// How late the control thread's event loop is, as gauges: the house promises turns of 20 ms at most.
import type { MetricRegistry } from "./registry.ts";

/** Delays since the last reading. */
export interface Delays {
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

/** `read` is called once an exposition. */
export function publishEventLoopDelay(metrics: MetricRegistry, read: () => Delays): void {
  const gauge = metrics.gauge(
    "eider_event_loop_delay_seconds",
    "Delay of the control thread's event loop since the last scrape, by quantile (1 is the longest).",
  );
  metrics.onCollect(() => {
    const { p50Seconds, p99Seconds, maxSeconds } = read();
    gauge(p50Seconds, { quantile: "0.5" });
    gauge(p99Seconds, { quantile: "0.99" });
    gauge(maxSeconds, { quantile: "1" });
  });
}

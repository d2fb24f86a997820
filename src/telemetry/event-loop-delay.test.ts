import assert from "node:assert/strict";
import { test } from "node:test";
import { publishEventLoopDelay } from "./event-loop-delay.ts";
import { MetricRegistry } from "./registry.ts";

test("each exposition tells the delays since the one before", () => {
  const metrics = new MetricRegistry();
  let read = 0;
  publishEventLoopDelay(metrics, () => ({ p50Seconds: 0.001, p99Seconds: ++read / 100, maxSeconds: 0.5 }));
  assert.match(metrics.text(), /eider_event_loop_delay_seconds{quantile="0.99"} 0.01\n/);
  assert.match(metrics.text(), /eider_event_loop_delay_seconds{quantile="0.99"} 0.02\n/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricRegistry } from "./registry.ts";

test("counters add up by labels and gauges hold the last value, in Prometheus' text form", () => {
  const registry = new MetricRegistry();
  const requests = registry.counter("eider_requests_total", "Requests answered.");
  requests({ code: "200" });
  requests({ code: "200" }, 2);
  requests({ code: 'a"b\\c\nd' });
  const depth = registry.gauge("eider_queue_depth", "Keys that wait.");
  registry.onCollect(() => depth(7));
  assert.equal(
    registry.text(),
    [
      "# HELP eider_requests_total Requests answered.",
      "# TYPE eider_requests_total counter",
      'eider_requests_total{code="200"} 3',
      'eider_requests_total{code="a\\"b\\\\c\\nd"} 1',
      "# HELP eider_queue_depth Keys that wait.",
      "# TYPE eider_queue_depth gauge",
      "eider_queue_depth 7",
      "",
    ].join("\n"),
  );
});

test("label combinations beyond the limit are counted together", () => {
  const registry = new MetricRegistry();
  const hits = registry.counter("hits_total", "Hits.");
  for (let i = 0; i < 10_005; i++) hits({ path: String(i) });
  assert.match(registry.text(), /hits_total\{overflow="true"\} 5/);
});

test("histograms count what falls below each bound, all in the last, and add it up", () => {
  const registry = new MetricRegistry();
  const seconds = registry.histogram("wait_seconds", "Waits.", [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) seconds(value, { verb: "GET" });
  seconds(2);
  assert.equal(
    registry.text(),
    [
      "# HELP wait_seconds Waits.",
      "# TYPE wait_seconds histogram",
      'wait_seconds_bucket{verb="GET",le="0.1"} 2',
      'wait_seconds_bucket{verb="GET",le="1"} 3',
      'wait_seconds_bucket{verb="GET",le="+Inf"} 4',
      'wait_seconds_sum{verb="GET"} 7.65',
      'wait_seconds_count{verb="GET"} 4',
      'wait_seconds_bucket{le="0.1"} 0',
      'wait_seconds_bucket{le="1"} 0',
      'wait_seconds_bucket{le="+Inf"} 1',
      "wait_seconds_sum 2",
      "wait_seconds_count 1",
      "",
    ].join("\n"),
  );
});

test("series of a histogram beyond the limit are counted together", () => {
  const registry = new MetricRegistry();
  const seconds = registry.histogram("wait_seconds", "Waits.", [1]);
  for (let i = 0; i < 1_003; i++) seconds(0, { path: String(i) });
  assert.match(registry.text(), /wait_seconds_count\{overflow="true"\} 3/);
});

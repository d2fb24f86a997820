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

import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import type { MetricFamily } from "#protocol";
import { EventsMetrics } from "./events-metrics.ts";

function world() {
  const clock = new SimClock();
  const asked: number[] = [];
  const state = { runs: true };
  const metrics = new EventsMetrics({ clock, runs: () => state.runs, send: ({ id }) => void asked.push(id) });
  const answer = (total: number, bucket: number): void => {
    const families: MetricFamily[] = [
      { name: "x_total", help: "X.", type: "counter", labels: ['a="1"'], values: Float64Array.of(total) },
      { name: "x_now", help: "Now.", type: "gauge", labels: [""], values: Float64Array.of(total) },
      { name: "x_seconds", help: "Took.", type: "histogram", bounds: [1], labels: ['a="1"'], values: Float64Array.of(bucket, 1, 0.5) },
    ];
    metrics.received({ type: "metrics", id: asked.at(-1) ?? -1, families });
  };
  return { clock, metrics, answer, state, asked };
}

test("what the thread says is Prometheus' text; what a silent or a dead one had counted still counts, but not what it had just then", async () => {
  const { clock, metrics, answer, state, asked } = world();
  const first = metrics.text();
  answer(3, 2);
  assert.equal(
    await first,
    [
      "# HELP x_total X.",
      "# TYPE x_total counter",
      'x_total{a="1"} 3',
      "# HELP x_now Now.",
      "# TYPE x_now gauge",
      "x_now 3",
      "# HELP x_seconds Took.",
      "# TYPE x_seconds histogram",
      'x_seconds_bucket{a="1",le="1"} 2',
      'x_seconds_bucket{a="1",le="+Inf"} 3',
      'x_seconds_sum{a="1"} 0.5',
      'x_seconds_count{a="1"} 3',
      "",
    ].join("\n"),
  );
  const silent = metrics.text();
  await clock.advance(1_000);
  assert.match(await silent, /x_total\{a="1"\} 3\n/);

  const dying = metrics.text();
  metrics.gone();
  state.runs = false;
  const gone = await dying;
  assert.match(gone, /x_total\{a="1"\} 3\n/);
  assert.doesNotMatch(gone, /x_now/);
  const questions = asked.length;
  assert.match(await metrics.text(), /x_seconds_count\{a="1"\} 3\n/);
  assert.equal(asked.length, questions, "nobody is asked who is not there");

  state.runs = true;
  const second = metrics.text();
  answer(1, 0);
  assert.match(await second, /x_total\{a="1"\} 4\n[^]*x_seconds_sum\{a="1"\} 1\nx_seconds_count\{a="1"\} 4\n[^]*x_now 1\n/);
});

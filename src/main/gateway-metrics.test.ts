import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import type { ControlToGateway, RequestSamples } from "#protocol";
import { GatewayMetrics } from "./gateway-metrics.ts";

const NO_REQUESTS: RequestSamples = { revisions: [], series: [], values: new Float64Array() };

const isKnown = (key: string): boolean => key !== "ns/gone";

function world(live: Set<number>) {
  const clock = new SimClock();
  const sent: { readonly thread: number; readonly message: ControlToGateway }[] = [];
  const metrics = new GatewayMetrics({
    clock,
    threads: () => live,
    send: (thread, message) => void sent.push({ thread, message }),
    turn: () => Promise.resolve(),
  });
  const answer = (thread: number, total: number, requests = NO_REQUESTS): void => {
    const message = sent.findLast((one) => one.thread === thread)?.message;
    assert.ok(message?.type === "metrics");
    metrics.received({ type: "metrics", thread, id: message.id, counters: { x_total: total, x_now: 1 }, requests });
  };
  return { clock, metrics, answer };
}

const valueOf = (text: string, sample: string): number => Number(new RegExp(`^${sample} (.*)$`, "m").exec(text)?.[1]);

test("a silent thread's and a dead thread's counters never go back", async () => {
  const live = new Set([0, 1]);
  const { clock, metrics, answer } = world(live);
  const first = metrics.text(isKnown);
  answer(0, 10);
  answer(1, 5);
  assert.equal(valueOf(await first, "x_total"), 15);

  const second = metrics.text(isKnown);
  answer(0, 12);
  await clock.advance(1_000);
  const silent = await second;
  assert.equal(valueOf(silent, "x_total"), 17, "what the silent one said last");
  assert.equal(valueOf(silent, 'kn_activator_stats_conn_reachable{peer="autoscaler"}'), 0);

  live.delete(1);
  const third = metrics.text(isKnown);
  metrics.threadGone(1);
  answer(0, 13);
  const gone = await third;
  assert.equal(valueOf(gone, "x_total"), 18, "what the dead one had counted");
  assert.equal(valueOf(gone, "x_now"), 1, "but not what it would have now");
  assert.equal(valueOf(gone, 'kn_activator_stats_conn_errors_total{peer="autoscaler"}'), 1);
});

test("requests on a dead thread still count, those of a removed revision do not", async () => {
  const live = new Set([0]);
  const { metrics, answer } = world(live);
  const values = new Float64Array(2 * 66).fill(1);
  const label = { service: "", configuration: "", queued: 1, active: 1, concurrency: 1 };
  const series = [0, 1].map((revision) => ({ revision, method: "GET", status: 200, tag: "kn:disabled", minor: 1 }) as const);
  const asked = metrics.text(isKnown);
  answer(0, 1, {
    revisions: [
      { key: "ns/here", ...label },
      { key: "ns/gone", ...label },
    ],
    series,
    values,
  });
  await asked;
  live.delete(0);
  metrics.threadGone(0);
  const text = await metrics.text(isKnown);
  assert.match(text, /^http_server_request_duration_seconds_count\{.*kn_revision_name="here".*\} 15$/m);
  assert.match(text, /^kn_revision_request_active\{.*\} 0$/m);
  assert.ok(!text.includes('"gone"'));
});

test("a text in pieces gives way to others", async () => {
  const live = new Set([0]);
  let turns = 0;
  let nowMs = 0;
  const clock = { wallMs: () => 0, monotonicMs: () => nowMs++, sleep: () => new Promise<void>(() => undefined) };
  const metrics = new GatewayMetrics({
    clock,
    threads: () => live,
    send: (_thread, message) => {
      const series = Array.from({ length: 50 }, (_, revision) => ({ revision, method: "GET", status: 200, tag: "t", minor: 1 }) as const);
      const revisions = series.map((_, i) => ({ key: `ns/${i}`, service: "", configuration: "", queued: 0, active: 0, concurrency: 0 }));
      assert.ok(message.type === "metrics");
      metrics.received({ type: "metrics", thread: 0, id: message.id, counters: {}, requests: { revisions, series, values: new Float64Array(50 * 66) } });
    },
    turn: async () => void turns++,
  });
  await metrics.text(isKnown);
  assert.ok(turns > 10, `${turns} turns`);
});

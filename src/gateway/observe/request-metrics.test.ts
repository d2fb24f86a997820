import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backend } from "../pods/backend.ts";
import type { RequestFacts } from "../request/request-facts.ts";
import { parseRequestHead, type RequestHead } from "../http/request-head.ts";
import type { Target } from "../routes/target.ts";
import { RequestMetrics } from "./request-metrics.ts";
import { SERIES_MAX } from "./request-meter.ts";
import { RequestTotals } from "./request-totals.ts";

const ALL = (): boolean => true;

function backend(key: string): Backend {
  const entry = { key, service: "svc", configuration: 'a"b' };
  return { key, entry, waiting: 2, load: { count: 5, average: 1.5 }, meter: undefined } as unknown as Backend;
}

function head(text: string): RequestHead {
  const parsed = parseRequestHead(text);
  assert.ok(!("reason" in parsed));
  return parsed;
}

const GET = head("GET /a HTTP/1.1\r\nHost: app.test\r\nKnative-Serving-Tag: made-up\r\n\r\n");
const TARGET = { routeTag: "kn:disabled" } as Target;

function facts(over: Partial<RequestFacts>): RequestFacts {
  const defaults = { head: GET, target: TARGET, status: 200, requestBytes: 0, responseBytes: 5, attempts: 1, arrivedMs: 1000, grantedMs: 1004, endedMs: 1020 };
  const { method, minor } = over.head ?? GET;
  return { ...defaults, method, minor, ...over } as RequestFacts;
}

function textOf(metrics: RequestMetrics, isKnown = ALL): string {
  const totals = new RequestTotals(isKnown);
  totals.add(metrics.samples(), true);
  return [...totals.text()].join("");
}

const linesOf = (text: string, start: string): string[] => text.split("\n").filter((line) => line.startsWith(start));

test("requests are measured under Knative's names, in its bounds", () => {
  const one = backend("ns/rev-1");
  const metrics = new RequestMetrics(new Map([["ns/rev-1", one]]));
  metrics.ended(facts({ backend: one }));
  metrics.ended(facts({ backend: one, endedMs: 3000, responseBytes: 60 }));
  const text = textOf(metrics);
  const revision = 'k8s_namespace_name="ns",kn_configuration_name="a\\"b",kn_revision_name="rev-1",kn_service_name="svc"';
  const labels = `http_request_method="GET",http_response_status_code="200",${revision},kn_route_tag="kn:disabled",network_protocol_name="http",network_protocol_version="1.1",url_scheme="http"`;
  assert.deepEqual(linesOf(text, "http_server_request_duration_seconds").slice(0, 4), [
    `http_server_request_duration_seconds_bucket{${labels},le="0.005"} 0`,
    `http_server_request_duration_seconds_bucket{${labels},le="0.01"} 0`,
    `http_server_request_duration_seconds_bucket{${labels},le="0.025"} 1`,
    `http_server_request_duration_seconds_bucket{${labels},le="0.05"} 1`,
  ]);
  assert.deepEqual(linesOf(text, "http_server_request_duration_seconds").slice(-3), [
    `http_server_request_duration_seconds_bucket{${labels},le="+Inf"} 2`,
    `http_server_request_duration_seconds_sum{${labels}} 2.02`,
    `http_server_request_duration_seconds_count{${labels}} 2`,
  ]);
  assert.ok(text.includes(`http_server_response_body_size_bytes_bucket{${labels},le="5"} 1\n`));
  assert.ok(text.includes(`http_server_request_body_size_bytes_bucket{${labels},le="0"} 2\n`));
  assert.ok(text.includes(`kn_serving_invocation_duration_seconds_sum{http_response_status_code="200",${revision}} 2.012\n`));
  assert.ok(text.includes(`kn_serving_queue_depth{${revision}} 5\n`));
  assert.deepEqual(linesOf(text, "kn_revision_request"), [
    `kn_revision_request_concurrency{${revision}} 1.5`,
    `kn_revision_request_queued{${revision}} 2`,
    `kn_revision_request_active{${revision}} 3`,
  ]);
});

test("threads are added up, gauges of the living ones only, and a removed revision is gone", () => {
  const one = backend("ns/rev-1");
  const metrics = new RequestMetrics(new Map([["ns/rev-1", one]]));
  metrics.ended(facts({ backend: one }));
  const totals = new RequestTotals(ALL);
  totals.add(metrics.samples(), true);
  totals.add(metrics.samples(), false);
  const again = new RequestTotals(ALL);
  again.add(totals.samples(), true);
  const text = [...again.text()].join("");
  assert.match(linesOf(text, "http_server_request_duration_seconds_count")[0] ?? "", / 2$/);
  assert.match(linesOf(text, "kn_revision_request_queued")[0] ?? "", / 2$/);
  assert.equal(
    textOf(metrics, () => false),
    "",
  );
  assert.equal(textOf(new RequestMetrics(new Map())), "", "nothing without requests");
});

test("a client cannot make series: methods, tags, hosts and paths of its own fall together", () => {
  const one = backend("ns/rev-1");
  const metrics = new RequestMetrics(new Map([["ns/rev-1", one]]));
  for (let i = 0; i < 500; i++) {
    metrics.ended(facts({ backend: one, head: head(`M${i} /${i} HTTP/1.1\r\nHost: h${i}.test\r\nKnative-Serving-Tag: t${i}\r\n\r\n`) }));
  }
  assert.equal(linesOf(textOf(metrics), "http_server_request_duration_seconds_count").length, 1);
  const tagged = { routeTag: "kn:default" } as Target;
  metrics.ended(facts({ backend: one, target: tagged }));
  assert.match(textOf(metrics), /kn_route_tag="kn:undefined"/);
});

test("series of a revision beyond the limit are measured in one", () => {
  const one = backend("ns/rev-1");
  const metrics = new RequestMetrics(new Map([["ns/rev-1", one]]));
  for (let status = 100; status < 600; status++) metrics.ended(facts({ backend: one, status }));
  const counts = linesOf(textOf(metrics), "http_server_request_duration_seconds_count");
  assert.equal(counts.length, SERIES_MAX + 1);
  const overflow = counts.filter((line) => line.includes("otel_metric_overflow"));
  assert.deepEqual(
    overflow.map((line) => line.split("} ")[1]),
    [String(500 - SERIES_MAX)],
  );
});

test("revisions beyond the limit are measured together, until others are gone", () => {
  const backends = new Map<string, Backend>();
  const metrics = new RequestMetrics(backends, 3);
  const add = (key: string): void => {
    backends.set(key, backend(key));
    const added = backends.get(key);
    if (added !== undefined) metrics.ended(facts({ backend: added }));
  };
  for (let i = 0; i < 5; i++) add(`ns/rev-${i}`);
  const text = textOf(metrics);
  assert.deepEqual(
    linesOf(text, "kn_revision_request_active").map((line) => /kn_revision_name="([^"]*)"/.exec(line)?.[1]),
    ["rev-0", "rev-1", "rev-2"],
  );
  assert.ok(text.includes('http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",otel_metric_overflow="true",'));
  backends.delete("ns/rev-0");
  add("ns/rev-5");
  assert.match(textOf(metrics), /kn_revision_name="rev-5"/);
});

test("a request whose client left has no status", () => {
  const one = backend("ns/rev-1");
  const metrics = new RequestMetrics(new Map([["ns/rev-1", one]]));
  metrics.ended(facts({ backend: one, status: 0, attempts: 0, grantedMs: NaN }));
  const text = textOf(metrics);
  assert.ok(!text.includes("http_response_status_code"));
  assert.equal(linesOf(text, "kn_serving_invocation_duration_seconds").length, 0);
});

// What is counted of requests, in the names and labels of Kubernetes' API server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricRegistry } from "#telemetry";
import { ask, fixture, openWatch, type Fixture } from "./fixture.test-suite.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";

async function measured(): Promise<Fixture & { lines(start: string): Promise<string[]> }> {
  const metrics = new MetricRegistry();
  const made = await fixture({ metrics, metricsText: () => metrics.text() });
  return {
    ...made,
    async lines(start) {
      const { text } = await ask(made.server, "GET /metrics");
      return text.split("\n").filter((line) => line.startsWith(start));
    },
  };
}

test("requests are counted by verb, resource, scope and code, with what they took", async () => {
  const { server, lines } = await measured();
  await ask(server, `POST ${MAPS}?dryRun=All`, { metadata: { name: "a" } });
  await ask(server, `GET ${MAPS}`);
  await ask(server, `GET ${MAPS}/nosuch`);
  await ask(server, "GET /healthz");
  await ask(server, "GET /no/such/path");
  const labels = (verb: string, scope: string, dryRun = ""): string =>
    `component="apiserver",dry_run="${dryRun}",group="",resource="configmaps",scope="${scope}",subresource="",verb="${verb}",version="v1"`;
  const told = await lines("apiserver_request_total");
  for (const line of [
    `apiserver_request_total{code="201",${labels("POST", "resource", "All")}} 1`,
    `apiserver_request_total{code="200",${labels("LIST", "namespace")}} 1`,
    `apiserver_request_total{code="404",${labels("GET", "resource")}} 1`,
    'apiserver_request_total{code="200",component="",dry_run="",group="",resource="",scope="",subresource="/healthz",verb="GET",version=""} 1',
    'apiserver_request_total{code="404",component="",dry_run="",group="",resource="",scope="",subresource="",verb="GET",version=""} 1',
  ]) {
    assert.ok(told.includes(line), line);
  }
  assert.deepEqual(await lines(`apiserver_request_duration_seconds_count{${labels("LIST", "namespace")}`), [
    `apiserver_request_duration_seconds_count{${labels("LIST", "namespace")}} 1`,
  ]);
});

test("watches are open while they are, and their events are counted", async () => {
  const { server, lines } = await measured();
  const open =
    'apiserver_longrunning_requests{component="apiserver",group="",resource="configmaps",scope="namespace",subresource="",verb="WATCH",version="v1"}';
  const watch = await openWatch(server, `${MAPS}?watch=true`);
  await ask(server, `POST ${MAPS}`, { metadata: { name: "a" } });
  await watch.next();
  assert.deepEqual(await lines("apiserver_longrunning_requests{"), [`${open} 1`]);
  assert.deepEqual(await lines("apiserver_watch_events_total{"), ['apiserver_watch_events_total{group="",resource="configmaps",version="v1"} 1']);
  await watch.close();
  assert.deepEqual(await lines("apiserver_longrunning_requests{"), [`${open} 0`]);
  assert.match((await lines("apiserver_request_total{")).join("\n"), /verb="WATCH"/);
});

test("objects are counted when somebody asks, and what is being worked on is the asking itself", async () => {
  const { server, lines } = await measured();
  for (const name of ["a", "b"]) await ask(server, `POST ${MAPS}`, { metadata: { name } });
  assert.ok((await lines("apiserver_resource_objects")).includes('apiserver_resource_objects{group="",resource="configmaps"} 2'));
  assert.ok((await lines("apiserver_storage_objects")).includes('apiserver_storage_objects{resource="gadgets.apps"} 0'));
  assert.deepEqual(await lines("apiserver_current_inflight_requests{"), [
    'apiserver_current_inflight_requests{request_kind="mutating"} 0',
    'apiserver_current_inflight_requests{request_kind="readOnly"} 1',
  ]);
});

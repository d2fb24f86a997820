// The truth table of PingSources.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PingSource } from "#kinds";
import { conditionsOf, made } from "../../serving/fixture.test-suite.ts";
import type { ObservedPingSource } from "./observe.ts";
import { planPingSource } from "./plan.ts";

const SINK = "http://sink.example/";
const source = (sink: object = { uri: SINK }): PingSource => made(PingSource, "p", { spec: { schedule: "* * * * *", sink } }, { generation: 3 });
const standing = { uid: "PingSource-p", generation: 3, subscriberUri: SINK };
const observed = (over: Partial<ObservedPingSource> = {}): ObservedPingSource => ({
  source: source(),
  find: () => ({ error: 'services "x" not found' }),
  standing,
  ...over,
});

test("planPingSource: sent by exactly this spec", () => {
  const { status } = planPingSource(observed());
  assert.deepEqual(conditionsOf(status), ["Deployed=True", "OIDCIdentityCreated=True authentication-oidc feature disabled", "Ready=True", "SinkProvided=True"]);
  const { conditions: _conditions, ...rest } = status as Record<string, unknown>;
  assert.deepEqual(rest, {
    observedGeneration: 3,
    sinkUri: SINK,
    ceAttributes: [{ type: "dev.knative.sources.ping", source: "/apis/v1/namespaces/default/pingsources/p" }],
  });
});

for (const [name, other] of [
  ["nothing is in force", undefined],
  ["an older spec is", { ...standing, generation: 2 }],
  ["another sink is", { ...standing, subscriberUri: "http://old.example/" }],
] as const) {
  test(`planPingSource: not Ready while ${name}`, () => {
    const marks = conditionsOf(planPingSource(observed({ standing: other })).status);
    assert.ok(marks.includes("Deployed=Unknown DeploymentUnavailable: The Deployment 'pingsource-mt-adapter' is unavailable."), marks.join());
  });
}

test("planPingSource: a sink that has no address is told as in Knative, and tried again", () => {
  const ref = { apiVersion: "v1", kind: "Service", namespace: "default", name: "x" };
  const { status, events, failure } = planPingSource(observed({ source: source({ ref }) }));
  assert.ok(conditionsOf(status).includes("SinkProvided=False NotFound"));
  assert.equal((status as { sinkUri?: string }).sinkUri, undefined);
  assert.deepEqual(events, [{ type: "Warning", reason: "SinkNotFound", message: `Sink not found: ${JSON.stringify({ ref })}` }]);
  assert.match(failure ?? "", /not found/);
});

// The truth table of Brokers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Broker, eventing } from "#kinds";
import { conditionsOf, made, restOf } from "../../serving/fixture.test-suite.ts";
import type { ObservedBroker } from "./observe.ts";
import { planBroker } from "./plan.ts";

const broker = (spec: object = {}): Broker => made(Broker, "b", { spec }, { annotations: { [eventing.brokerClass]: eventing.mtClass }, generation: 2 });
const standing = { uid: "Broker-b", generation: 2 };
const observed = (over: Partial<ObservedBroker> = {}): ObservedBroker => ({
  broker: broker(),
  find: () => ({ error: 'services "dead" not found' }),
  standing,
  outerUrl: undefined,
  ...over,
});
const GOOD = [
  "Addressable=True",
  "DeadLetterSinkResolved=True DeadLetterSinkNotConfigured: No dead letter sink is configured.",
  'EventPoliciesReady=True OIDCDisabled: Feature "authentication-oidc" must be enabled to support Authorization',
  "FilterReady=True",
  "IngressReady=True",
  "Ready=True",
  "TriggerChannelReady=True",
];

test("planBroker: the events thread serves it", () => {
  const { status, failure } = planBroker(observed());
  assert.deepEqual(conditionsOf(status), GOOD);
  assert.equal(failure, undefined);
  assert.deepEqual(restOf(status), {
    observedGeneration: 2,
    address: { name: "http", url: "http://broker-ingress.knative-eventing.svc.cluster.local/default/b" },
  });
});

for (const [name, other] of [
  ["it has not acknowledged it", undefined],
  ["it serves an older spec", { ...standing, generation: 1 }],
  ["it serves a Broker of before with the same name", { ...standing, uid: "Broker-old" }],
] as const) {
  test(`planBroker: ${name}`, () => {
    const { status } = planBroker(observed({ standing: other }));
    const said = conditionsOf(status);
    assert.ok(said.includes("IngressReady=False EndpointSlicesUnavailable: EndpointSlices are unavailable."), said.join("\n"));
    assert.ok(said.includes("TriggerChannelReady=False NoAddress: Channel does not have an address."), said.join("\n"));
    assert.match(said.find((condition) => condition.startsWith("Ready=")) ?? "", /^Ready=False /);
  });
}

test("planBroker: a dead letter sink is resolved, or says why not and is tried again", () => {
  const sink = { ref: { apiVersion: "v1", kind: "Service", namespace: "default", name: "dead" } };
  const lost = planBroker(observed({ broker: broker({ delivery: { deadLetterSink: sink } }) }));
  assert.equal(lost.failure, 'failed to get object default/dead: services "dead" not found');
  assert.ok(conditionsOf(lost.status).includes(`DeadLetterSinkResolved=False Unable to get the dead letter sink's URI: ${lost.failure}`));
  const found = planBroker(observed({ broker: broker({ delivery: { deadLetterSink: { uri: "http://dead.example/" } } }) }));
  assert.equal((found.status as { readonly deadLetterSinkUri?: string }).deadLetterSinkUri, "http://dead.example/");
});

test("planBroker: another configuration than a ConfigMap is refused, another class left alone", () => {
  const { failure } = planBroker(observed({ broker: broker({ config: { apiVersion: "v1", kind: "Secret", name: "x" } }) }));
  assert.match(failure ?? "", /only \[kind: ConfigMap, apiVersion: v1\]$/);
  const kafka = made(Broker, "b", { spec: {} }, { annotations: { [eventing.brokerClass]: "Kafka" } });
  assert.deepEqual(planBroker(observed({ broker: kafka })), { desired: undefined });
});

test("planBroker: people outside are told their address", () => {
  const { status } = planBroker(observed({ outerUrl: "http://brokers.localhost:8080" }));
  assert.deepEqual((status as { readonly annotations?: object }).annotations, { "eider.dev/url": "http://brokers.localhost:8080/default/b" });
});

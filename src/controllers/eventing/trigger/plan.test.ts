// The truth table of Triggers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Broker, eventing, Trigger } from "#kinds";
import { conditionsOf, made, ready } from "../../serving/fixture.test-suite.ts";
import type { Standing } from "../standing.ts";
import type { ObservedTrigger } from "./observe.ts";
import { planTrigger } from "./plan.ts";

const SUBSCRIBER = "http://sub.example/";
const DEAD = "http://dead.example/";
const classed = { annotations: { [eventing.brokerClass]: eventing.mtClass } };
const broker = (status: object = {}, spec: object = {}): Broker =>
  made(Broker, "b", { spec, status: { observedGeneration: 1, conditions: ready("True"), ...status } }, classed);
const trigger = (spec: object = {}, more: { readonly annotations?: Record<string, string>; readonly status?: object } = {}): Trigger =>
  made(
    Trigger,
    "t",
    { spec: { broker: "b", subscriber: { uri: SUBSCRIBER }, ...spec }, ...(more.status === undefined ? {} : { status: more.status }) },
    { generation: 3, ...(more.annotations === undefined ? {} : { annotations: more.annotations }) },
  );
const standing: Standing = { uid: "Trigger-t", generation: 3, subscriberUri: SUBSCRIBER };
const observed = (over: Partial<ObservedTrigger> = {}): ObservedTrigger => ({
  trigger: trigger(),
  brokerName: "b",
  broker: broker(),
  find: () => ({ error: 'services "x" not found' }),
  standing,
  dependency: undefined,
  ...over,
});
const said = (over: Partial<ObservedTrigger>, type: string): string | undefined =>
  conditionsOf(planTrigger(observed(over)).status).find((condition) => condition.startsWith(`${type}=`));
type Status = { readonly subscriberUri?: string; readonly deadLetterSinkUri?: string };

test("planTrigger: delivered by exactly this spec", () => {
  const { status, failure } = planTrigger(observed());
  assert.deepEqual(conditionsOf(status), [
    "BrokerReady=True",
    "DeadLetterSinkResolved=True DeadLetterSinkNotConfigured: No dead letter sink is configured.",
    "DependencyReady=True",
    "OIDCIdentityCreated=True authentication-oidc feature disabled",
    "Ready=True",
    "SubscriberResolved=True",
    "SubscriptionReady=True",
  ]);
  assert.equal(failure, undefined);
  assert.equal((status as Status).subscriberUri, SUBSCRIBER);
});

const waiting = "SubscriptionReady=Unknown SubscriptionNotConfigured: Subscription has not yet been reconciled.";
for (const [name, other] of [
  ["nothing is in force", undefined],
  ["an older spec is", { ...standing, generation: 2 }],
  ["another subscriber is", { ...standing, subscriberUri: "http://old.example/" }],
  ["a dead letter sink is that is wanted no more", { ...standing, deadLetterSinkUri: DEAD }],
  ["a Trigger of before is", { ...standing, uid: "Trigger-old" }],
] as const) {
  test(`planTrigger: not Ready while ${name}`, () => {
    assert.equal(said({ standing: other }, "SubscriptionReady"), waiting);
    assert.match(said({ standing: other }, "Ready") ?? "", /^Ready=Unknown /);
  });
}

test("planTrigger: no Broker, one that is not ready, one that nobody has looked at", () => {
  assert.equal(said({ broker: undefined }, "BrokerReady"), 'BrokerReady=False BrokerDoesNotExist: Broker "b" does not exist');
  assert.equal(said({ broker: broker({ conditions: ready("False", "Why", "because") }) }, "BrokerReady"), "BrokerReady=False Why: because");
  assert.equal(said({ broker: broker({ conditions: [] }) }, "BrokerReady"), "BrokerReady=Unknown BrokerNotConfigured: Broker has not yet been reconciled.");
});

test("planTrigger: while the Broker is away the addresses stay, so that its cursor does", () => {
  const before = trigger({}, { status: { subscriberUri: SUBSCRIBER, deadLetterSinkUri: DEAD } });
  const { status } = planTrigger(observed({ trigger: before, broker: broker({ conditions: ready("False") }) }));
  assert.deepEqual([(status as Status).subscriberUri, (status as Status).deadLetterSinkUri], [SUBSCRIBER, DEAD]);
});

test("planTrigger: a subscriber that cannot be resolved is taken from the status", () => {
  const subscriber = { ref: { apiVersion: "v1", kind: "Service", namespace: "default", name: "x" } };
  const lost = planTrigger(observed({ trigger: trigger({ subscriber }, { status: { subscriberUri: SUBSCRIBER } }) }));
  assert.equal((lost.status as Status).subscriberUri, undefined);
  assert.equal(lost.failure, 'failed to get object default/x: services "x" not found');
});

test("planTrigger: its own dead letter sink goes before the Broker's, which it has without one", () => {
  const ofBroker = broker({ deadLetterSinkUri: DEAD }, { delivery: { deadLetterSink: { uri: DEAD } } });
  const inherited = planTrigger(observed({ broker: ofBroker })).status as Status;
  assert.equal(inherited.deadLetterSinkUri, DEAD);
  const own = planTrigger(observed({ broker: ofBroker, trigger: trigger({ delivery: { deadLetterSink: { uri: "http://own.example/" } } }) }));
  assert.equal((own.status as Status).deadLetterSinkUri, "http://own.example/");
  const unresolved = broker({}, { delivery: { deadLetterSink: { uri: DEAD } } });
  assert.equal(said({ broker: unresolved }, "DeadLetterSinkResolved"), "DeadLetterSinkResolved=False Broker b didn't set status.deadLetterSinkURI");
});

test("planTrigger: what it depends on holds it up", () => {
  const waits = trigger({}, { annotations: { [eventing.dependency]: '{"kind":"PingSource"}' } });
  assert.match(
    said({ trigger: waits, dependency: { error: "not found" } }, "DependencyReady") ?? "",
    /=False DependencyDoesNotExist: Dependency does not exist: not found$/,
  );
  assert.match(said({ trigger: waits, dependency: broker({ observedGeneration: 0 }) }, "DependencyReady") ?? "", /=Unknown GenerationNotEqual: /);
  assert.equal(said({ trigger: waits, dependency: broker() }, "DependencyReady"), "DependencyReady=True");
});

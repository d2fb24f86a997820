// The truth table of Channels.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "#core";
import { Channel, InMemoryChannel } from "#kinds";
import type { Kind } from "#schema";
import type { Channelable } from "../backing-channel.ts";
import { childrenOf, condition, conditionsOf, eventsOf, made, restOf } from "../../serving/fixture.test-suite.ts";
import type { ObservedChannel } from "./observe.ts";
import { planChannel } from "./plan.ts";

const template = { apiVersion: "messaging.knative.dev/v1", kind: "InMemoryChannel" };
const channel = (spec: object = {}, over: object = {}): Channel =>
  made(Channel, "c", { spec: { channelTemplate: template, ...spec } }, { generation: 2, ...over });
const address = { name: "http", url: "http://c-kn-channel.default.svc.cluster.local" };
const backing = (status: object = { address, conditions: [condition("Ready", "True")] }): Channelable =>
  made(InMemoryChannel, "c", { spec: {}, status }, { owner: channel() });
const observed = (over: Partial<ObservedChannel> = {}): ObservedChannel => ({
  channel: channel(),
  kind: InMemoryChannel as unknown as Kind,
  backing: backing(),
  nowMs: 1_000,
  ...over,
});
const POLICIES = 'EventPoliciesReady=True OIDCDisabled: Feature "authentication-oidc" must be enabled to support Authorization';
const NO_SINK = "DeadLetterSinkResolved=True DeadLetterSinkNotConfigured: No dead letter sink is configured.";

test("planChannel: a ready backing channel makes it ready, and is left as it is", () => {
  const subscribers = [{ uid: "s", ready: "True", observedGeneration: 1 }];
  const plan = planChannel(observed({ backing: backing({ address, subscribers, conditions: [condition("Ready", "True")] }) }));
  assert.deepEqual(conditionsOf(plan.status), ["Addressable=True", "BackingChannelReady=True", NO_SINK, POLICIES, "Ready=True"]);
  assert.deepEqual(restOf(plan.status), { observedGeneration: 2, address, subscribers, channel: { ...template, name: "c", namespace: "default" } });
  assert.deepEqual([childrenOf(plan), plan.wakeAtMs], [["(InMemoryChannel/c)"], undefined]);
});

test("planChannel: the backing channel is made of the template, the delivery and what annotations say to channels", () => {
  const delivery = { retry: 3 };
  const annotations = { "eider.dev/delivery-order": "key", "messaging.knative.dev/subscribable": "v1", "messaging.knative.dev/creator": "me", other: "x" };
  const given = channel({ channelTemplate: { ...template, spec: { partitions: 2 } }, delivery }, { annotations });
  const plan = planChannel(observed({ channel: given, backing: undefined }));
  assert.deepEqual(plan.desired?.[0]?.object, {
    ...template,
    metadata: { name: "c", namespace: "default", annotations: { "eider.dev/delivery-order": "key" } },
    spec: { partitions: 2, delivery },
  });
  assert.deepEqual(conditionsOf(plan.status), [
    "Addressable=False EmptyHostname: hostname is the empty string",
    "BackingChannelReady=Unknown BackingChannelNotConfigured: BackingChannel has not yet been reconciled.",
    NO_SINK,
    POLICIES,
    "Ready=False EmptyHostname: hostname is the empty string",
  ]);
  assert.equal(plan.wakeAtMs, 6_000);
});

for (const status of ["False", "Unknown"] as const) {
  test(`planChannel: a backing channel that is ${status} says why`, () => {
    const plan = planChannel(observed({ backing: backing({ address, conditions: [condition("Ready", status, "Why", "because")] }) }));
    assert.ok(conditionsOf(plan.status).includes(`BackingChannelReady=${status} Why: because`));
    assert.ok(conditionsOf(plan.status).includes(`Ready=${status} Why: because`));
  });
}

test("planChannel: the dead letter sink is the backing channel's", () => {
  const given = channel({ delivery: { deadLetterSink: { uri: "http://dead/" } } });
  const without = planChannel(observed({ channel: given }));
  assert.ok(conditionsOf(without.status).includes("DeadLetterSinkResolved=False Backing Channel c didn't set status.deadLetterSinkURI"));
  const sink = { deadLetterSinkUri: "http://dead/", deadLetterSinkCACerts: "PEM" };
  const plan = planChannel(observed({ channel: given, backing: backing({ address, ...sink, conditions: [condition("Ready", "True")] }) }));
  assert.ok(conditionsOf(plan.status).includes("DeadLetterSinkResolved=True"));
  const { deadLetterSinkUri, deadLetterSinkCACerts } = plan.status as typeof sink;
  assert.deepEqual({ deadLetterSinkUri, deadLetterSinkCACerts }, sink);
});

test("planChannel: a channel of its name that somebody else made is used, not owned", () => {
  const other = planChannel(observed({ backing: made(InMemoryChannel, "c", { spec: {}, status: { address, conditions: [condition("Ready", "True")] } }) }));
  assert.equal(other.desired, undefined);
  assert.ok(conditionsOf(other.status).includes("Ready=True"));
});

test("planChannel: a template whose kind nobody serves, and one that is refused", () => {
  const why = 'no matches for kind "InMemoryChannel" in version "messaging.knative.dev/v1"';
  const unserved = planChannel(observed({ kind: undefined, backing: undefined }));
  assert.ok(conditionsOf(unserved.status).includes(`BackingChannelReady=False ChannelFailure: ${why}`));
  assert.deepEqual(eventsOf(unserved), [`Warning InternalError problem reconciling the backing channel: ${why}`]);
  const plan = planChannel(observed({ backing: undefined }));
  const [child] = plan.desired ?? [];
  assert.ok(child !== undefined);
  const refused = plan.afterRefusal?.([{ child, error: new StatusError("Forbidden", "no") }]);
  assert.ok(conditionsOf(refused?.status).includes("BackingChannelReady=False ChannelFailure: no"));
});

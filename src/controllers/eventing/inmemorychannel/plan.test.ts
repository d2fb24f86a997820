// The truth table of InMemoryChannels.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CoreService, InMemoryChannel } from "#kinds";
import { childrenOf, conditionsOf, made, restOf } from "../../serving/fixture.test-suite.ts";
import type { ObservedInMemoryChannel } from "./observe.ts";
import { planInMemoryChannel } from "./plan.ts";

const channel = (spec: object = {}): InMemoryChannel => made(InMemoryChannel, "c", { spec }, { generation: 2 });
const standing = { uid: "InMemoryChannel-c", subscribers: new Map() };
const observed = (over: Partial<ObservedInMemoryChannel> = {}): ObservedInMemoryChannel => ({
  channel: channel(),
  find: () => ({ error: 'services "dead" not found' }),
  standing,
  service: undefined,
  ...over,
});
const GOOD = [
  "Addressable=True",
  "ChannelServiceReady=True",
  "DeadLetterSinkResolved=True DeadLetterSinkNotConfigured: No dead letter sink is configured.",
  "DispatcherReady=True",
  "EndpointsReady=True",
  'EventPoliciesReady=True OIDCDisabled: Feature "authentication-oidc" must be enabled to support Authorization',
  "Ready=True",
  "ServiceReady=True",
];

test("planInMemoryChannel: the events thread serves it", () => {
  const plan = planInMemoryChannel(observed());
  assert.deepEqual(conditionsOf(plan.status), GOOD);
  assert.deepEqual(restOf(plan.status), { observedGeneration: 2, address: { name: "http", url: "http://c-kn-channel.default.svc.cluster.local" } });
  assert.deepEqual(childrenOf(plan), ["Service/c-kn-channel"]);
  const service = plan.desired?.[0]?.object as unknown as CoreService | undefined;
  assert.deepEqual(service?.spec, {
    type: "ExternalName",
    externalName: "imc-dispatcher.knative-eventing.svc.cluster.local",
    ports: [{ name: "http", protocol: "TCP", port: 80 }],
  });
});

for (const [name, other] of [
  ["the events thread has not acknowledged it", undefined],
  ["the events thread serves a channel of before with the same name", { ...standing, uid: "InMemoryChannel-old" }],
] as const) {
  test(`planInMemoryChannel: ${name}`, () => {
    const { status } = planInMemoryChannel(observed({ standing: other }));
    const NOT = "DispatcherEndpointsNotReady: There are no endpoints ready for Dispatcher service";
    assert.deepEqual(
      conditionsOf(status).filter((condition) => !condition.includes("=True")),
      [`EndpointsReady=False ${NOT}`, `Ready=False ${NOT}`],
    );
    assert.ok(!conditionsOf(status).some((condition) => condition.startsWith("DispatcherReady")));
  });
}

test("planInMemoryChannel: a dead letter sink is resolved, or says why not and is tried again", () => {
  const sink = { ref: { apiVersion: "v1", kind: "Service", namespace: "default", name: "dead" } };
  const lost = planInMemoryChannel(observed({ channel: channel({ delivery: { deadLetterSink: sink } }) }));
  const why = 'failed to get object default/dead: services "dead" not found';
  assert.equal(lost.failure, `Failed to resolve Dead Letter Sink URI: ${why}`);
  assert.ok(conditionsOf(lost.status).includes(`DeadLetterSinkResolved=False Unable to get the DeadLetterSink's URI: ${why}`));
  const found = planInMemoryChannel(observed({ channel: channel({ delivery: { deadLetterSink: { uri: "http://dead.example/" } } }) }));
  assert.equal((found.status as { readonly deadLetterSinkUri?: string }).deadLetterSinkUri, "http://dead.example/");
});

test("planInMemoryChannel: a Service of its name that belongs to somebody else is left alone", () => {
  const plan = planInMemoryChannel(observed({ service: made(CoreService, "c-kn-channel", {}) }));
  const why = 'inmemorychannel: default/c does not own Service: "c-kn-channel"';
  assert.deepEqual([plan.desired, plan.failure], [undefined, why]);
  assert.ok(conditionsOf(plan.status).includes(`ChannelServiceReady=False ChannelServiceFailed: Channel Service failed: ${why}`));
});

const entry = { uid: "s", name: "s", generation: 3, subscriberUri: "http://a/", replyUri: "http://b/", delivery: { deadLetterSink: { uri: "http://d/" } } };
const inForce = { generation: 3, subscriberUri: "http://a/", replyUri: "http://b/", deadLetterSinkUri: "http://d/" };
const subscribers: readonly { readonly name: string; readonly entry: object; readonly inForce?: object; readonly want: unknown }[] = [
  { name: "in force as it is written", entry, inForce, want: [{ uid: "s", observedGeneration: 3, ready: "True" }] },
  { name: "not in force", entry, want: undefined },
  { name: "in force of an older generation", entry, inForce: { ...inForce, generation: 2 }, want: undefined },
  { name: "in force with another address", entry, inForce: { ...inForce, subscriberUri: "http://old/" }, want: undefined },
  { name: "in force with another reply", entry, inForce: { ...inForce, replyUri: "http://old/" }, want: undefined },
  { name: "in force with another sink", entry, inForce: { ...inForce, deadLetterSinkUri: "http://old/" }, want: undefined },
  {
    name: "without a uid",
    entry: { subscriberUri: "http://a/" },
    want: [{ ready: "False", message: "the entry has no uid, by which its place in the channel could be remembered" }],
  },
];
for (const row of subscribers) {
  test(`planInMemoryChannel: an entry ${row.name}`, () => {
    const known = new Map(row.inForce === undefined ? [] : [["s", row.inForce as typeof inForce]]);
    const { status } = planInMemoryChannel(observed({ channel: channel({ subscribers: [row.entry] }), standing: { ...standing, subscribers: known } }));
    assert.deepEqual((status as { readonly subscribers?: unknown }).subscribers, row.want);
    assert.ok(conditionsOf(status).includes("Ready=True"));
  });
}

test("planInMemoryChannel: what is being deleted is left alone", () => {
  assert.deepEqual(planInMemoryChannel(observed({ channel: made(InMemoryChannel, "c", { spec: {} }, { deleting: true }) })), { desired: undefined });
});

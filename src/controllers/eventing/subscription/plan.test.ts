// The truth table of Subscriptions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { InMemoryChannel, messaging, Subscription, type ChannelSubscriber } from "#kinds";
import type { Plan } from "#reconcile";
import type { Kind } from "#schema";
import { condition, conditionsOf, eventsOf, made } from "../../serving/fixture.test-suite.ts";
import type { FoundChannel, ObservedSubscription } from "./observe.ts";
import { planSubscription } from "./plan.ts";

const finalizers = [messaging.subscriptionsFinalizer];
const ref = (name: string): object => ({ ref: { apiVersion: "v1", kind: "Service", namespace: "default", name } });
const subscription = (spec: object = {}, over: object = {}): Subscription =>
  made(
    Subscription,
    "s",
    { spec: { channel: { apiVersion: "messaging.knative.dev/v1", kind: "InMemoryChannel", name: "c" }, subscriber: { uri: "http://a/" }, ...spec } },
    { generation: 2, finalizers, ...over },
  );
const channel = (spec: object = {}, status: object = {}): FoundChannel => ({
  physical: { kind: InMemoryChannel as unknown as Kind, object: made(InMemoryChannel, "c", { spec, status }) },
});
const entry: ChannelSubscriber = { name: "s", uid: "Subscription-s", generation: 2, subscriberUri: "http://a/" };
const told = (ready: string, observedGeneration = 2): object => ({ subscribers: [{ uid: "Subscription-s", observedGeneration, ready }] });
const observed = (over: Partial<ObservedSubscription> = {}): ObservedSubscription => ({
  subscription: subscription(),
  channel: channel({ subscribers: [entry] }, told("True")),
  find: ({ name }) => ({ error: `services ${JSON.stringify(name)} not found` }),
  nowMs: 1_000,
  ...over,
});
const OIDC = "OIDCIdentityCreated=True authentication-oidc feature disabled";
const physicalOf = ({ status }: Plan): unknown => (status as { readonly physicalSubscription?: unknown }).physicalSubscription;
const written = ({ patches }: Plan): unknown =>
  (patches?.at(-1)?.body as { readonly spec?: { readonly subscribers?: unknown } } | undefined)?.spec?.subscribers;

test("planSubscription: in its channel, which delivers to it", () => {
  const plan = planSubscription(observed());
  assert.deepEqual(conditionsOf(plan.status), ["AddedToChannel=True", "ChannelReady=True", OIDC, "Ready=True", "ReferencesResolved=True"]);
  assert.deepEqual([plan.patches, plan.events, physicalOf(plan)], [undefined, [], { subscriberUri: "http://a/" }]);
});

test("planSubscription: it holds itself before it writes into the channel, with the version of the channel that it read", () => {
  const plan = planSubscription(
    observed({ subscription: subscription({}, { finalizers: ["other"] }), channel: channel({ subscribers: [{ ...entry, uid: "o" }] }) }),
  );
  assert.deepEqual(plan.patches, [
    {
      kind: Subscription,
      namespace: "default",
      name: "s",
      type: "application/merge-patch+json",
      body: { metadata: { resourceVersion: "1", finalizers: ["other", "subscriptions.messaging.knative.dev"] } },
    },
    {
      kind: InMemoryChannel,
      namespace: "default",
      name: "c",
      type: "application/merge-patch+json",
      body: { metadata: { resourceVersion: "1" }, spec: { subscribers: [{ ...entry, uid: "o" }, entry] } },
    },
  ]);
  assert.deepEqual(eventsOf(plan), ['Normal FinalizerUpdate Updated "s" finalizers', 'Normal SubscriberSync Subscription was synchronized to channel "c"']);
  const why = `SubscriptionNotMarkedReadyByChannel: Failed to get subscription status: subscription "s" not present in channel "c" subscriber's list`;
  assert.ok(conditionsOf(plan.status).includes(`ChannelReady=Unknown ${why}`));
});

test("planSubscription: a changed one is written in its old place", () => {
  const other = { ...entry, uid: "o" };
  const changed = subscription({ subscriber: { uri: "http://new/" }, reply: { uri: "http://r/", CACerts: "PEM" } });
  const plan = planSubscription(observed({ subscription: changed, channel: channel({ subscribers: [{ ...entry, generation: 1 }, other] }) }));
  assert.deepEqual(written(plan), [{ ...entry, subscriberUri: "http://new/", replyUri: "http://r/", replyCACerts: "PEM" }, other]);
});

const SAID = "SubscriptionNotMarkedReadyByChannel:";
const verdicts: readonly { readonly name: string; readonly status: object; readonly want: string }[] = [
  { name: "True", status: told("True"), want: "ChannelReady=True" },
  { name: "False", status: told("False"), want: `ChannelReady=False ${SAID} Subscription marked by Channel as False` },
  { name: "Unknown", status: told("Unknown"), want: `ChannelReady=Unknown ${SAID} Subscription marked by Channel as Unknown` },
  {
    name: "True of an older generation",
    status: told("True", 1),
    want: `ChannelReady=Unknown ${SAID} Failed to get subscription status: subscription "s" not present in channel "c" subscriber's list`,
  },
];
for (const { name, status, want } of verdicts) {
  test(`planSubscription: its channel says ${name}`, () => {
    const plan = planSubscription(observed({ channel: channel({ subscribers: [entry] }, status) }));
    assert.ok(conditionsOf(plan.status).includes(want), conditionsOf(plan.status).join("\n"));
  });
}

for (const { name, given, error } of [
  {
    name: "is not there",
    given: { error: 'inmemorychannels.messaging.knative.dev "c" not found' },
    error: 'inmemorychannels.messaging.knative.dev "c" not found',
  },
  { name: "is a Channel that is not ready", given: { ...channel(), error: "channel is not ready." }, error: "channel is not ready." },
] satisfies readonly { readonly name: string; readonly given: FoundChannel; readonly error: string }[]) {
  test(`planSubscription: its channel ${name}`, () => {
    const plan = planSubscription(observed({ channel: given }));
    const why = `ChannelReferenceFailed: Failed to get Spec.Channel or backing channel: ${error}`;
    assert.ok(conditionsOf(plan.status).includes(`ReferencesResolved=Unknown ${why}`));
    assert.ok(conditionsOf(plan.status).includes(`Ready=Unknown ${why}`));
    assert.deepEqual([plan.patches, plan.wakeAtMs], [undefined, 6_000]);
    assert.deepEqual(eventsOf(plan), [`Warning ${why.replace(": ", " ")}`]);
  });
}

const gone = (name: string): string => `failed to get object default/${name}: services ${JSON.stringify(name)} not found`;
const unresolved: readonly { readonly spec: object; readonly channelSpec?: object; readonly want: string; readonly physical: object }[] = [
  { spec: { subscriber: ref("x") }, want: `SubscriberResolveFailed: Failed to resolve spec.subscriber: ${gone("x")}`, physical: {} },
  { spec: { reply: ref("x") }, want: `ReplyResolveFailed: Failed to resolve spec.reply: ${gone("x")}`, physical: { subscriberUri: "http://a/" } },
  {
    spec: { delivery: { deadLetterSink: ref("x") } },
    want: `DeadLetterSinkResolveFailed: Failed to resolve spec.delivery.deadLetterSink: ${gone("x")}`,
    physical: { subscriberUri: "http://a/" },
  },
  {
    spec: {},
    channelSpec: { delivery: { deadLetterSink: { uri: "http://d/" } } },
    want: "DeadLetterSinkResolveFailed: channel c didn't set status.deadLetterSinkURI",
    physical: { subscriberUri: "http://a/" },
  },
];
for (const { spec, channelSpec = {}, want, physical } of unresolved) {
  test(`planSubscription: ${want}`, () => {
    const plan = planSubscription(observed({ subscription: subscription(spec), channel: channel(channelSpec) }));
    assert.ok(conditionsOf(plan.status).includes(`ReferencesResolved=False ${want}`), conditionsOf(plan.status).join("\n"));
    assert.ok(conditionsOf(plan.status).includes(`Ready=False ${want}`));
    assert.deepEqual([plan.patches, physicalOf(plan)], [undefined, physical]);
  });
}

const channelDelivery = { retry: 5, backoffPolicy: "linear", timeout: "PT1S", deadLetterSink: { uri: "http://c-dead/" } };
const deliveries: readonly { readonly name: string; readonly own?: object; readonly ofChannel?: object; readonly want: object | undefined }[] = [
  { name: "nobody says anything", want: undefined },
  {
    name: "the channel's, when it has none",
    ofChannel: channelDelivery,
    want: { deadLetterSink: { uri: "http://c-dead/" }, retry: 5, backoffPolicy: "linear", timeout: "PT1S" },
  },
  {
    name: "its own as a whole, with the channel's sink",
    own: { backoffDelay: "PT2S" },
    ofChannel: channelDelivery,
    want: { deadLetterSink: { uri: "http://c-dead/" }, backoffDelay: "PT2S" },
  },
  {
    name: "its own sink, and none of the channel's retries",
    own: { deadLetterSink: { uri: "http://d/" } },
    ofChannel: channelDelivery,
    want: { deadLetterSink: { uri: "http://d/" } },
  },
  { name: "its own with the form of events", own: { retry: 1, format: "json" }, want: { retry: 1, format: "json" } },
];
for (const { name, own, ofChannel, want } of deliveries) {
  test(`planSubscription: delivery: ${name}`, () => {
    const sink = ofChannel === undefined ? {} : { deadLetterSinkUri: "http://c-dead/" };
    const given = channel(ofChannel === undefined ? {} : { delivery: ofChannel }, sink);
    const plan = planSubscription(observed({ subscription: subscription(own === undefined ? {} : { delivery: own }), channel: given }));
    assert.deepEqual(written(plan), [want === undefined ? entry : { ...entry, delivery: want }]);
  });
}

const removals: readonly { readonly name: string; readonly given: FoundChannel; readonly bodies: readonly unknown[]; readonly events: readonly string[] }[] = [
  {
    name: "takes its entry out, then lets go",
    given: { ...channel({ subscribers: [entry, { ...entry, uid: "o" }] }), error: "channel is not ready." },
    bodies: [{ metadata: { resourceVersion: "1" }, spec: { subscribers: [{ ...entry, uid: "o" }] } }, { metadata: { resourceVersion: "1", finalizers: [] } }],
    events: ['Normal SubscriberRemoved Subscription was removed from channel "c"', 'Normal FinalizerUpdate Updated "s" finalizers'],
  },
  {
    name: "was never in its channel",
    given: channel(),
    bodies: [{ metadata: { resourceVersion: "1", finalizers: [] } }],
    events: ['Normal FinalizerUpdate Updated "s" finalizers'],
  },
  {
    name: "whose channel is gone lets go",
    given: { error: "gone" },
    bodies: [{ metadata: { resourceVersion: "1", finalizers: [] } }],
    events: ['Normal FinalizerUpdate Updated "s" finalizers'],
  },
];
for (const { name, given, bodies, events } of removals) {
  test(`planSubscription: a deleted one ${name}`, () => {
    const plan = planSubscription(observed({ subscription: subscription({}, { deleting: true }), channel: given }));
    assert.deepEqual(
      plan.patches?.map(({ body }) => body),
      bodies,
    );
    assert.deepEqual([eventsOf(plan), plan.status], [events, undefined]);
  });
}

test("planSubscription: what is deleted and held by others only is left alone; one with a former condition keeps it", () => {
  const left = planSubscription(observed({ subscription: subscription({}, { deleting: true, finalizers: ["other"] }) }));
  assert.deepEqual(left, { desired: undefined });
  const before = made(Subscription, "s", { ...subscription(), status: { conditions: [condition("AddedToChannel", "True")] } }, { generation: 2, finalizers });
  assert.ok(conditionsOf(planSubscription(observed({ subscription: before, channel: { error: "x" } })).status).includes("AddedToChannel=True"));
});

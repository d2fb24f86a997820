// The truth table of Sequences.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "#core";
import { InMemoryChannel, Sequence, Subscription } from "#kinds";
import type { Kind, KubeObject } from "#schema";
import { childrenOf, condition, conditionsOf, eventsOf, made, restOf } from "../../serving/fixture.test-suite.ts";
import type { Channelable } from "../backing-channel.ts";
import type { FlowParts } from "../flow.ts";
import type { ObservedSequence } from "./observe.ts";
import { planSequence } from "./plan.ts";
import { wantedOf } from "./wanted.ts";

const template = { apiVersion: "messaging.knative.dev/v1", kind: "InMemoryChannel" };
const [A, B] = ["s-kn-sequence-0", "s-kn-sequence-1"];
const sequence = (spec: object = {}): Sequence =>
  made(
    Sequence,
    "s",
    { spec: { channelTemplate: template, steps: [{ uri: "http://a/", delivery: { retry: 1 } }, { uri: "http://b/" }], ...spec } },
    { generation: 2 },
  );
const owner = sequence();
const channel = (name: string, status: object): Channelable => made(InMemoryChannel, name, { spec: {}, status }, { owner });
const subscription = (name: string, status: object, over: { readonly owner?: KubeObject } = { owner }): Subscription =>
  made(Subscription, name, { spec: { channel: { ...template, name } }, status }, over);
const good = (name: string): object => ({ address: { name: "http", url: `http://${name}/` }, conditions: [condition("Ready", "True")] });
const parts = (over: Partial<FlowParts> = {}): FlowParts => ({
  kind: InMemoryChannel as unknown as Kind,
  channels: new Map([A, B].map((name) => [name ?? "", channel(name ?? "", good(name ?? ""))])),
  subscriptions: new Map([A, B].map((name) => [name ?? "", subscription(name ?? "", { conditions: [condition("Ready", "True")] })])),
  ...over,
});
const observed = (over: Partial<ObservedSequence> = {}): ObservedSequence => ({ sequence: owner, parts: parts(), nowMs: 1_000, ...over });
const POLICIES = 'EventPoliciesReady=True OIDCDisabled: Feature "authentication-oidc" must be enabled to support Authorization';
const none = (): FlowParts => parts({ channels: new Map(), subscriptions: new Map() });

test("wantedOf: each step's answers go to the next channel, the last one's to the reply", () => {
  const of = (name: string): object => ({ ...template, name });
  assert.deepEqual(wantedOf(sequence({ reply: { uri: "http://end/" } })), {
    channels: [A, B],
    subscriptions: [
      {
        name: A,
        spec: { channel: of(A), subscriber: { uri: "http://a/" }, delivery: { retry: 1 }, reply: { ref: { ...template, name: B, namespace: "default" } } },
      },
      { name: B, spec: { channel: of(B), subscriber: { uri: "http://b/" }, reply: { uri: "http://end/" } } },
    ],
  });
  assert.equal(wantedOf(sequence()).subscriptions[1]?.spec.reply, undefined);
});

test("planSequence: all is ready", () => {
  const plan = planSequence(observed());
  assert.deepEqual(conditionsOf(plan.status), ["Addressable=True", "ChannelsReady=True", POLICIES, "Ready=True", "SubscriptionsReady=True"]);
  const ready = condition("Ready", "True");
  assert.deepEqual(restOf(plan.status), {
    observedGeneration: 2,
    address: { url: `http://${A}/` },
    channelStatuses: [A, B].map((name) => ({ channel: { ...template, name, namespace: "default" }, ready })),
    subscriptionStatuses: [A, B].map((name) => ({
      subscription: { apiVersion: "messaging.knative.dev/v1", kind: "Subscription", name, namespace: "default" },
      ready,
    })),
  });
  assert.deepEqual(childrenOf(plan), [`(InMemoryChannel/${A})`, `(InMemoryChannel/${B})`, `Subscription/${A}`, `Subscription/${B}`]);
  assert.equal(plan.wakeAtMs, undefined);
});

test("planSequence: what is not there yet is Unknown, and is made", () => {
  const plan = planSequence(observed({ parts: none() }));
  assert.deepEqual(conditionsOf(plan.status), [
    "Addressable=Unknown emptyAddress: addressable is nil",
    "ChannelsReady=Unknown ChannelsNotReady: Channels are not ready yet, or there are none",
    POLICIES,
    "Ready=Unknown SubscriptionsNotReady: Subscriptions are not ready yet, or there are none",
    "SubscriptionsReady=Unknown SubscriptionsNotReady: Subscriptions are not ready yet, or there are none",
  ]);
  const { channelStatuses, subscriptionStatuses } = plan.status as { channelStatuses: { ready: object }[]; subscriptionStatuses: { ready: object }[] };
  assert.deepEqual(channelStatuses[0]?.ready, { type: "Ready", status: "Unknown", reason: "NoReady", message: "Channel does not have Ready condition" });
  assert.deepEqual(subscriptionStatuses[0]?.ready, {
    type: "Ready",
    status: "Unknown",
    reason: "NoReady",
    message: "Subscription does not have Ready condition",
  });
  assert.deepEqual([plan.desired?.length, plan.wakeAtMs], [4, 6_000]);
});

test("planSequence: one part that is False makes it Unknown", () => {
  const bad = new Map([...parts().subscriptions, [B ?? "", subscription(B ?? "", { conditions: [condition("Ready", "False", "Why", "because")] })]]);
  const plan = planSequence(observed({ parts: parts({ subscriptions: bad }) }));
  assert.ok(conditionsOf(plan.status).includes("Ready=Unknown SubscriptionsNotReady: Subscriptions are not ready yet, or there are none"));
});

test("planSequence: a step that is gone is not wanted any more, nor a Subscription to a channel of another kind", () => {
  const plan = planSequence(observed({ sequence: sequence({ steps: [{ uri: "http://a/" }] }) }));
  assert.deepEqual(childrenOf(plan), [`(InMemoryChannel/${A})`, `Subscription/${A}`]);
  const other = planSequence(observed({ sequence: sequence({ channelTemplate: { ...template, kind: "Channel" } }), parts: parts({ channels: new Map() }) }));
  assert.deepEqual(
    other.desired?.map(({ object }) => `${object.kind}/${object.metadata.name ?? ""}`),
    [`Channel/${A}`, `Channel/${B}`],
  );
});

test("planSequence: a changed step changes its Subscription and nothing that others wrote on it", () => {
  const [, , child] = planSequence(observed()).desired ?? [];
  const current = { ...subscription(A ?? "", {}), metadata: { ...subscription(A ?? "", {}).metadata, finalizers: ["x"], annotations: { by: "me" } } };
  const merged = child?.merge?.(current, child.object) as Subscription;
  assert.deepEqual([merged.metadata, merged.spec.subscriber], [current.metadata, { uri: "http://a/" }]);
});

test("planSequence: what cannot be made says which step, and why", () => {
  const why = 'no matches for kind "InMemoryChannel" in version "messaging.knative.dev/v1"';
  const unserved = planSequence(observed({ parts: parts({ kind: undefined }) }));
  assert.deepEqual(eventsOf(unserved), [`Warning InternalError failed to reconcile channel ${A} at step 0: ${why}`]);
  const plan = planSequence(observed({ parts: none() }));
  const refusedAt = (at: number): string[] => {
    const child = plan.desired?.[at];
    assert.ok(child !== undefined);
    return conditionsOf(plan.afterRefusal?.([{ child, error: new StatusError("Forbidden", "no") }]).status);
  };
  assert.ok(refusedAt(1).includes(`ChannelsReady=Unknown ChannelsNotReady: failed to reconcile channel ${B} at step 1: failed to create channel ${B}: no`));
  assert.ok(refusedAt(3).includes("SubscriptionsReady=Unknown SubscriptionsNotReady: failed to reconcile subscription resource for step: 1 : no"));
});

test("planSequence: a Subscription of its name that is somebody else's is left alone", () => {
  const foreign = new Map([...parts().subscriptions, [B ?? "", subscription(B ?? "", {}, {})]]);
  const plan = planSequence(observed({ parts: parts({ subscriptions: foreign }) }));
  const why = `failed to reconcile subscription resource for step: 1 : subscriptions.messaging.knative.dev "${B}" already exists`;
  assert.equal(plan.desired, undefined);
  assert.ok(conditionsOf(plan.status).includes(`SubscriptionsReady=Unknown SubscriptionsNotReady: ${why}`));
});

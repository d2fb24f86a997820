// The truth table of Parallels.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "#core";
import { InMemoryChannel, Parallel, Subscription } from "#kinds";
import type { Kind } from "#schema";
import { childrenOf, condition, conditionsOf, eventsOf, made, restOf } from "../../serving/fixture.test-suite.ts";
import type { Channelable } from "../backing-channel.ts";
import type { FlowParts } from "../flow.ts";
import type { ObservedParallel } from "./observe.ts";
import { planParallel } from "./plan.ts";
import { wantedOf } from "./wanted.ts";

const template = { apiVersion: "messaging.knative.dev/v1", kind: "InMemoryChannel" };
const FRONT = "p-kn-parallel";
const BRANCH = "p-kn-parallel-0";
const FILTER = "p-kn-parallel-filter-0";
const branch = { filter: { uri: "http://f/" }, subscriber: { uri: "http://a/" }, delivery: { retry: 1 } };
const parallel = (spec: object = {}): Parallel => made(Parallel, "p", { spec: { channelTemplate: template, branches: [branch], ...spec } }, { generation: 2 });
const owner = parallel();
const channel = (name: string): Channelable =>
  made(InMemoryChannel, name, { spec: {}, status: { address: { name: "http", url: `http://${name}/` } } }, { owner });
const ready = condition("Ready", "True");
const subscription = (name: string, to: string): Subscription =>
  made(Subscription, name, { spec: { channel: { ...template, name: to } }, status: { conditions: [ready] } }, { owner });
const parts = (over: Partial<FlowParts> = {}): FlowParts => ({
  kind: InMemoryChannel as unknown as Kind,
  channels: new Map([FRONT, BRANCH].map((name) => [name, channel(name)])),
  subscriptions: new Map([
    [FILTER, subscription(FILTER, FRONT)],
    [BRANCH, subscription(BRANCH, BRANCH)],
  ]),
  ...over,
});
const observed = (over: Partial<ObservedParallel> = {}): ObservedParallel => ({ parallel: owner, parts: parts(), nowMs: 1_000, ...over });
const POLICIES = 'EventPoliciesReady=True OIDCDisabled: Feature "authentication-oidc" must be enabled to support Authorization';
const inNamespace = (name: string): object => ({ ...template, name, namespace: "default" });

test("wantedOf: a filter answers into the branch's channel; the reply is the branch's, else the Parallel's", () => {
  const given = parallel({ reply: { uri: "http://end/" }, branches: [branch, { subscriber: { uri: "http://b/" }, reply: { uri: "http://own/" } }] });
  const { channels, subscriptions } = wantedOf(given);
  assert.deepEqual(channels, [FRONT, BRANCH, "p-kn-parallel-1"]);
  const front = { ...template, name: FRONT };
  assert.deepEqual(subscriptions, [
    { name: FILTER, spec: { channel: front, subscriber: { uri: "http://f/" }, reply: { ref: inNamespace(BRANCH) } } },
    { name: BRANCH, spec: { channel: { ...template, name: BRANCH }, subscriber: { uri: "http://a/" }, delivery: { retry: 1 }, reply: { uri: "http://end/" } } },
    { name: "p-kn-parallel-filter-1", spec: { channel: front, subscriber: { ref: inNamespace("p-kn-parallel-1") } } },
    {
      name: "p-kn-parallel-1",
      spec: { channel: { ...template, name: "p-kn-parallel-1" }, subscriber: { uri: "http://b/" }, reply: { uri: "http://own/" } },
    },
  ]);
});

test("planParallel: all is ready", () => {
  const plan = planParallel(observed());
  assert.deepEqual(conditionsOf(plan.status), ["Addressable=True", "ChannelsReady=True", POLICIES, "Ready=True", "SubscriptionsReady=True"]);
  const sub = (name: string): object => ({ subscription: { apiVersion: "messaging.knative.dev/v1", kind: "Subscription", name, namespace: "default" }, ready });
  const good = { type: "Ready", status: "True" };
  assert.deepEqual(restOf(plan.status), {
    observedGeneration: 2,
    address: { name: "http", url: `http://${FRONT}/` },
    ingressChannelStatus: { channel: inNamespace(FRONT), ready: good },
    branchStatuses: [
      {
        filterSubscriptionStatus: sub(FILTER),
        filterChannelStatus: { channel: inNamespace(BRANCH), ready: good },
        subscriberSubscriptionStatus: sub(BRANCH),
      },
    ],
  });
  assert.deepEqual(childrenOf(plan), [`(InMemoryChannel/${FRONT})`, `(InMemoryChannel/${BRANCH})`, `Subscription/${FILTER}`, `Subscription/${BRANCH}`]);
});

test("planParallel: what is not there yet is False, and is made", () => {
  const plan = planParallel(observed({ parts: parts({ channels: new Map(), subscriptions: new Map() }) }));
  assert.deepEqual(conditionsOf(plan.status), [
    "Addressable=False emptyAddress: addressable is nil",
    "ChannelsReady=False ChannelsNotReady: Channels are not ready yet, or there are none",
    POLICIES,
    "Ready=False SubscriptionsNotReady: Subscriptions are not ready yet, or there are none",
    "SubscriptionsReady=False SubscriptionsNotReady: Subscriptions are not ready yet, or there are none",
  ]);
  const { ingressChannelStatus } = plan.status as { readonly ingressChannelStatus: { readonly ready: object } };
  assert.deepEqual(ingressChannelStatus.ready, { type: "Ready", status: "False", reason: "NotAddressable", message: "Channel is not addressable" });
  assert.equal(plan.desired?.length, 4);
});

test("planParallel: a branch that is gone is not wanted any more", () => {
  const plan = planParallel(observed({ parallel: parallel({ branches: [] }) }));
  assert.deepEqual(childrenOf(plan), [`(InMemoryChannel/${FRONT})`]);
  assert.ok(conditionsOf(plan.status).includes("SubscriptionsReady=False SubscriptionsNotReady: Subscriptions are not ready yet, or there are none"));
});

test("planParallel: what cannot be made says which branch, and why", () => {
  const unserved = planParallel(observed({ parts: parts({ kind: undefined }) }));
  const why = 'no matches for kind "InMemoryChannel" in version "messaging.knative.dev/v1"';
  assert.deepEqual(eventsOf(unserved), [`Warning InternalError failed to reconcile channel ${FRONT} at step -1: ${why}`]);
  const plan = planParallel(observed({ parts: parts({ channels: new Map(), subscriptions: new Map() }) }));
  const refusedAt = (at: number): string[] => {
    const child = plan.desired?.[at];
    assert.ok(child !== undefined);
    return conditionsOf(plan.afterRefusal?.([{ child, error: new StatusError("Forbidden", "no") }]).status);
  };
  assert.ok(
    refusedAt(1).includes(`ChannelsReady=False ChannelsNotReady: failed to reconcile channel ${BRANCH} at step 0: failed to create channel ${BRANCH}: no`),
  );
  assert.ok(refusedAt(3).includes("SubscriptionsReady=False SubscriptionsNotReady: failed to reconcile Subscription Objects for branch: 0 : no"));
});

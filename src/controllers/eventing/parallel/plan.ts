// Parallel → a channel in front, and for each branch a channel and two Subscriptions (eventing.md 1.11). What is not ready is False.
//
// ChannelsReady        True when all channels have an address
// SubscriptionsReady   True when all Subscriptions are Ready
// Addressable          True when the channel in front has an address, which is the Parallel's
// EventPoliciesReady   True OIDCDisabled: nobody is asked who he is
// Branches that are gone: their channels and Subscriptions are not wanted any more, and go.
import { parallelConditions as conditions, type ParallelStatus } from "#kinds";
import type { Plan } from "#reconcile";
import type { Condition } from "#schema";
import { beginConditions } from "../../serving/status.ts";
import type { Channelable } from "../backing-channel.ts";
import { channelReference, readyOf, subscriptionReference } from "../flow.ts";
import { planFlow, type FailedFlow, type FlowFailure } from "../plan-flow.ts";
import { NO_POLICIES } from "../without-oidc.ts";
import type { ObservedParallel } from "./observe.ts";
import { wantedOf } from "./wanted.ts";

const CHANNELS = { reason: "ChannelsNotReady", message: "Channels are not ready yet, or there are none" };
const SUBSCRIPTIONS = { reason: "SubscriptionsNotReady", message: "Subscriptions are not ready yet, or there are none" };
/** Of each branch. */
const SUBSCRIPTIONS_OF_BRANCH = 2;

export function planParallel(observed: ObservedParallel): Plan {
  const { parallel, parts, nowMs } = observed;
  const { metadata, spec } = parallel;
  if (metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun = conditions.markTrue(beginConditions(conditions, parallel), "EventPoliciesReady", NO_POLICIES);
  const status = statusOf(observed, marked(observed, begun));
  const flow = { metadata, template: spec.channelTemplate ?? {}, wanted: wantedOf(parallel), parts, nowMs };
  return planFlow(flow, {
    status,
    isReady: conditions.isHappy(status.conditions),
    failedChannel: (failure) => failedChannel(observed, begun, failure),
    failedSubscription: (failure) => failedSubscription(observed, begun, failure),
  });
}

/** The channel in front is step -1, as in Knative. */
function failedChannel(observed: ObservedParallel, begun: readonly Condition[], { at, why }: FlowFailure): FailedFlow {
  const message = `failed to reconcile channel ${wantedOf(observed.parallel).channels[at] ?? ""} at step ${at - 1}: ${why}`;
  return failed(observed, conditions.markFalse(begun, "ChannelsReady", { reason: CHANNELS.reason, message }), message);
}

function failedSubscription(observed: ObservedParallel, begun: readonly Condition[], { at, why }: FlowFailure): FailedFlow {
  const message = `failed to reconcile Subscription Objects for branch: ${Math.floor(at / SUBSCRIPTIONS_OF_BRANCH)} : ${why}`;
  return failed(observed, conditions.markFalse(begun, "SubscriptionsReady", { reason: SUBSCRIPTIONS.reason, message }), message);
}

function failed(observed: ObservedParallel, marks: readonly Condition[], message: string): FailedFlow {
  return { status: statusOf(observed, marks), events: [{ type: "Warning", reason: "InternalError", message }] };
}

function marked({ parallel, parts }: ObservedParallel, begun: readonly Condition[]): Condition[] {
  const { channels, subscriptions } = wantedOf(parallel);
  const addressed = channels.every((name) => addressOf(parts.channels.get(name)) !== undefined);
  const one = addressed ? conditions.markTrue(begun, "ChannelsReady") : conditions.markFalse(begun, "ChannelsReady", CHANNELS);
  const two =
    addressOf(parts.channels.get(channels[0] ?? "")) === undefined
      ? conditions.markFalse(one, "Addressable", { reason: "emptyAddress", message: "addressable is nil" })
      : conditions.markTrue(one, "Addressable");
  const ready = subscriptions.length > 0 && subscriptions.every(({ name }) => readyOf(parts.subscriptions.get(name), "Subscription").status === "True");
  return ready ? conditions.markTrue(two, "SubscriptionsReady") : conditions.markFalse(two, "SubscriptionsReady", SUBSCRIPTIONS);
}

function addressOf(channel: Channelable | undefined): ParallelStatus["address"] {
  return channel?.status?.address?.url === undefined ? undefined : channel.status.address;
}

function addressable(channel: Channelable | undefined): Condition {
  if (addressOf(channel) !== undefined) return { type: "Ready", status: "True" };
  return { type: "Ready", status: "False", reason: "NotAddressable", message: "Channel is not addressable" };
}

function statusOf({ parallel, parts }: ObservedParallel, marks: readonly Condition[]): ParallelStatus {
  const { generation, namespace = "" } = parallel.metadata;
  const { channels, subscriptions } = wantedOf(parallel);
  const template = parallel.spec.channelTemplate ?? {};
  const channelState = (name = ""): { channel: ReturnType<typeof channelReference>; ready: Condition } => ({
    channel: channelReference(template, name, namespace),
    ready: addressable(parts.channels.get(name)),
  });
  const subscriptionState = (at: number): { ready: Condition; subscription: ReturnType<typeof subscriptionReference> } => {
    const name = subscriptions[at]?.name ?? "";
    return { subscription: subscriptionReference(name, namespace), ready: readyOf(parts.subscriptions.get(name), "Subscription") };
  };
  const [front, ...branches] = channels;
  const address = addressOf(parts.channels.get(front ?? ""));
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: conditions.sorted(marks),
    ...(address === undefined ? {} : { address }),
    ingressChannelStatus: channelState(front),
    branchStatuses: branches.map((name, index) => ({
      filterSubscriptionStatus: subscriptionState(index * SUBSCRIPTIONS_OF_BRANCH),
      filterChannelStatus: channelState(name),
      subscriberSubscriptionStatus: subscriptionState(index * SUBSCRIPTIONS_OF_BRANCH + 1),
    })),
  };
}

// Sequence → a channel and a Subscription for each step (eventing.md 1.10). What is not ready is Unknown, not False.
//
// ChannelsReady        True when all channels are Ready
// SubscriptionsReady   True when all Subscriptions are Ready
// Addressable          True when the first channel has an address, which is the Sequence's
// EventPoliciesReady   True OIDCDisabled: nobody is asked who he is
// Steps that are gone: their channels and Subscriptions are not wanted any more, and go.
import { sequenceConditions as conditions, type SequenceStatus } from "#kinds";
import type { Plan } from "#reconcile";
import type { Condition } from "#schema";
import { beginConditions } from "../../serving/status.ts";
import { channelReference, readyOf, subscriptionReference } from "../flow.ts";
import { planFlow, type FailedFlow, type FlowFailure } from "../plan-flow.ts";
import { NO_POLICIES } from "../without-oidc.ts";
import type { ObservedSequence } from "./observe.ts";
import { wantedOf } from "./wanted.ts";

const CHANNELS = { reason: "ChannelsNotReady", message: "Channels are not ready yet, or there are none" };
const SUBSCRIPTIONS = { reason: "SubscriptionsNotReady", message: "Subscriptions are not ready yet, or there are none" };

export function planSequence(observed: ObservedSequence): Plan {
  const { sequence, parts, nowMs } = observed;
  const { metadata, spec } = sequence;
  if (metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun = conditions.markTrue(beginConditions(conditions, sequence), "EventPoliciesReady", NO_POLICIES);
  const status = statusOf(observed, marked(observed, begun));
  const flow = { metadata, template: spec.channelTemplate ?? {}, wanted: wantedOf(sequence), parts, nowMs };
  return planFlow(flow, {
    status,
    isReady: conditions.isHappy(status.conditions),
    failedChannel: (failure) => failedChannel(observed, begun, failure),
    failedSubscription: (failure) => failedSubscription(observed, begun, failure),
  });
}

function failedChannel(observed: ObservedSequence, begun: readonly Condition[], { at, why }: FlowFailure): FailedFlow {
  const message = `failed to reconcile channel ${wantedOf(observed.sequence).channels[at] ?? ""} at step ${at}: ${why}`;
  return failed(observed, conditions.markUnknown(begun, "ChannelsReady", { reason: CHANNELS.reason, message }), message);
}

function failedSubscription(observed: ObservedSequence, begun: readonly Condition[], { at, why }: FlowFailure): FailedFlow {
  const message = `failed to reconcile subscription resource for step: ${at} : ${why}`;
  return failed(observed, conditions.markUnknown(begun, "SubscriptionsReady", { reason: SUBSCRIPTIONS.reason, message }), message);
}

function failed(observed: ObservedSequence, marks: readonly Condition[], message: string): FailedFlow {
  return { status: statusOf(observed, marks), events: [{ type: "Warning", reason: "InternalError", message }] };
}

function marked(observed: ObservedSequence, begun: readonly Condition[]): Condition[] {
  const { channels, subscriptions, address } = partsOf(observed);
  const allReady = (states: readonly { readonly ready: Condition }[]): boolean => states.length > 0 && states.every(({ ready }) => ready.status === "True");
  const one = allReady(channels) ? conditions.markTrue(begun, "ChannelsReady") : conditions.markUnknown(begun, "ChannelsReady", CHANNELS);
  const two =
    address === undefined
      ? conditions.markUnknown(one, "Addressable", { reason: "emptyAddress", message: "addressable is nil" })
      : conditions.markTrue(one, "Addressable");
  return allReady(subscriptions) ? conditions.markTrue(two, "SubscriptionsReady") : conditions.markUnknown(two, "SubscriptionsReady", SUBSCRIPTIONS);
}

interface Parts {
  readonly channels: readonly { readonly channel: ReturnType<typeof channelReference>; readonly ready: Condition }[];
  readonly subscriptions: readonly { readonly subscription: ReturnType<typeof subscriptionReference>; readonly ready: Condition }[];
  readonly address: SequenceStatus["address"];
}

function partsOf({ sequence, parts }: ObservedSequence): Parts {
  const { channels, subscriptions } = wantedOf(sequence);
  const { namespace = "" } = sequence.metadata;
  const template = sequence.spec.channelTemplate ?? {};
  const { url, CACerts, audience } = parts.channels.get(channels[0] ?? "")?.status?.address ?? {};
  return {
    channels: channels.map((name) => ({ channel: channelReference(template, name, namespace), ready: readyOf(parts.channels.get(name), "Channel") })),
    subscriptions: subscriptions.map(({ name }) => ({
      subscription: subscriptionReference(name, namespace),
      ready: readyOf(parts.subscriptions.get(name), "Subscription"),
    })),
    address: url === undefined ? undefined : { url, ...(CACerts === undefined ? {} : { CACerts }), ...(audience === undefined ? {} : { audience }) },
  };
}

function statusOf(observed: ObservedSequence, marks: readonly Condition[]): SequenceStatus {
  const { generation } = observed.sequence.metadata;
  const { channels, subscriptions, address } = partsOf(observed);
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: conditions.sorted(marks),
    ...(address === undefined ? {} : { address }),
    channelStatuses: [...channels],
    subscriptionStatuses: [...subscriptions],
  };
}

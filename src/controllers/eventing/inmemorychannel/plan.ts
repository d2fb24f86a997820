// InMemoryChannel → a Service that is its name; a stream of the log stands for dispatcher and memory (eventing.md 1.8).
//
// the events thread           ServiceReady   EndpointsReady                     DispatcherReady
// has not acknowledged it     True           False DispatcherEndpointsNotReady  left out
// serves it                   True           True                               True
//
// ChannelServiceReady     False when the Service's name belongs to somebody else
// DeadLetterSinkResolved  False when the sink has no address, which is tried again
// EventPoliciesReady      True OIDCDisabled: nobody is asked who he is
// status.subscribers      True for each entry that the thread delivers to exactly as it is written
import { CLUSTER_DOMAIN, inMemoryChannelConditions as conditions, resolveDestination, type ChannelSubscriberStatus, type InMemoryChannelStatus } from "#kinds";
import type { Plan } from "#reconcile";
import type { Condition } from "#schema";
import { beginConditions } from "../../serving/status.ts";
import { NO_POLICIES } from "../without-oidc.ts";
import { channelServiceFor, channelUrl } from "./children.ts";
import type { ObservedInMemoryChannel } from "./observe.ts";

const NO_ENDPOINTS = { reason: "DispatcherEndpointsNotReady", message: "There are no endpoints ready for Dispatcher service" };
const NO_SINK = { reason: "DeadLetterSinkNotConfigured", message: "No dead letter sink is configured." };
const NO_UID = "the entry has no uid, by which its place in the channel could be remembered";

type DeliveryStatus = Pick<InMemoryChannelStatus, "deadLetterSinkUri" | "deadLetterSinkCACerts" | "deadLetterSinkAudience">;

interface Draw {
  readonly marks: Condition[];
  readonly delivery: DeliveryStatus;
  readonly failure?: string;
}

export function planInMemoryChannel(observed: ObservedInMemoryChannel): Plan {
  const { channel, service } = observed;
  if (channel.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const { name, namespace = "", uid } = channel.metadata;
  const begun = markServed(beginConditions(conditions, channel), observed);
  const reached = conditions.markTrue(conditions.markTrue(begun, "Addressable"), "EventPoliciesReady", NO_POLICIES);
  const draw = markSink(reached, observed);
  if (service !== undefined && !service.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === uid)) {
    const failure = `inmemorychannel: ${namespace}/${name} does not own Service: ${JSON.stringify(service.metadata.name)}`;
    return { desired: undefined, status: statusOf(observed, { ...draw, marks: markServiceFailed(draw.marks, failure) }), failure };
  }
  const marks = conditions.markTrue(draw.marks, "ChannelServiceReady");
  return {
    desired: [channelServiceFor(channel)],
    status: statusOf(observed, { ...draw, marks }),
    afterRefusal: ([refusal]) => {
      const message = refusal?.error.message ?? "";
      return {
        status: statusOf(observed, { ...draw, marks: markServiceFailed(draw.marks, message) }),
        events: [{ type: "Warning", reason: "InternalError", message }],
      };
    },
    ...(draw.failure === undefined ? {} : { failure: draw.failure }),
  };
}

function markServiceFailed(marks: readonly Condition[], why: string): Condition[] {
  return conditions.markFalse(marks, "ChannelServiceReady", { reason: "ChannelServiceFailed", message: `Channel Service failed: ${why}` });
}

function markServed(begun: readonly Condition[], { channel, standing }: ObservedInMemoryChannel): Condition[] {
  const marks = conditions.markTrue(begun, "ServiceReady");
  if (standing?.uid !== channel.metadata.uid) return conditions.clear(conditions.markFalse(marks, "EndpointsReady", NO_ENDPOINTS), "DispatcherReady");
  return conditions.markTrue(conditions.markTrue(marks, "EndpointsReady"), "DispatcherReady");
}

function markSink(marks: readonly Condition[], { channel, find }: ObservedInMemoryChannel): Draw {
  const sink = channel.spec.delivery?.deadLetterSink;
  const type = "DeadLetterSinkResolved";
  if (sink === undefined) return { marks: conditions.markTrue(marks, type, NO_SINK), delivery: {} };
  const resolved = resolveDestination(sink, { find, clusterDomain: CLUSTER_DOMAIN });
  if ("error" in resolved) {
    const why = { reason: "Unable to get the DeadLetterSink's URI", message: resolved.error };
    return { marks: conditions.markFalse(marks, type, why), delivery: {}, failure: `Failed to resolve Dead Letter Sink URI: ${resolved.error}` };
  }
  const { url, CACerts, audience } = resolved.address;
  const delivery = {
    deadLetterSinkUri: url,
    ...(CACerts === undefined ? {} : { deadLetterSinkCACerts: CACerts }),
    ...(audience === undefined ? {} : { deadLetterSinkAudience: audience }),
  };
  return { marks: conditions.markTrue(marks, type), delivery };
}

/** Those that the thread does not deliver to yet are not told of: their Subscriptions wait. */
function subscribersOf({ channel, standing }: ObservedInMemoryChannel): ChannelSubscriberStatus[] {
  const known = standing?.uid === channel.metadata.uid ? standing.subscribers : undefined;
  return (channel.spec.subscribers ?? []).flatMap((entry): ChannelSubscriberStatus[] => {
    const { uid = "", generation = 0 } = entry;
    if (uid === "") return [{ ready: "False", message: NO_UID, ...(entry.generation === undefined ? {} : { observedGeneration: generation }) }];
    const inForce = known?.get(uid);
    const isAsWritten =
      inForce !== undefined &&
      inForce.generation === generation &&
      inForce.subscriberUri === entry.subscriberUri &&
      inForce.replyUri === entry.replyUri &&
      inForce.deadLetterSinkUri === entry.delivery?.deadLetterSink?.uri;
    return isAsWritten ? [{ uid, observedGeneration: generation, ready: "True" }] : [];
  });
}

/** Written whole each time: nothing of a former spec stays. */
function statusOf(observed: ObservedInMemoryChannel, { marks, delivery }: Draw): InMemoryChannelStatus {
  const { channel } = observed;
  const { generation } = channel.metadata;
  const subscribers = subscribersOf(observed);
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: conditions.sorted(marks),
    address: { name: "http", url: channelUrl(channel) },
    ...(subscribers.length === 0 ? {} : { subscribers }),
    ...delivery,
  };
}

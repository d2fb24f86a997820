// Channel → its backing channel, whose status is its own (eventing.md 1.7).
//
// the backing channel                 BackingChannelReady                   Addressable
// is of a kind that nobody serves     False ChannelFailure                  as it was
// is not there: it is made            Unknown BackingChannelNotConfigured   False EmptyHostname
// has a Ready                         the same                              True when it has an address
//
// DeadLetterSinkResolved  True; False when there should be one and the backing channel has none
// EventPoliciesReady      True OIDCDisabled: nobody is asked who he is
import { channelConditions as conditions, type ChannelStatus } from "#kinds";
import type { Plan } from "#reconcile";
import { conditionOf, type Condition } from "#schema";
import { beginConditions, propagate } from "../../serving/status.ts";
import { channelFor, isControlledBy, unservedText } from "../backing-channel.ts";
import { NO_POLICIES } from "../without-oidc.ts";
import type { ObservedChannel } from "./observe.ts";

/** Users' kinds are not watched: until their channels are ready they are looked at again. */
const AGAIN_MS = 5_000;
const NO_SINK = { reason: "DeadLetterSinkNotConfigured", message: "No dead letter sink is configured." };
const NOT_CONFIGURED = { reason: "BackingChannelNotConfigured", message: "BackingChannel has not yet been reconciled." };

export function planChannel(observed: ObservedChannel): Plan {
  const { channel, kind, backing, nowMs } = observed;
  if (channel.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun = conditions.markTrue(beginConditions(conditions, channel), "EventPoliciesReady", NO_POLICIES);
  const template = channel.spec.channelTemplate ?? {};
  if (kind === undefined) return { desired: undefined, ...failed(observed, begun, unservedText(template)), wakeAtMs: nowMs + AGAIN_MS };
  const status = mirrored(observed, begun);
  const { delivery } = channel.spec;
  const child = channelFor(kind, {
    name: channel.metadata.name,
    parent: channel.metadata,
    template,
    ...(delivery === undefined ? {} : { spec: { delivery } }),
  });
  const isOurs = backing === undefined || isControlledBy(backing, channel.metadata.uid);
  return {
    desired: isOurs ? [child] : undefined,
    status,
    afterRefusal: ([refusal]) => failed(observed, begun, refusal?.error.message ?? ""),
    ...(conditions.isHappy(status.conditions) ? {} : { wakeAtMs: nowMs + AGAIN_MS }),
  };
}

function failed(observed: ObservedChannel, begun: readonly Condition[], why: string): Required<Pick<Plan, "status" | "events">> {
  const marks = conditions.markFalse(begun, "BackingChannelReady", { reason: "ChannelFailure", message: why });
  const { conditions: _conditions, observedGeneration: _generation, ...rest } = observed.channel.status ?? {};
  return {
    status: statusOf(observed, marks, rest),
    events: [{ type: "Warning", reason: "InternalError", message: `problem reconciling the backing channel: ${why}` }],
  };
}

function mirrored(observed: ObservedChannel, begun: readonly Condition[]): ChannelStatus {
  const { channel, backing } = observed;
  const { address, subscribers } = backing?.status ?? {};
  const { apiVersion = "", kind = "" } = channel.spec.channelTemplate ?? {};
  const { namespace = "", name } = channel.metadata;
  const isReached = address?.url !== undefined && address.url !== "";
  const addressed = isReached
    ? conditions.markTrue(markBacking(begun, observed), "Addressable")
    : conditions.markFalse(markBacking(begun, observed), "Addressable", { reason: "EmptyHostname", message: "hostname is the empty string" });
  const { marks, delivery } = markSink(addressed, observed);
  return statusOf(observed, marks, {
    ...(address === undefined ? {} : { address }),
    ...(subscribers === undefined ? {} : { subscribers }),
    ...delivery,
    channel: { apiVersion, kind, name, namespace },
  });
}

function markBacking(marks: readonly Condition[], { backing }: ObservedChannel): Condition[] {
  const ready = conditionOf(backing?.status?.conditions, "Ready");
  if (ready === undefined) return conditions.markUnknown(marks, "BackingChannelReady", NOT_CONFIGURED);
  return propagate(conditions, marks, "BackingChannelReady", ready);
}

type DeliveryStatus = Pick<ChannelStatus, "deadLetterSinkUri" | "deadLetterSinkCACerts" | "deadLetterSinkAudience">;

function markSink(marks: readonly Condition[], { channel, backing }: ObservedChannel): { readonly marks: Condition[]; readonly delivery: DeliveryStatus } {
  const type = "DeadLetterSinkResolved";
  if (channel.spec.delivery?.deadLetterSink === undefined) return { marks: conditions.markTrue(marks, type, NO_SINK), delivery: {} };
  const { deadLetterSinkUri, deadLetterSinkCACerts, deadLetterSinkAudience } = backing?.status ?? {};
  if (deadLetterSinkUri === undefined) {
    const why = { reason: `Backing Channel ${channel.metadata.name} didn't set status.deadLetterSinkURI` };
    return { marks: conditions.markFalse(marks, type, why), delivery: {} };
  }
  const delivery = {
    deadLetterSinkUri,
    ...(deadLetterSinkCACerts === undefined ? {} : { deadLetterSinkCACerts }),
    ...(deadLetterSinkAudience === undefined ? {} : { deadLetterSinkAudience }),
  };
  return { marks: conditions.markTrue(marks, type), delivery };
}

function statusOf({ channel }: ObservedChannel, marks: readonly Condition[], rest: Partial<ChannelStatus>): ChannelStatus {
  const { generation } = channel.metadata;
  return { ...rest, ...(generation === undefined ? {} : { observedGeneration: generation }), conditions: conditions.sorted(marks) };
}

// Subscription → its entry in the channel that keeps the events (eventing.md 1.9).
//
// channel            subscriber, reply, sink   ReferencesResolved             AddedToChannel   ChannelReady
// missing, unready   –                         Unknown ChannelReferenceFailed as it was        as it was
// found              one leads nowhere         False *ResolveFailed           as it was        as it was
// found              all lead somewhere        True                           True, patched    as the channel says of this generation
//
// OIDCIdentityCreated  True: nobody is asked who he is
// Deleted: the entry goes first, then our finalizer.
// An entry is patched with the version of the channel that was read: two Subscriptions at a time would lose one.
import {
  CLUSTER_DOMAIN,
  messaging,
  resolveDestination,
  Subscription,
  subscriptionConditions as conditions,
  type Destination,
  type SubscriptionStatus,
} from "#kinds";
import type { Patch, Plan, PlanEvent } from "#reconcile";
import { equal, type Condition, type Kind } from "#schema";
import { beginConditions } from "../../serving/status.ts";
import { NO_OIDC } from "../without-oidc.ts";
import { deliveryFor, entryFor, withEntry, withoutEntry, type Physical } from "./entry.ts";
import type { FoundChannel, ObservedSubscription } from "./observe.ts";

/** Objects of users' kinds are not watched: what leads nowhere is looked at again. */
const AGAIN_MS = 5_000;
const NOT_MARKED = "SubscriptionNotMarkedReadyByChannel";
const KIND = Subscription as unknown as Kind;

type PhysicalChannel = NonNullable<FoundChannel["physical"]>;

interface Draw {
  readonly marks: Condition[];
  readonly physical: Physical;
  /** Why the references lead nowhere. */
  readonly warning?: PlanEvent;
}

export function planSubscription(observed: ObservedSubscription): Plan {
  const { subscription, channel, nowMs } = observed;
  if (subscription.metadata.deletionTimestamp !== undefined) return planRemoval(observed);
  const begun = conditions.markTrue(beginConditions(conditions, subscription), "OIDCIdentityCreated", NO_OIDC);
  const kept = subscription.status?.physicalSubscription ?? {};
  const held = holding(observed);
  if (channel.physical === undefined || channel.error !== undefined) {
    const message = `Failed to get Spec.Channel or backing channel: ${channel.error ?? ""}`;
    const why = { reason: "ChannelReferenceFailed", message };
    const marks = conditions.markUnknown(begun, "ReferencesResolved", why);
    return { ...held, status: statusOf(observed, marks, kept), events: [...(held.events ?? []), { type: "Warning", ...why }], wakeAtMs: nowMs + AGAIN_MS };
  }
  const { marks, physical, warning } = resolved(observed, channel.physical, begun);
  if (warning !== undefined) {
    return { ...held, status: statusOf(observed, marks, physical), events: [...(held.events ?? []), warning], wakeAtMs: nowMs + AGAIN_MS };
  }
  return planEntry(observed, channel.physical, { marks, physical });
}

/** Before anything is written into a channel, it is made sure that it will be taken out again. */
function holding({ subscription }: ObservedSubscription): Pick<Plan, "desired" | "patches" | "events"> {
  const { finalizers = [], name, namespace = "", resourceVersion } = subscription.metadata;
  if (finalizers.includes(messaging.subscriptionsFinalizer)) return { desired: undefined };
  const body = { metadata: { resourceVersion, finalizers: [...finalizers, messaging.subscriptionsFinalizer] } };
  return { desired: undefined, patches: [selfPatch(namespace, name, body)], events: [finalizersUpdated(name)] };
}

function selfPatch(namespace: string, name: string, body: object): Patch {
  return { kind: KIND, namespace, name, type: "application/merge-patch+json", body };
}

function finalizersUpdated(name: string): PlanEvent {
  return { type: "Normal", reason: "FinalizerUpdate", message: `Updated ${JSON.stringify(name)} finalizers` };
}

function planEntry(observed: ObservedSubscription, { kind, object }: PhysicalChannel, { marks, physical }: Draw): Plan {
  const { subscription } = observed;
  const held = holding(observed);
  const entries = withEntry(object, entryFor(subscription, physical, deliveryFor(subscription, object, physical)));
  const added = conditions.markTrue(marks, "AddedToChannel");
  if (equal(entries, object.spec?.subscribers ?? [])) {
    const { marks: ready, warning } = markChannel(observed, object, added);
    return { ...held, status: statusOf(observed, ready, physical), events: [...(held.events ?? []), ...(warning === undefined ? [] : [warning])] };
  }
  const synced: PlanEvent = {
    type: "Normal",
    reason: "SubscriberSync",
    message: `Subscription was synchronized to channel ${JSON.stringify(object.metadata.name)}`,
  };
  return {
    ...held,
    patches: [...(held.patches ?? []), entriesPatch(kind, object, entries)],
    status: statusOf(observed, markChannel(observed, object, added).marks, physical),
    events: [...(held.events ?? []), synced],
  };
}

function entriesPatch(kind: PhysicalChannel["kind"], { metadata }: PhysicalChannel["object"], subscribers: readonly unknown[]): Patch {
  const { namespace = "", name, resourceVersion } = metadata;
  return { kind, namespace, name, type: "application/merge-patch+json", body: { metadata: { resourceVersion }, spec: { subscribers } } };
}

function planRemoval({ subscription, channel: { physical } }: ObservedSubscription): Plan {
  const { finalizers = [], name, namespace = "", resourceVersion, uid } = subscription.metadata;
  if (!finalizers.includes(messaging.subscriptionsFinalizer)) return { desired: undefined };
  const body = { metadata: { resourceVersion, finalizers: finalizers.filter((finalizer) => finalizer !== messaging.subscriptionsFinalizer) } };
  const last = selfPatch(namespace, name, body);
  const before = physical?.object.spec?.subscribers ?? [];
  if (physical === undefined || !before.some((entry) => entry.uid === uid)) return { desired: undefined, patches: [last], events: [finalizersUpdated(name)] };
  const message = `Subscription was removed from channel ${JSON.stringify(physical.object.metadata.name)}`;
  return {
    desired: undefined,
    patches: [entriesPatch(physical.kind, physical.object, withoutEntry(physical.object, uid)), last],
    events: [{ type: "Normal", reason: "SubscriberRemoved", message }, finalizersUpdated(name)],
  };
}

/** Subscriber, reply, sink, in this order; what comes behind the first that leads nowhere stays as it was. */
function resolved(observed: ObservedSubscription, { object }: PhysicalChannel, begun: readonly Condition[]): Draw {
  const { spec, status } = observed.subscription;
  let physical: Physical = status?.physicalSubscription ?? {};
  for (const [part, destination] of [
    ["subscriber", spec.subscriber],
    ["reply", spec.reply],
  ] as const) {
    const found = addressOf(observed, destination);
    physical = withAddress(physical, part, "error" in found ? {} : found);
    if ("error" in found) {
      const reason = part === "subscriber" ? "SubscriberResolveFailed" : "ReplyResolveFailed";
      return notResolved(begun, physical, { reason, message: `Failed to resolve spec.${part}: ${found.error}` });
    }
  }
  const sink = sinkOf(observed, object);
  physical = withAddress(physical, "deadLetterSink", "error" in sink ? {} : sink);
  if ("error" in sink) return notResolved(begun, physical, { reason: "DeadLetterSinkResolveFailed", message: sink.error });
  return { marks: conditions.markTrue(begun, "ReferencesResolved"), physical };
}

interface Address {
  readonly url?: string;
  readonly CACerts?: string;
  readonly audience?: string;
}

type Found = Address | { readonly error: string };

/** Nothing is named: an address without a URL. */
function addressOf({ find }: ObservedSubscription, destination: Destination | undefined): Found {
  if (destination === undefined || Object.values(destination).every((value) => value === undefined)) return {};
  const found = resolveDestination(destination, { find, clusterDomain: CLUSTER_DOMAIN });
  return "error" in found ? found : found.address;
}

/** The Subscription's own, else the channel's. */
function sinkOf(observed: ObservedSubscription, { metadata, spec, status }: PhysicalChannel["object"]): Found {
  const own = observed.subscription.spec.delivery?.deadLetterSink;
  if (own !== undefined) {
    const found = addressOf(observed, own);
    return "error" in found ? { error: `Failed to resolve spec.delivery.deadLetterSink: ${found.error}` } : found;
  }
  if (spec?.delivery?.deadLetterSink === undefined) return {};
  const { deadLetterSinkUri: url, deadLetterSinkCACerts: CACerts, deadLetterSinkAudience: audience } = status ?? {};
  if (url === undefined) return { error: `channel ${metadata.name} didn't set status.deadLetterSinkURI` };
  return { url, ...(CACerts === undefined ? {} : { CACerts }), ...(audience === undefined ? {} : { audience }) };
}

function withAddress(physical: Physical, part: "subscriber" | "reply" | "deadLetterSink", { url, CACerts, audience }: Address): Physical {
  const named = { [`${part}Uri`]: url, [`${part}CACerts`]: CACerts, [`${part}Audience`]: audience };
  return Object.fromEntries(Object.entries({ ...physical, ...named }).filter(([, value]) => value !== undefined));
}

function notResolved(begun: readonly Condition[], physical: Physical, why: { readonly reason: string; readonly message: string }): Draw {
  return { marks: conditions.markFalse(begun, "ReferencesResolved", why), physical, warning: { type: "Warning", ...why } };
}

function markChannel(
  { subscription }: ObservedSubscription,
  { metadata, status }: PhysicalChannel["object"],
  marks: readonly Condition[],
): { readonly marks: Condition[]; readonly warning?: PlanEvent } {
  const { uid, generation = 0, name } = subscription.metadata;
  const said = status?.subscribers?.find((entry) => entry.uid === uid && (entry.observedGeneration ?? 0) === generation);
  const type = "ChannelReady";
  if (said?.ready === "True") return { marks: conditions.markTrue(marks, type) };
  if (said?.ready === "False") return { marks: conditions.markFalse(marks, type, { reason: NOT_MARKED, message: "Subscription marked by Channel as False" }) };
  if (said !== undefined) return { marks: conditions.markUnknown(marks, type, { reason: NOT_MARKED, message: "Subscription marked by Channel as Unknown" }) };
  const error = `subscription ${JSON.stringify(name)} not present in channel ${JSON.stringify(metadata.name)} subscriber's list`;
  const why = { reason: NOT_MARKED, message: `Failed to get subscription status: ${error}` };
  return { marks: conditions.markUnknown(marks, type, why), warning: { type: "Warning", ...why } };
}

function statusOf({ subscription }: ObservedSubscription, marks: readonly Condition[], physical: Physical): SubscriptionStatus {
  const { generation } = subscription.metadata;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: conditions.sorted(marks),
    physicalSubscription: physical,
  };
}

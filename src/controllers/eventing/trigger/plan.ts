// The status of a Trigger (eventing.md 1.2). There is no Subscription: the events thread's cursor stands for it.
//
// BrokerReady             as the Broker's Ready; False BrokerDoesNotExist. While it is not True all the rest stays as it is
// SubscriberResolved      False when the subscriber has no address; then its URI is taken from the status
// DeadLetterSinkResolved  the Trigger's own sink, else the Broker's
// SubscriptionReady       True once the events thread delivers by exactly this spec and these URIs
// DependencyReady         as the Ready of what the annotation names
// OIDCIdentityCreated     True: nobody is asked who he is
import {
  brokerConditions,
  CLUSTER_DOMAIN,
  eventing,
  resolveDestination,
  triggerConditions as conditions,
  type Broker,
  type ResolvedAddress,
  type TriggerStatus,
} from "#kinds";
import type { Plan } from "#reconcile";
import { conditionOf, type Condition, type KubeObject } from "#schema";
import { beginConditions, isReady, propagate, type WithConditions } from "../../serving/status.ts";
import { isOf } from "../standing.ts";
import { NO_OIDC } from "../without-oidc.ts";
import type { ObservedTrigger } from "./observe.ts";

const NOT_SUBSCRIBED = { reason: "SubscriptionNotConfigured", message: "Subscription has not yet been reconciled." };

type Addresses = Pick<
  TriggerStatus,
  "subscriberUri" | "subscriberCACerts" | "subscriberAudience" | "deadLetterSinkUri" | "deadLetterSinkCACerts" | "deadLetterSinkAudience"
>;

interface Draw {
  readonly marks: Condition[];
  readonly addresses: Addresses;
  readonly failure?: string;
}

export function planTrigger(observed: ObservedTrigger): Plan {
  const { trigger, broker, brokerName } = observed;
  if (trigger.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun = conditions.markTrue(beginConditions(conditions, trigger), "OIDCIdentityCreated", NO_OIDC);
  const kept = { addresses: addressesOf(trigger.status ?? {}) };
  if (broker === undefined) {
    const message = `Broker ${JSON.stringify(brokerName)} does not exist`;
    return planOf(observed, { ...kept, marks: conditions.markFalse(begun, "BrokerReady", { reason: "BrokerDoesNotExist", message }) });
  }
  if (broker.metadata.annotations?.[eventing.brokerClass] !== eventing.mtClass) return { desired: undefined };
  const marks = markBroker(begun, broker);
  if (!isReady(broker as WithConditions)) return planOf(observed, { ...kept, marks });
  return planOf(observed, markDependency(markSubscribed(resolved(observed, marks), observed), observed));
}

function planOf({ trigger }: ObservedTrigger, { marks, addresses, failure }: Draw): Plan {
  const { generation } = trigger.metadata;
  const status: TriggerStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: conditions.sorted(marks),
    ...addresses,
  };
  return { desired: undefined, status, ...(failure === undefined ? {} : { failure }) };
}

function addressesOf({
  subscriberUri,
  subscriberCACerts,
  subscriberAudience,
  deadLetterSinkUri,
  deadLetterSinkCACerts,
  deadLetterSinkAudience,
}: TriggerStatus): Addresses {
  const all = { subscriberUri, subscriberCACerts, subscriberAudience, deadLetterSinkUri, deadLetterSinkCACerts, deadLetterSinkAudience };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function markBroker(marks: readonly Condition[], broker: Broker): Condition[] {
  const ready = conditionOf(broker.status?.conditions, brokerConditions.happy);
  if (ready === undefined) {
    return conditions.markUnknown(marks, "BrokerReady", { reason: "BrokerNotConfigured", message: "Broker has not yet been reconciled." });
  }
  return propagate(conditions, marks, "BrokerReady", ready);
}

/** Subscriber first; without one, the sink stays as it was. */
function resolved(observed: ObservedTrigger, marks: readonly Condition[]): Draw {
  const { trigger, find } = observed;
  const found = resolveDestination(trigger.spec.subscriber, { find, clusterDomain: CLUSTER_DOMAIN });
  if ("error" in found) {
    const why = { reason: "Unable to get the Subscriber's URI", message: found.error };
    const { subscriberUri: _u, subscriberCACerts: _c, subscriberAudience: _a, ...sink } = addressesOf(trigger.status ?? {});
    return { marks: conditions.markFalse(marks, "SubscriberResolved", why), addresses: sink, failure: found.error };
  }
  const { url, CACerts, audience } = found.address;
  const subscriber = {
    subscriberUri: url,
    ...(CACerts === undefined ? {} : { subscriberCACerts: CACerts }),
    ...(audience === undefined ? {} : { subscriberAudience: audience }),
  };
  const sink = markSink(observed, conditions.markTrue(marks, "SubscriberResolved"));
  return { ...sink, addresses: { ...subscriber, ...sink.addresses } };
}

function markSink({ trigger, broker, find }: ObservedTrigger, marks: readonly Condition[]): Draw {
  const own = trigger.spec.delivery?.deadLetterSink;
  if (own !== undefined) {
    const found = resolveDestination(own, { find, clusterDomain: CLUSTER_DOMAIN });
    if ("address" in found) return { marks: conditions.markTrue(marks, "DeadLetterSinkResolved"), addresses: sinkAddresses(found.address) };
    const why = { reason: "Unable to get the dead letter sink's URI", message: found.error };
    return { marks: conditions.markFalse(marks, "DeadLetterSinkResolved", why), addresses: {}, failure: found.error };
  }
  if (broker?.spec.delivery?.deadLetterSink === undefined) {
    const why = { reason: "DeadLetterSinkNotConfigured", message: "No dead letter sink is configured." };
    return { marks: conditions.markTrue(marks, "DeadLetterSinkResolved", why), addresses: {} };
  }
  const { deadLetterSinkUri: url, deadLetterSinkCACerts: CACerts, deadLetterSinkAudience: audience } = broker.status ?? {};
  if (url === undefined) {
    const reason = `Broker ${broker.metadata.name} didn't set status.deadLetterSinkURI`;
    const failure = `broker ${broker.metadata.name} didn't set status.deadLetterSinkURI`;
    return { marks: conditions.markFalse(marks, "DeadLetterSinkResolved", { reason }), addresses: {}, failure };
  }
  const address = { url, ...(CACerts === undefined ? {} : { CACerts }), ...(audience === undefined ? {} : { audience }) };
  return { marks: conditions.markTrue(marks, "DeadLetterSinkResolved"), addresses: sinkAddresses(address) };
}

function sinkAddresses({ url, CACerts, audience }: ResolvedAddress): Addresses {
  return {
    deadLetterSinkUri: url,
    ...(CACerts === undefined ? {} : { deadLetterSinkCACerts: CACerts }),
    ...(audience === undefined ? {} : { deadLetterSinkAudience: audience }),
  };
}

/** The thread takes URIs from the status: what is written in this pass is in force in a later one. */
function markSubscribed(draw: Draw, { trigger, standing }: ObservedTrigger): Draw {
  if (draw.failure !== undefined) return draw;
  const { subscriberUri, subscriberCACerts, deadLetterSinkUri } = draw.addresses;
  const isInForce =
    isOf(standing, trigger) &&
    standing.subscriberUri === subscriberUri &&
    standing.subscriberCaCerts === subscriberCACerts &&
    standing.deadLetterSinkUri === deadLetterSinkUri;
  const marks = isInForce ? conditions.markTrue(draw.marks, "SubscriptionReady") : conditions.markUnknown(draw.marks, "SubscriptionReady", NOT_SUBSCRIBED);
  return { ...draw, marks };
}

function markDependency(draw: Draw, { trigger, dependency }: ObservedTrigger): Draw {
  if (draw.failure !== undefined) return draw;
  const type = "DependencyReady";
  const annotation = trigger.metadata.annotations?.[eventing.dependency];
  if (annotation === undefined) return { ...draw, marks: conditions.markTrue(draw.marks, type) };
  if (dependency === undefined) {
    const message = `Unable to unmarshal objectReference from dependency annotation of trigger: ${annotation}`;
    return { ...draw, marks: conditions.markFalse(draw.marks, type, { reason: "ReferenceError", message }), failure: message };
  }
  if ("error" in dependency) {
    const message = `Dependency does not exist: ${dependency.error}`;
    return { ...draw, marks: conditions.markFalse(draw.marks, type, { reason: "DependencyDoesNotExist", message }), failure: message };
  }
  return { ...draw, marks: markAs(draw.marks, dependency) };
}

function markAs(marks: readonly Condition[], dependency: KubeObject): Condition[] {
  const type = "DependencyReady";
  const { metadata, status } = dependency as WithConditions;
  if (metadata.generation !== status?.observedGeneration) {
    const message = `The dependency's metadata.generation, "${metadata.generation ?? 0}", is not equal to its status.observedGeneration, "${status?.observedGeneration ?? 0}".`;
    return conditions.markUnknown(marks, type, { reason: "GenerationNotEqual", message });
  }
  const ready = conditionOf(status?.conditions, "Ready");
  if (ready === undefined) {
    return conditions.markUnknown(marks, type, { reason: "DependencyNotConfigured", message: "Dependency has not yet been reconciled." });
  }
  return propagate(conditions, marks, type, ready);
}

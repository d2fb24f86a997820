// The status of a Broker of class MTChannelBasedBroker (eventing.md 1.1): no channel is behind it but a stream of the log.
//
// the events thread            TriggerChannelReady   IngressReady, FilterReady        Addressable
// has not acknowledged it      False NoAddress       False EndpointSlicesUnavailable  True
// serves this very spec        True                  True                             True
//
// DeadLetterSinkResolved  False when the sink has no address, which is tried again
// EventPoliciesReady      True OIDCDisabled: nobody is asked who he is
import { CLUSTER_DOMAIN, EVENTING_NAMESPACE, eventing, brokerConditions as conditions, resolveDestination, type Broker, type BrokerStatus } from "#kinds";
import type { Plan } from "#reconcile";
import type { Condition } from "#schema";
import { beginConditions } from "../../serving/status.ts";
import { isOf } from "../standing.ts";
import { NO_POLICIES } from "../without-oidc.ts";
import type { ObservedBroker } from "./observe.ts";

/** The name under which all Brokers are reached. */
export const BROKER_INGRESS = `broker-ingress.${EVENTING_NAMESPACE}.svc.${CLUSTER_DOMAIN}`;

/** Annotation of the status: the address for people outside of the cluster. */
const OUTER_URL = "eider.dev/url";
const UNSUPPORTED_CONFIG = "Broker.Spec.Config configuration not supported, only [kind: ConfigMap, apiVersion: v1]";
const UNAVAILABLE = { reason: "EndpointSlicesUnavailable", message: "EndpointSlices are unavailable." };

type DeliveryStatus = Pick<BrokerStatus, "deadLetterSinkUri" | "deadLetterSinkCACerts" | "deadLetterSinkAudience">;

/** The name after which a Knative Broker is addressed. */
export function brokerUrl({ metadata: { namespace = "", name } }: Broker): string {
  return `http://${BROKER_INGRESS}/${namespace}/${name}`;
}

export function planBroker(observed: ObservedBroker): Plan {
  const { broker, standing } = observed;
  const isOurs = broker.metadata.annotations?.[eventing.brokerClass] === eventing.mtClass;
  if (!isOurs || broker.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun = beginConditions(conditions, broker);
  const { config } = broker.spec;
  if (config !== undefined && config.kind !== "ConfigMap") {
    const message = `Error on setting up the ChannelTemplate: ${UNSUPPORTED_CONFIG}`;
    const marks = conditions.markFalse(begun, "TriggerChannelReady", { reason: "ChannelTemplateFailed", message });
    return { desired: undefined, status: statusOf(observed, marks, {}), failure: UNSUPPORTED_CONFIG };
  }
  const served = markServed(begun, isOf(standing, broker));
  const { marks, delivery, failure } = markSink(served, observed);
  const reached = conditions.markTrue(conditions.markTrue(marks, "Addressable"), "EventPoliciesReady", NO_POLICIES);
  return { desired: undefined, status: statusOf(observed, reached, delivery), ...(failure === undefined ? {} : { failure }) };
}

function markServed(begun: readonly Condition[], isInForce: boolean): Condition[] {
  if (isInForce)
    return ["TriggerChannelReady", "FilterReady", "IngressReady"].reduce<Condition[]>((marks, type) => conditions.markTrue(marks, type), [...begun]);
  const noStream = conditions.markFalse(begun, "TriggerChannelReady", { reason: "NoAddress", message: "Channel does not have an address." });
  return conditions.markFalse(conditions.markFalse(noStream, "FilterReady", UNAVAILABLE), "IngressReady", UNAVAILABLE);
}

interface Sink {
  readonly marks: Condition[];
  readonly delivery: DeliveryStatus;
  readonly failure?: string;
}

function markSink(marks: readonly Condition[], { broker, find }: ObservedBroker): Sink {
  const sink = broker.spec.delivery?.deadLetterSink;
  if (sink === undefined) {
    const why = { reason: "DeadLetterSinkNotConfigured", message: "No dead letter sink is configured." };
    return { marks: conditions.markTrue(marks, "DeadLetterSinkResolved", why), delivery: {} };
  }
  const resolved = resolveDestination(sink, { find, clusterDomain: CLUSTER_DOMAIN });
  if ("error" in resolved) {
    const why = { reason: "Unable to get the dead letter sink's URI", message: resolved.error };
    return { marks: conditions.markFalse(marks, "DeadLetterSinkResolved", why), delivery: {}, failure: resolved.error };
  }
  const { url, CACerts, audience } = resolved.address;
  const delivery = {
    deadLetterSinkUri: url,
    ...(CACerts === undefined ? {} : { deadLetterSinkCACerts: CACerts }),
    ...(audience === undefined ? {} : { deadLetterSinkAudience: audience }),
  };
  return { marks: conditions.markTrue(marks, "DeadLetterSinkResolved"), delivery };
}

/** Written whole each time: nothing of a former spec stays. */
function statusOf({ broker, outerUrl }: ObservedBroker, marks: readonly Condition[], delivery: DeliveryStatus): BrokerStatus {
  const { generation } = broker.metadata;
  return {
    ...(outerUrl === undefined ? {} : { annotations: { [OUTER_URL]: `${outerUrl}/${broker.metadata.namespace ?? ""}/${broker.metadata.name}` } }),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: conditions.sorted(marks),
    address: { name: "http", url: brokerUrl(broker) },
    ...delivery,
  };
}

// The status of a PingSource (eventing.md 1.12). No Deployment is behind it: the events thread sends.
//
// sink         events thread               SinkProvided      Deployed
// no address   –                           False NotFound    as it was
// an address   has not acknowledged it     True              Unknown DeploymentUnavailable
// an address   sends by this very spec     True              True
import { CLUSTER_DOMAIN, pingSourceConditions as conditions, resolveDestination, type PingSource, type PingSourceStatus } from "#kinds";
import type { Plan } from "#reconcile";
import type { Condition } from "#schema";
import { beginConditions } from "../../serving/status.ts";
import { sinkNotFound, sinkStatus } from "../sink.ts";
import { isOf } from "../standing.ts";
import type { ObservedPingSource } from "./observe.ts";
import { NO_OIDC } from "../without-oidc.ts";

const TYPE = "dev.knative.sources.ping";
/** The Deployment that stands behind all of them elsewhere. */
const ADAPTER = "pingsource-mt-adapter";
const NOT_SENDING = { reason: "DeploymentUnavailable", message: `The Deployment '${ADAPTER}' is unavailable.` };

export function planPingSource({ source, find, standing }: ObservedPingSource): Plan {
  if (source.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun = conditions.markTrue(beginConditions(conditions, source), "OIDCIdentityCreated", NO_OIDC);
  const { sink } = source.spec;
  const found = resolveDestination(sink, { find, clusterDomain: CLUSTER_DOMAIN });
  if ("error" in found) {
    const marks = conditions.markFalse(begun, "SinkProvided", { reason: "NotFound" });
    return { desired: undefined, status: statusOf(source, marks, {}), events: [sinkNotFound(sink)], failure: found.error };
  }
  const addresses = sinkStatus(found.address);
  const isInForce = isOf(standing, source) && standing.subscriberUri === addresses.sinkUri && standing.subscriberCaCerts === addresses.sinkCACerts;
  const provided = conditions.markTrue(begun, "SinkProvided");
  const marks = isInForce ? conditions.markTrue(provided, "Deployed") : conditions.markUnknown(provided, "Deployed", NOT_SENDING);
  return { desired: undefined, status: statusOf(source, marks, addresses) };
}

function statusOf({ metadata }: PingSource, marks: readonly Condition[], addresses: object): PingSourceStatus {
  const { generation, namespace = "", name } = metadata;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ceAttributes: [{ type: TYPE, source: `/apis/v1/namespaces/${namespace}/pingsources/${name}` }],
    conditions: conditions.sorted(marks),
    ...addresses,
  };
}

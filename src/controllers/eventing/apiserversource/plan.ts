// What an ApiServerSource watches, and its status (eventing.md 1.13). No Deployment is behind it: the platform watches for it.
//
// sink        ServiceAccount   watches              SinkProvided     SufficientPermissions   Deployed
// no address  –                as they were         False NotFound   as it was               as it was
// an address  may not          as they were         True             False                   as it was
// an address  may              do not know all yet  True             True                    Unknown DeploymentUnavailable
// an address  may              know what exists     True             True                    True
import {
  apiServerSourceConditions as conditions,
  childName,
  CLUSTER_DOMAIN,
  resolveDestination,
  type ApiServerSource,
  type ApiServerSourceStatus,
} from "#kinds";
import type { Plan } from "#reconcile";
import { formatLabelSelector, requirementsOf, type Condition } from "#schema";
import { beginConditions } from "../../serving/status.ts";
import { sinkNotFound, sinkStatus } from "../sink.ts";
import { isEverywhere, type Denied, type ObservedApiServerSource } from "./observe.ts";
import { configText, type SourceConfig } from "./watches.ts";
import { NO_OIDC } from "../without-oidc.ts";

export interface FollowEffect {
  readonly do: "follow";
  readonly key: { readonly namespace: string; readonly name: string };
  readonly config: SourceConfig;
}

export function planApiServerSource(observed: ObservedApiServerSource): Plan<FollowEffect> {
  const { source, find, denied, inForce } = observed;
  if (source.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun = conditions.markTrue(beginConditions(conditions, source), "OIDCIdentityCreated", NO_OIDC);
  const { sink } = source.spec;
  const found = resolveDestination(sink, { find, clusterDomain: CLUSTER_DOMAIN });
  if ("error" in found) {
    const marks = conditions.markFalse(begun, "SinkProvided", { reason: "NotFound" });
    return { desired: undefined, status: statusOf(observed, marks, {}), events: [sinkNotFound(sink)], failure: found.error };
  }
  const addresses = sinkStatus(found.address);
  const provided = conditions.markTrue(begun, "SinkProvided");
  const lacking = observed.kinds.findIndex((kind) => kind === undefined);
  if (denied.length > 0 || lacking >= 0) {
    const { apiVersion = "", kind = "" } = source.spec.resources[lacking] ?? {};
    const message = denied.length > 0 ? deniedText(source, denied) : `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`;
    const marks = conditions.markFalse(provided, "SufficientPermissions", { reason: "", message });
    return { desired: undefined, status: statusOf(observed, marks, addresses), failure: `insufficient permissions: ${message}` };
  }
  const permitted = conditions.markTrue(provided, "SufficientPermissions");
  const { sinkUri = "", sinkCACerts } = addresses;
  const config = configOf(observed, { url: sinkUri, ...(sinkCACerts === undefined ? {} : { caCerts: sinkCACerts }) });
  const { name, namespace = "", uid } = source.metadata;
  const message = `The Deployment '${childName(`apiserversource-${name}-`, uid)}' is unavailable.`;
  const isInForce = inForce === configText(config);
  const marks = isInForce
    ? conditions.markTrue(permitted, "Deployed")
    : conditions.markUnknown(permitted, "Deployed", { reason: "DeploymentUnavailable", message });
  return { desired: undefined, status: statusOf(observed, marks, addresses), effects: isInForce ? [] : [{ do: "follow", key: { namespace, name }, config }] };
}

/** Only the verbs that are missing. */
function deniedText({ metadata, spec }: ApiServerSource, denied: readonly Denied[]): string {
  const user = `system:serviceaccount:${metadata.namespace ?? ""}:${spec.serviceAccountName ?? "default"}`;
  const each = denied.map(
    ({ verbs, kind, namespace }) => `${verbs.join(", ")} resource "${kind.plural}" in API group "${kind.group}" in Namespace "${namespace}"`,
  );
  return `User ${user} cannot ${each.join(", ")}`;
}

function configOf({ source, kinds, namespaces, host }: ObservedApiServerSource, target: SourceConfig["target"]): SourceConfig {
  const { metadata, spec } = source;
  const { resources, owner, filters = [], ceOverrides, mode = "Reference", namespaceSelector } = spec;
  return {
    uid: metadata.uid,
    namespace: metadata.namespace ?? "",
    mode,
    resources: resources.flatMap(({ selector }, index) => {
      const kind = kinds[index];
      return kind === undefined ? [] : [{ kind, labelSelector: formatLabelSelector(requirementsOf(selector ?? {}) ?? []) }];
    }),
    namespaces: isEverywhere(namespaceSelector) ? undefined : namespaces,
    ...(owner === undefined ? {} : { owner }),
    filters,
    overrides: ceOverrides?.extensions ?? {},
    host,
    target,
  };
}

function statusOf({ source, namespaces, host }: ObservedApiServerSource, marks: readonly Condition[], addresses: object): ApiServerSourceStatus {
  const { generation } = source.metadata;
  const what = source.spec.mode === "Resource" ? "resource" : "ref";
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ceAttributes: ["add", "delete", "update"].map((change) => ({ type: `dev.knative.apiserver.${what}.${change}`, source: host })),
    conditions: conditions.sorted(marks),
    namespaces: [...namespaces],
    ...addresses,
  };
}

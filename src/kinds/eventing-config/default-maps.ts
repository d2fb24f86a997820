// The ConfigMaps of knative-eventing that a platform is born with.
import type { Draft } from "#schema";
import type { ConfigMapObject } from "../config/default-config-maps.ts";
import { SHIPPED_BROKER_DEFAULTS } from "./broker-defaults.ts";
import { SHIPPED_CHANNEL_DEFAULTS } from "./channel-defaults.ts";

/** The namespace of Knative Eventing's own objects. */
export const EVENTING_NAMESPACE = "knative-eventing";

/** Data by name; unlike those of Serving they tell their defaults in the open. */
const MAPS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "config-br-default-channel": { "channel-template-spec": "apiVersion: messaging.knative.dev/v1\nkind: InMemoryChannel\n" },
  "config-br-defaults": { "default-br-config": SHIPPED_BROKER_DEFAULTS },
  "config-imc-event-dispatcher": { MaxIdleConnections: "1000", MaxIdleConnectionsPerHost: "100" },
  "config-leader-election": {},
  "config-logging": {},
  "config-observability": {},
  "config-ping-defaults": { "data-max-size": "-1" },
  "config-sugar": { "namespace-selector": "", "trigger-selector": "" },
  "default-ch-webhook": { "default-ch-config": SHIPPED_CHANNEL_DEFAULTS },
  "config-features": {
    "kreference-group": "disabled",
    "delivery-retryafter": "disabled",
    "delivery-timeout": "enabled",
    "kreference-mapping": "disabled",
    "transport-encryption": "disabled",
    "eventtype-auto-create": "disabled",
    "authentication-oidc": "disabled",
    "default-authorization-mode": "allow-same-namespace",
    "cross-namespace-event-links": "disabled",
    "new-apiserversource-filters": "disabled",
  },
};

/** Created at the first start; `version` is a label. */
export function defaultEventingConfigMaps({ version }: { readonly version: string }): Draft<ConfigMapObject>[] {
  return Object.entries(MAPS).map(([name, data]) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: EVENTING_NAMESPACE, labels: { "app.kubernetes.io/name": "knative-eventing", "app.kubernetes.io/version": version } },
    data: { ...data },
  }));
}

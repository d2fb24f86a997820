// config-features of knative-eventing: which optional fields and behaviours are allowed (eventing.md §4.5).
import type { ConfigData } from "../config/reader.ts";

export type EventingFlag = "Enabled" | "Allowed" | "Disabled";

const FLAGS = {
  authenticationOidc: ["authentication-oidc", "Disabled"],
  crossNamespaceEventLinks: ["cross-namespace-event-links", "Disabled"],
  deliveryRetryAfter: ["delivery-retryafter", "Disabled"],
  deliveryTimeout: ["delivery-timeout", "Enabled"],
  eventTypeAutoCreate: ["eventtype-auto-create", "Disabled"],
  kreferenceGroup: ["kreference-group", "Disabled"],
  kreferenceMapping: ["kreference-mapping", "Disabled"],
  newApiServerFilters: ["new-apiserversource-filters", "Disabled"],
} as const satisfies Record<string, readonly [string, EventingFlag]>;

export interface EventingFeatures extends Readonly<Record<keyof typeof FLAGS, EventingFlag>> {
  readonly transportEncryption: "Disabled" | "Permissive" | "Strict";
  readonly defaultAuthorizationMode: "Allow-All" | "Deny-All" | "Allow-Same-Namespace";
  readonly requestReplyDefaultTimeout: string;
  readonly oidcDiscoveryBaseUrl: string;
  /** Labels of nodes that adapters of ApiServerSources want. */
  readonly apiServerSourceNodeSelector: Readonly<Record<string, string>>;
}

const NODE_SELECTOR = "apiserversources-nodeselector-";

/** The word of `words` that the text is in any case; the first one when it is none. */
function word<const W extends readonly string[]>(text: string | undefined, words: W): W[number] {
  return words.find((each) => each.toLowerCase() === text?.toLowerCase()) ?? (words[0] as W[number]);
}

/** Never fails: a value that is not understood leaves the default. */
export function parseEventingFeatures(data: ConfigData): EventingFeatures {
  const flags = Object.entries(FLAGS).map(([name, [key, fallback]]) => [name, word(data[key], [fallback, "Enabled", "Allowed", "Disabled"])]);
  const selectors = Object.entries(data).filter(([key]) => key.startsWith(NODE_SELECTOR));
  return {
    ...(Object.fromEntries(flags) as Record<keyof typeof FLAGS, EventingFlag>),
    transportEncryption: word(data["transport-encryption"], ["Disabled", "Permissive", "Strict"]),
    defaultAuthorizationMode: word(data["default-authorization-mode"], ["Allow-Same-Namespace", "Allow-All", "Deny-All"]),
    requestReplyDefaultTimeout: data["requestreply-default-timeout"] ?? "PT30S",
    oidcDiscoveryBaseUrl: data["oidc-discovery-base-url"] ?? "https://kubernetes.default.svc",
    apiServerSourceNodeSelector: Object.fromEntries(selectors.map(([key, value]) => [key.slice(NODE_SELECTOR.length), value.trim()])),
  };
}

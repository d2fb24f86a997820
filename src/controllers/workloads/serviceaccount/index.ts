// What every namespace is born with: the ServiceAccount `default` and the cluster's root certificate.
import { ConfigMap, Namespace, ServiceAccount } from "#kinds";
import type { Controller } from "#reconcile";
import { observeNamespaceDefaults, type ObservedNamespaceDefaults } from "./observe.ts";
import { planNamespaceDefaults, ROOT_CA_NAME } from "./plan.ts";

/** `rootCa` is PEM text; without it there is no ConfigMap kube-root-ca.crt. */
export function serviceAccountController(options: { readonly rootCa?: string }): Controller<Namespace, ObservedNamespaceDefaults> {
  return {
    name: "service-account-controller",
    primary: Namespace,
    owns: [],
    watches: [
      { kind: ServiceAccount, keys: ({ metadata }) => (metadata.name === "default" ? [{ namespace: "", name: metadata.namespace ?? "" }] : []) },
      { kind: ConfigMap, keys: ({ metadata }) => (metadata.name === ROOT_CA_NAME ? [{ namespace: "", name: metadata.namespace ?? "" }] : []) },
    ],
    observe: (key, world) => observeNamespaceDefaults(key, world, options.rootCa),
    plan: planNamespaceDefaults,
    primaryOf: ({ namespace }) => namespace,
  };
}

// Decides what a namespace has from the start.
import { ConfigMap, ServiceAccount } from "#kinds";
import type { Child, Plan } from "#reconcile";
import type { ObservedNamespaceDefaults } from "./observe.ts";

export const ROOT_CA_NAME = "kube-root-ca.crt";
const DESCRIPTION =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. " +
  "No other usage is guaranteed across distributions of Kubernetes clusters.";

/** An existing ServiceAccount is left as it is; the root certificate is kept current. */
export function planNamespaceDefaults({ namespace, rootCa }: ObservedNamespaceDefaults): Plan {
  if (namespace.metadata.deletionTimestamp !== undefined || namespace.status?.phase === "Terminating") return { desired: undefined };
  const account: Child<ServiceAccount> = {
    kind: ServiceAccount,
    unowned: true,
    object: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: namespace.metadata.name } },
    merge: () => undefined,
  };
  if (rootCa === undefined) return { desired: [account] };
  const certificate: Child<ConfigMap> = {
    kind: ConfigMap,
    unowned: true,
    object: {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: ROOT_CA_NAME, namespace: namespace.metadata.name, annotations: { "kubernetes.io/description": DESCRIPTION } },
      data: { "ca.crt": rootCa },
    },
    merge: (current, wanted) => ({ ...current, ...(wanted.data === undefined ? {} : { data: wanted.data }) }),
  };
  return { desired: [account, certificate] };
}

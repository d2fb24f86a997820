// ClusterDomainClaim (networking.internal.knative.dev/v1alpha1, cluster-scoped): which namespace may use a domain.
import type { KubeObject } from "#schema";
import { networkingKind } from "../serving/knative-kind.ts";

export interface ClusterDomainClaim extends KubeObject {
  spec: { namespace: string };
}

export const ClusterDomainClaim = networkingKind<ClusterDomainClaim>({
  kind: "ClusterDomainClaim",
  plural: "clusterdomainclaims",
  shortNames: ["cdc"],
  scope: "Cluster",
  columns: [],
  status: false,
  schema: { type: "object" },
});

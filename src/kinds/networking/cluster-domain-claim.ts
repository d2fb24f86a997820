// ClusterDomainClaim (networking.internal.knative.dev/v1alpha1, cluster-scoped): which namespace may use a domain.
import { defineKind, s, type ObjectOf } from "#schema";
import { networkingGroup } from "../serving/group.ts";

export const ClusterDomainClaim = defineKind({
  ...networkingGroup,
  kind: "ClusterDomainClaim",
  plural: "clusterdomainclaims",
  shortNames: ["cdc"],
  scope: "Cluster",
  spec: s.object({ namespace: s.string() }),
  subresources: { status: true },
});
export type ClusterDomainClaim = ObjectOf<typeof ClusterDomainClaim>;

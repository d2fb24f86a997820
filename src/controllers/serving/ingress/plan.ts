// The status of an Ingress of our own gateway (serving.md §8.1, §8.2).
//
// class    in force on all gateways   NetworkConfigured   LoadBalancerReady        Ready
// another  –                          not ours: nothing is written
// ours     no                         True                Unknown Uninitialized    Unknown
// ours     yes                        True                True                     True
import { annotationOf, CLUSTER_DOMAIN, EIDER_INGRESS_CLASS, ingressConditions as conditions, networking, type Ingress } from "#kinds";
import type { Plan } from "#reconcile";
import { beginConditions } from "../status.ts";

/** Names of the gateway's Services; the public one carries what is for outside. */
export const PUBLIC_GATEWAY = `eider.eider-system.svc.${CLUSTER_DOMAIN}`;
export const PRIVATE_GATEWAY = `eider-internal.eider-system.svc.${CLUSTER_DOMAIN}`;

export interface ObservedIngress {
  readonly ingress: Ingress;
  /** Every gateway routes by this generation. */
  readonly isInForce: boolean;
}

export function planIngress({ ingress, isInForce }: ObservedIngress): Plan {
  const isOurs = annotationOf(ingress.metadata.annotations, networking.ingressClass) === EIDER_INGRESS_CLASS;
  if (!isOurs || ingress.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const configured = conditions.markTrue(beginConditions(conditions, ingress), "NetworkConfigured");
  const why = { reason: "Uninitialized", message: "Waiting for load balancer to be ready" };
  const marks = isInForce ? conditions.markTrue(configured, "LoadBalancerReady") : conditions.markUnknown(configured, "LoadBalancerReady", why);
  return {
    desired: undefined,
    status: {
      ...ingress.status,
      observedGeneration: ingress.metadata.generation,
      conditions: conditions.sorted(marks),
      publicLoadBalancer: { ingress: [{ domainInternal: PUBLIC_GATEWAY }] },
      privateLoadBalancer: { ingress: [{ domainInternal: PRIVATE_GATEWAY }] },
    },
  };
}

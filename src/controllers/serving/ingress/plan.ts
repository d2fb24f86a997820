// The status of an Ingress of our own gateway (serving.md §8.1, §8.2).
//
// class    the gateways                NetworkConfigured            LoadBalancerReady       Ready
// another  –                           not ours: nothing is written
// ours     an older one has a host     True                         False DomainConflict    False
// ours     wait for a backend          Unknown BackendNotRoutable   Unknown Uninitialized   Unknown
// ours     have not all acknowledged   True                         Unknown Uninitialized   Unknown
// ours     all route by it             True                         True                    True
import { annotationOf, CLUSTER_DOMAIN, EIDER_INGRESS_CLASS, ingressConditions as conditions, networking, type Ingress } from "#kinds";
import type { Plan } from "#reconcile";
import type { Condition } from "#schema";
import { beginConditions } from "../status.ts";

/** Names of the gateway's Services; the public one carries what is for outside. */
export const PUBLIC_GATEWAY = `eider.eider-system.svc.${CLUSTER_DOMAIN}`;
export const PRIVATE_GATEWAY = `eider-internal.eider-system.svc.${CLUSTER_DOMAIN}`;

/** What the gateways make of an Ingress. */
export interface IngressStanding {
  /** Every gateway routes by this generation. */
  readonly isInForce: boolean;
  /** The backend that it waits for. */
  readonly waitsFor?: string;
  /** A host that belongs to an older Ingress (its key). */
  readonly conflict?: { readonly host: string; readonly owner: string };
}

export interface ObservedIngress {
  readonly ingress: Ingress;
  readonly standing: IngressStanding;
}

const WAITING = { reason: "Uninitialized", message: "Waiting for load balancer to be ready" };

function marksFor(begun: Condition[], { isInForce, waitsFor, conflict }: IngressStanding): Condition[] {
  const configured =
    waitsFor === undefined
      ? conditions.markTrue(begun, "NetworkConfigured")
      : conditions.markUnknown(begun, "NetworkConfigured", { reason: "BackendNotRoutable", message: `Waiting for a backend: ${waitsFor}` });
  if (conflict !== undefined) {
    const message = `Ingress rejected: the host "${conflict.host}" belongs to the Ingress "${conflict.owner}"`;
    return conditions.markFalse(configured, "LoadBalancerReady", { reason: "DomainConflict", message });
  }
  return isInForce ? conditions.markTrue(configured, "LoadBalancerReady") : conditions.markUnknown(configured, "LoadBalancerReady", WAITING);
}

export function planIngress({ ingress, standing }: ObservedIngress): Plan {
  const isOurs = annotationOf(ingress.metadata.annotations, networking.ingressClass) === EIDER_INGRESS_CLASS;
  if (!isOurs || ingress.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const marks = marksFor(beginConditions(conditions, ingress), standing);
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

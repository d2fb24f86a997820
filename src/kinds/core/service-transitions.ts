// What a Service loses with its type: members that belong to the old type and that the change left as they were.
import { equal } from "#schema";
import type { ServicePort, ServiceSpec } from "./v1.types.ts";

export const needsNodePorts = (spec: ServiceSpec): boolean =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
const isOutside = (spec: ServiceSpec): boolean => spec.type === "NodePort" || spec.type === "LoadBalancer" || (spec.externalIPs ?? []).length > 0;
export const needsHealthPort = (spec: ServiceSpec): boolean => spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
const hasAddress = (spec: ServiceSpec): boolean => spec.type !== "ExternalName";

/** Who a member belongs to. */
const OWNERS: Readonly<Partial<Record<keyof ServiceSpec, (spec: ServiceSpec) => boolean>>> = {
  clusterIP: hasAddress,
  clusterIPs: hasAddress,
  ipFamilies: hasAddress,
  ipFamilyPolicy: hasAddress,
  internalTrafficPolicy: hasAddress,
  externalTrafficPolicy: isOutside,
  healthCheckNodePort: needsHealthPort,
  allocateLoadBalancerNodePorts: (spec) => spec.type === "LoadBalancer",
  loadBalancerClass: (spec) => spec.type === "LoadBalancer",
};

function withoutNodePorts(ports: readonly ServicePort[]): ServicePort[] {
  return ports.map((port) => {
    const { nodePort: _, ...rest } = port;
    return rest;
  });
}

const nodePortsOf = (spec: ServiceSpec): unknown => (spec.ports ?? []).map(({ nodePort = 0 }) => nodePort);

/** A new spec without what its type has no use for any longer. */
export function afterTransition(spec: ServiceSpec, old: ServiceSpec | undefined): ServiceSpec {
  if (old === undefined) return spec;
  const members = new Map(Object.entries(spec));
  for (const [member, belongs] of Object.entries(OWNERS) as [keyof ServiceSpec, (its: ServiceSpec) => boolean][]) {
    if (belongs(old) && !belongs(spec) && equal(spec[member], old[member])) members.delete(member);
  }
  const kept = Object.fromEntries(members) as ServiceSpec;
  const freed = needsNodePorts(old) && !needsNodePorts(spec) && equal(nodePortsOf(spec), nodePortsOf(old));
  return freed && kept.ports !== undefined ? { ...kept, ports: withoutNodePorts(kept.ports) } : kept;
}

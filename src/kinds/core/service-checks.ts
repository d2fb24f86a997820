// What Kubernetes refuses in the addresses, policies and ports of a Service.
import { isIP } from "node:net";
import { fieldError, type FieldError } from "#schema";
import { ipErrors, isNetwork, networkErrors } from "./addresses.ts";
import { NODE_PORT_FIRST, NODE_PORT_LAST } from "./service-addresses.ts";
import { outOfRange } from "./service-range.ts";
import { needsNodePorts } from "./service-transitions.ts";
import type { Service, ServicePort, ServiceSpec } from "./v1.types.ts";

/** Where the addresses of Services lie. */
/** All that a platform may have (its own range is the allocator's to look at): 10.96.0.0/12. */
const RANGE = /^10\.(?:9[6-9]|10\d|11[01])\.\d+\.\d+$/;

function oneOf(field: string, value: string | undefined, allowed: readonly string[]): FieldError[] {
  return value === undefined || allowed.includes(value) ? [] : [fieldError.notSupported(field, value, allowed)];
}

function clusterIpErrors({ type = "", clusterIPs = [] }: ServiceSpec): FieldError[] {
  if (type === "ExternalName") return [];
  const [ip = ""] = clusterIPs;
  if (ip === "None") {
    return type === "ClusterIP" ? [] : [fieldError.invalid("spec.clusterIPs[0]", ip, `may not be set to 'None' for ${type} services`)];
  }
  const wrong = clusterIPs.flatMap((one, index) => ipErrors(`spec.clusterIPs[${index}]`, one));
  if (wrong.length > 0 || ip === "" || isIP(ip) === 6 || RANGE.test(ip)) return wrong;
  return [outOfRange(clusterIPs)];
}

function trafficErrors(spec: ServiceSpec): FieldError[] {
  const { type = "", externalIPs = [], externalTrafficPolicy: policy, loadBalancerSourceRanges: ranges = [] } = spec;
  const outside = type === "NodePort" || type === "LoadBalancer" || externalIPs.length > 0;
  const field = "spec.externalTrafficPolicy";
  const wrong = outside ? oneOf(field, policy, ["Cluster", "Local"]) : [];
  if (!outside && policy !== undefined) wrong.push(fieldError.invalid(field, policy, "may only be set for externally-accessible services"));
  if (ranges.length > 0 && type !== "LoadBalancer") {
    wrong.push(fieldError.forbidden("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'"));
  }
  return [...wrong, ...ranges.flatMap((range, index) => (isNetwork(range.trim()) ? [] : networkErrors(`spec.LoadBalancerSourceRanges[${index}]`, range)))];
}

function nodePortErrors(spec: ServiceSpec): FieldError[] {
  const { type = "", ports = [] } = spec;
  return ports.flatMap(({ nodePort = 0 }, index) => {
    const field = `spec.ports[${index}].nodePort`;
    if (nodePort === 0) return [];
    if (!needsNodePorts(spec) && type !== "LoadBalancer") return [fieldError.forbidden(field, `may not be used when \`type\` is '${type}'`)];
    if (nodePort >= NODE_PORT_FIRST && nodePort <= NODE_PORT_LAST) return [];
    const why = `provided port is not in the valid range. The range of valid ports is ${NODE_PORT_FIRST}-${NODE_PORT_LAST}`;
    return [fieldError.invalid(field, nodePort, why)];
  });
}

/** A port as Kubernetes' own type holds it: what it calls a duplicate. */
export function portShown({ protocol = "", port }: ServicePort): object {
  return { Name: "", Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 };
}

/** Errors of a Service after its addresses were given out. */
export function addressErrors({ spec, status }: Service): FieldError[] {
  return [
    ...clusterIpErrors(spec),
    ...oneOf("spec.sessionAffinity", spec.sessionAffinity, ["ClientIP", "None"]),
    ...(spec.externalIPs ?? []).flatMap((ip, index) => ipErrors(`spec.externalIPs[${index}]`, ip)),
    ...oneOf("spec.ipFamilyPolicy", spec.ipFamilyPolicy, ["PreferDualStack", "RequireDualStack", "SingleStack"]),
    ...(spec.ipFamilies ?? []).flatMap((family, index) => oneOf(`spec.ipFamilies[${index}]`, family, ["IPv4", "IPv6"])),
    ...oneOf("spec.internalTrafficPolicy", spec.internalTrafficPolicy, ["Cluster", "Local"]),
    ...trafficErrors(spec),
    ...nodePortErrors(spec),
    ...(status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, index) => (ip ? ipErrors(`status.loadBalancer.ingress[${index}].ip`, ip) : [])),
  ];
}

// Addresses and node ports of Services: drawn when they are needed, kept while the Service is of a type that has them (Kubernetes' allocators).
import { isIP } from "node:net";
import { StatusError } from "#core";
import { equal, type Admit, type FieldError } from "#schema";
import { familyRefusal, leadsAnywhere } from "./service-families.ts";
import { outOfRange, SERVICE_RANGE_DEFAULT, serviceRange, type ServiceRange } from "./service-range.ts";
import { afterTransition, needsHealthPort, needsNodePorts } from "./service-transitions.ts";
import type { Service, ServicePort, ServiceSpec } from "./v1.types.ts";

export interface ClusterIpOptions {
  /** A number in [0, limit). */
  readonly below: (limit: number) => number;
  readonly isTaken: (address: string) => boolean;
  readonly isPortTaken: (port: number) => boolean;
  /** Asked at each draw; without it, Kubernetes' usual one. */
  readonly range?: () => ServiceRange;
}

/** The first and last few addresses of the range are reserved, as in Kubernetes. */
const RESERVED = 16;
const USUAL = serviceRange(SERVICE_RANGE_DEFAULT);
const DRAWS_MAX = 256;
export const NODE_PORT_FIRST = 30_000;
export const NODE_PORT_LAST = 32_767;

/** Gives Services of other types than ExternalName their addresses and the members that go with them. */
export function clusterIpAdmission(options: ClusterIpOptions): Admit<Service> {
  return ({ operation, subresource, object, old }) => {
    if (operation === "DELETE") return { object, warnings: [] };
    if (subresource !== "") return { object: subresource === "status" ? withModes(object) : object, warnings: [] };
    const spec = afterTransition(object.spec ?? {}, old?.spec);
    const addresses = addressed(spec, old?.spec, options);
    const refusal = familyRefusal(object.metadata.name, addresses, foreign(addresses, old?.spec, options));
    if (refusal !== undefined) throw refusal;
    return { object: { ...object, spec: withPorts(addresses, old?.spec, options) }, warnings: [] };
  };
}

/** Balancers that tell an address and nothing else are reached at it. */
function withModes(service: Service): Service {
  const { status } = service;
  const ingress = status?.loadBalancer?.ingress;
  if (ingress === undefined || ingress.every(({ ip, ipMode }) => !ip || ipMode !== undefined)) return service;
  const filled = ingress.map((one) => (one.ip && one.ipMode === undefined ? { ...one, ipMode: "VIP" } : one));
  return { ...service, status: { ...status, loadBalancer: { ...status?.loadBalancer, ingress: filled } } };
}

function addressed(spec: ServiceSpec, old: ServiceSpec | undefined, options: ClusterIpOptions): ServiceSpec {
  if (spec.type === "ExternalName") {
    const { clusterIP: _ip, clusterIPs: _ips, ipFamilies: _families, ipFamilyPolicy: _policy, internalTrafficPolicy: _traffic, ...rest } = spec;
    return rest;
  }
  const kept = old === undefined || old.type === "ExternalName" ? undefined : old.clusterIP;
  const clusterIP = spec.clusterIP || kept || draw(options);
  return { internalTrafficPolicy: "Cluster", ...spec, ...familiesOf({ ...spec, clusterIP }, old), clusterIP, clusterIPs: [clusterIP] };
}

/** An address that was asked for and is not of this platform's range; what is no address at all is refused with the rest of the Service. */
function foreign({ clusterIP = "" }: ServiceSpec, old: ServiceSpec | undefined, { range }: ClusterIpOptions): FieldError[] {
  if (range === undefined || isIP(clusterIP) !== 4 || clusterIP === old?.clusterIP || range().has(clusterIP)) return [];
  return [outOfRange([clusterIP])];
}

/** A Service that says nothing of its families keeps its policy, and gets the families that the policy asks for. */
function familiesOf(spec: ServiceSpec, old: ServiceSpec | undefined): Pick<ServiceSpec, "ipFamilies" | "ipFamilyPolicy"> {
  const isAnywhere = leadsAnywhere(spec);
  const ipFamilyPolicy = spec.ipFamilyPolicy ?? old?.ipFamilyPolicy ?? (isAnywhere ? "RequireDualStack" : "SingleStack");
  const isSingle = ipFamilyPolicy === "SingleStack";
  const said = spec.ipFamilies ?? [];
  const [first = "IPv4", ...others] = isSingle && equal(said, old?.ipFamilies) ? said.slice(0, 1) : said;
  const both = isAnywhere && !isSingle && others.length === 0;
  return { ipFamilyPolicy, ipFamilies: [first, ...(both ? [first === "IPv4" ? "IPv6" : "IPv4"] : others)] };
}

/** Ports of nodes where the type has them; the old ones stay with their ports. */
function withPorts(spec: ServiceSpec, old: ServiceSpec | undefined, options: ClusterIpOptions): ServiceSpec {
  const drawn = new Set<number>();
  const isTaken = (port: number): boolean => drawn.has(port) || options.isPortTaken(port);
  const next = (): number => {
    const port = drawPort(options.below, isTaken);
    drawn.add(port);
    return port;
  };
  const before = old !== undefined && needsNodePorts(old) ? (old.ports ?? []) : [];
  const same = ({ port, protocol }: ServicePort): number | undefined => before.find((one) => one.port === port && one.protocol === protocol)?.nodePort;
  const ports = needsNodePorts(spec) ? spec.ports?.map((port) => (port.nodePort ? port : { ...port, nodePort: same(port) ?? next() })) : spec.ports;
  const health = needsHealthPort(spec) ? { healthCheckNodePort: spec.healthCheckNodePort || old?.healthCheckNodePort || next() } : {};
  return { ...spec, ...health, ...(ports === undefined ? {} : { ports }) };
}

function drawPort(below: (limit: number) => number, isTaken: (port: number) => boolean): number {
  for (let attempt = 0; attempt < DRAWS_MAX; attempt++) {
    const port = NODE_PORT_FIRST + below(NODE_PORT_LAST - NODE_PORT_FIRST + 1);
    if (!isTaken(port)) return port;
  }
  throw new StatusError("InternalError", "failed to allocate a nodePort: range is full");
}

function draw({ below, isTaken, range = () => USUAL }: ClusterIpOptions): string {
  const { at, size } = range();
  for (let attempt = 0; attempt < DRAWS_MAX; attempt++) {
    const address = at(RESERVED + below(size - 2 * RESERVED - 1));
    if (!isTaken(address)) return address;
  }
  throw new StatusError("InternalError", "failed to allocate a serviceIP: range is full");
}

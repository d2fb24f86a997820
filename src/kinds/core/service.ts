// Service of the core group: a name and an address in front of pods. Addresses are given out by an allocator, not here.
import { equal, fieldError, labelErrors, names, type Column, type FieldError, type Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { age, labelsText, NONE, orNone } from "./columns.ts";
import { definitions } from "./definitions.ts";
import { portErrors } from "./ranges.ts";
import { addressErrors, portShown } from "./service-checks.ts";
import type { Service, ServicePort, ServiceSpec } from "./v1.types.ts";

export type CoreService = Service;

const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"] as const;
const PROTOCOLS = ["SCTP", "TCP", "UDP"] as const;

const ingressOf = (service: Service): string[] => (service.status?.loadBalancer?.ingress ?? []).map((one) => one.ip || one.hostname || "");

function externalIp(service: Service): string {
  const { type, externalIPs = [], externalName } = service.spec;
  if (type === undefined) return "<unknown>";
  if (type === "ExternalName") return externalName ?? "";
  if (type !== "LoadBalancer") return orNone(externalIPs.join(","));
  const all = [...ingressOf(service), ...externalIPs].join(",");
  return all === "" ? "<pending>" : all;
}

const portText = (port: ServicePort): string => `${port.port}${port.nodePort ? `:${port.nodePort}` : ""}/${port.protocol ?? "TCP"}`;

const cell =
  (read: (service: Service) => string): NonNullable<Column["cell"]> =>
  (object) =>
    read(object as Service);

const columns: readonly Column[] = [
  { name: "Type", type: "string", cell: cell((service) => service.spec.type ?? "") },
  { name: "Cluster-IP", type: "string", cell: cell((service) => orNone(service.spec.clusterIPs?.[0] ?? service.spec.clusterIP)) },
  { name: "External-IP", type: "string", cell: cell(externalIp) },
  { name: "Port(s)", type: "string", cell: cell((service) => (service.spec.ports ?? []).map(portText).join(",") || NONE) },
  age,
  { name: "Selector", type: "string", priority: 1, cell: cell((service) => labelsText(service.spec.selector)) },
];

function portDefaults(port: ServicePort): ServicePort {
  const { targetPort } = port;
  return { ...port, protocol: port.protocol || "TCP", targetPort: targetPort === undefined || targetPort === 0 || targetPort === "" ? port.port : targetPort };
}

function serviceDefaults(service: Service): Service {
  const spec = service.spec ?? {};
  const type = spec.type || "ClusterIP";
  const outside = type === "NodePort" || type === "LoadBalancer";
  const filled: ServiceSpec = {
    ...spec,
    ...(spec.ports === undefined ? {} : { ports: spec.ports.map(portDefaults) }),
    sessionAffinity: spec.sessionAffinity || "None",
    ...(spec.sessionAffinity === "ClientIP" ? { sessionAffinityConfig: spec.sessionAffinityConfig ?? { clientIP: { timeoutSeconds: 10_800 } } } : {}),
    type,
    ...(type === "ExternalName" ? {} : { internalTrafficPolicy: spec.internalTrafficPolicy ?? "Cluster" }),
    ...(outside || (spec.externalIPs ?? []).length > 0 ? { externalTrafficPolicy: spec.externalTrafficPolicy || "Cluster" } : {}),
    ...(type === "LoadBalancer" ? { allocateLoadBalancerNodePorts: spec.allocateLoadBalancerNodePorts ?? true } : {}),
  };
  const status = service.status ?? { loadBalancer: {} };
  return equal(spec, filled) && service.status !== undefined ? service : { ...service, spec: filled, status };
}

function targetPortErrors(field: string, target: number | string): FieldError[] {
  if (typeof target === "number") return portErrors(field, target);
  return names.portName(target).map((detail) => fieldError.invalid(field, target, detail));
}

function portsErrors(ports: readonly ServicePort[]): FieldError[] {
  const seen = new Set<string>();
  const taken = new Set<string>();
  return ports.flatMap((port, index) => {
    const at = `spec.ports[${index}]`;
    const wrong: FieldError[] = [];
    const name = port.name ?? "";
    if (name === "" && ports.length > 1) wrong.push(fieldError.required(`${at}.name`));
    if (name !== "") wrong.push(...names.dnsLabel(name).map((detail) => fieldError.invalid(`${at}.name`, name, detail)));
    if (name !== "" && seen.has(name)) wrong.push(fieldError.duplicate(`${at}.name`, name));
    seen.add(name);
    wrong.push(...portErrors(`${at}.port`, port.port));
    const protocol = port.protocol ?? "";
    if (protocol === "") wrong.push(fieldError.required(`${at}.protocol`));
    else if (!PROTOCOLS.some((one) => one === protocol)) wrong.push(fieldError.notSupported(`${at}.protocol`, protocol, PROTOCOLS));
    if (port.targetPort !== undefined) wrong.push(...targetPortErrors(`${at}.targetPort`, port.targetPort));
    const key = `${protocol}/${port.port}`;
    if (taken.has(key)) wrong.push(fieldError.duplicate(at, portShown(port)));
    taken.add(key);
    return wrong;
  });
}

/** An address stays while there is one. */
function fixedErrors(spec: ServiceSpec, old: ServiceSpec | undefined): FieldError[] {
  const isFixed = old !== undefined && spec.type !== "ExternalName" && old.type !== "ExternalName" && (old.clusterIP ?? "") !== "";
  if (!isFixed || spec.clusterIP === old.clusterIP) return [];
  return [fieldError.invalid("spec.clusterIPs[0]", spec.clusterIPs ?? null, "may not change once set")];
}

/** Headless Services have nobody who would keep to a client. */
function serviceWarnings({ spec }: Service): string[] {
  return spec.clusterIP === "None" && spec.sessionAffinity === "ClientIP" ? ["spec.SessionAffinity is ignored for headless services"] : [];
}

function serviceErrors(service: Service, old: Service | undefined): FieldError[] {
  const { spec } = service;
  const type = spec.type ?? "";
  const ports = spec.ports ?? [];
  const wrong = fixedErrors(spec, old?.spec);
  if (ports.length === 0 && spec.clusterIP !== "None" && type !== "ExternalName") wrong.push(fieldError.required("spec.ports"));
  wrong.push(...portsErrors(ports), ...labelErrors("spec.selector", spec.selector));
  if (type === "") wrong.push(fieldError.required("spec.type"));
  else if (!TYPES.some((one) => one === type)) wrong.push(fieldError.notSupported("spec.type", type, TYPES));
  if (type === "ExternalName") {
    const host = (spec.externalName ?? "").replace(/\.$/, "");
    if (host === "") wrong.push(fieldError.required("spec.externalName"));
    else wrong.push(...names.dnsSubdomain(host).map((detail) => fieldError.invalid("spec.externalName", host, detail)));
  }
  wrong.push(...addressErrors(service));
  return wrong;
}

export const CoreService: Kind<CoreService> = builtin<CoreService>({
  group: "",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  definitions,
  metadataChecks: { update: true, object: false, finalizers: true },
  definition: "io.k8s.api.core.v1.Service",
  createsOnUpdate: true,
  nameForm: "label1035",
  blank: { spec: {}, status: { loadBalancer: {} } },
  columns,
  selectableFields: {
    "spec.clusterIP": (object) => (object as Service).spec.clusterIP ?? "",
    "spec.type": (object) => (object as Service).spec.type ?? "",
  },
  defaultObject: serviceDefaults,
  warnings: serviceWarnings,
  validate: serviceErrors,
});

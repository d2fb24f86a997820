// Endpoints of the core group: addresses behind a Service, of the same name.
import { fieldError, names, type FieldError, type Kind } from "#schema";
import { ipErrors, routableErrors } from "./addresses.ts";
import { builtin } from "./builtin.ts";
import { age, firstThree } from "./columns.ts";
import { definitions } from "./definitions.ts";
import { portErrors } from "./ranges.ts";
import type { EndpointAddress, Endpoints as EndpointsObject, EndpointSubset } from "./v1.types.ts";

export type Endpoints = EndpointsObject;

function endpointsText(endpoints: Endpoints): string {
  const all = (endpoints.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    if (ports.length === 0) return addresses.map(({ ip }) => ip);
    return ports.flatMap(({ port }) => addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)));
  });
  return firstThree(all);
}

const PROTOCOLS = ["SCTP", "TCP", "UDP"] as const;

function addressErrors(field: string, { ip, hostname }: EndpointAddress): FieldError[] {
  const wrong = ipErrors(`${field}.ip`, ip);
  if (hostname !== undefined && hostname !== "")
    wrong.push(...names.dnsLabel(hostname).map((detail) => fieldError.invalid(`${field}.hostname`, hostname, detail)));
  // Kubernetes looks at the address twice, and says it in two ways.
  const twice = wrong.some((error) => error.field === `${field}.ip`) ? [fieldError.invalid(`${field}.ip`, ip, "must be a valid IP address")] : [];
  return [...wrong, ...(twice.length > 0 ? twice : routableErrors(`${field}.ip`, ip))];
}

function subsetErrors(field: string, { addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset): FieldError[] {
  const each = (name: string, list: readonly EndpointAddress[]): FieldError[] => list.flatMap((one, index) => addressErrors(`${field}.${name}[${index}]`, one));
  const none = addresses.length + notReadyAddresses.length === 0;
  return [
    ...(none ? [fieldError.required(field, "must specify `addresses` or `notReadyAddresses`")] : []),
    ...each("addresses", addresses),
    ...each("notReadyAddresses", notReadyAddresses),
    ...ports.flatMap(({ name = "", port, protocol = "" }, index) => {
      const at = `${field}.ports[${index}]`;
      const wrong: FieldError[] = [];
      if (name === "" && ports.length > 1) wrong.push(fieldError.required(`${at}.name`));
      if (name !== "") wrong.push(...names.dnsLabel(name).map((detail) => fieldError.invalid(`${at}.name`, name, detail)));
      wrong.push(...portErrors(`${at}.port`, port));
      if (!PROTOCOLS.some((one) => one === protocol)) wrong.push(fieldError.notSupported(`${at}.protocol`, protocol, PROTOCOLS));
      return wrong;
    }),
  ];
}

export const Endpoints: Kind<Endpoints> = builtin<Endpoints>({
  group: "",
  kind: "Endpoints",
  plural: "endpoints",
  shortNames: ["ep"],
  definitions,
  definition: "io.k8s.api.core.v1.Endpoints",
  createsOnUpdate: true,
  columns: [{ name: "Endpoints", type: "string", cell: (object) => endpointsText(object) }, age],
  validate: ({ subsets = [] }) => subsets.flatMap((subset, index) => subsetErrors(`subsets[${index}]`, subset)),
  defaultObject(endpoints) {
    const { subsets = [] } = endpoints;
    if (subsets.every(({ ports = [] }) => ports.every((port) => port.protocol))) return endpoints;
    const filled = subsets.map((subset) => ({ ...subset, ports: (subset.ports ?? []).map((port) => ({ ...port, protocol: port.protocol || "TCP" })) }));
    return { ...endpoints, subsets: filled };
  },
});

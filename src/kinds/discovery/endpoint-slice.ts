// EndpointSlice of discovery.k8s.io/v1: some of the addresses behind a Service.
import { isIP } from "node:net";
import { fieldError, names, type FieldError, type Kind } from "#schema";
import { ipErrors, routableErrors } from "../core/addresses.ts";
import { builtin } from "../core/builtin.ts";
import { age, firstThree } from "../core/columns.ts";
import { definitions } from "./definitions.ts";
import type { Endpoint, EndpointSlice as EndpointSliceObject } from "./v1.types.ts";

export type EndpointSlice = EndpointSliceObject;

const ADDRESS_TYPES = ["FQDN", "IPv4", "IPv6"] as const;
const ENDPOINTS_MAX = 1000;

function portsText(slice: EndpointSlice): string {
  const ports = slice.ports ?? [];
  return ports.length === 0 ? "<unset>" : firstThree(ports.map((port) => (port.port === undefined ? (port.name ?? "*") : String(port.port))));
}

function endpointsText(slice: EndpointSlice): string {
  const addresses = (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);
  return addresses.length === 0 ? "<unset>" : firstThree(addresses);
}

/** Errors of an address in the form that the slice is of. */
function addressErrors(field: string, index: number, { type, address }: { readonly type: string; readonly address: string }): FieldError[] {
  const at = `${field}[${index}]`;
  if (type === "FQDN") return names.dnsSubdomain(address).map((detail) => fieldError.invalid(at, address, detail));
  if (type !== "IPv4" && type !== "IPv6") return [];
  const wrong = ipErrors(at, address);
  if (wrong.length > 0) return wrong;
  if (isIP(address) !== (type === "IPv4" ? 4 : 6)) return [fieldError.invalid(field, address, `must be an ${type} address`)];
  return routableErrors(at, address);
}

function endpointErrors(type: string, endpoint: Endpoint, at: string): FieldError[] {
  const { hostname } = endpoint;
  const addresses = (endpoint.addresses as string[] | null) ?? [];
  if (addresses.length === 0) return [fieldError.required(`${at}.addresses`, "must contain at least 1 address")];
  const wrong = addresses.flatMap((address, index) => addressErrors(`${at}.addresses`, index, { type, address }));
  if (hostname === undefined) return wrong;
  return [...wrong, ...names.dnsLabel(hostname).map((detail) => fieldError.invalid(`${at}.hostname`, hostname, detail))];
}

function sliceErrors(slice: EndpointSlice, old: EndpointSlice | undefined): FieldError[] {
  const wrong: FieldError[] = [];
  const { addressType } = slice;
  const [endpoints, ports] = [slice.endpoints ?? [], slice.ports ?? []];
  if (addressType === "") wrong.push(fieldError.required("addressType"));
  else if (!ADDRESS_TYPES.some((one) => one === addressType)) wrong.push(fieldError.notSupported("addressType", addressType, ADDRESS_TYPES));
  if (old !== undefined && addressType !== old.addressType) wrong.push(fieldError.invalid("addressType", addressType, "field is immutable"));
  if (endpoints.length > ENDPOINTS_MAX) {
    wrong.push({ type: "FieldValueTooMany", field: "endpoints", message: `Too many: ${endpoints.length}: must have at most ${ENDPOINTS_MAX} items` });
  }
  for (const [index, endpoint] of endpoints.entries()) {
    wrong.push(...endpointErrors(addressType, endpoint, `endpoints[${index}]`));
  }
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const name = port.name ?? "";
    if (name !== "") wrong.push(...names.dnsLabel(name).map((detail) => fieldError.invalid(`ports[${index}].name`, name, detail)));
    if (seen.has(port.name ?? "")) wrong.push(fieldError.duplicate(`ports[${index}].name`, port.name ?? ""));
    seen.add(port.name ?? "");
  }
  return wrong;
}

export const EndpointSlice: Kind<EndpointSlice> = builtin<EndpointSlice>({
  group: "discovery.k8s.io",
  kind: "EndpointSlice",
  plural: "endpointslices",
  definitions,
  generationOfMetadata: "labels",
  metadataChecks: { update: false, object: true, finalizers: true },
  definition: "io.k8s.api.discovery.v1.EndpointSlice",
  hasGeneration: true,
  blank: { addressType: "", endpoints: null, ports: null },
  columns: [
    { name: "AddressType", type: "string", cell: (object) => (object as EndpointSlice).addressType },
    { name: "Ports", type: "string", cell: (object) => portsText(object as EndpointSlice) },
    { name: "Endpoints", type: "string", cell: (object) => endpointsText(object as EndpointSlice) },
    age,
  ],
  defaultObject(slice) {
    const { ports } = slice;
    if ((ports ?? []).every((port) => port.name !== undefined && port.protocol !== undefined)) return slice;
    return { ...slice, ports: (ports ?? []).map((port) => ({ ...port, name: port.name ?? "", protocol: port.protocol ?? "TCP" })) };
  },
  validate: sliceErrors,
});

// EndpointSlice of discovery.k8s.io/v1: some of the addresses behind a Service.
import { fieldError, type FieldError, type Kind } from "#schema";
import { builtin } from "../core/builtin.ts";
import { age, firstThree } from "../core/columns.ts";
import { definitions } from "./definitions.ts";
import type { EndpointSlice as EndpointSliceObject } from "./v1.types.ts";

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
    if ((endpoint.addresses ?? []).length === 0) wrong.push(fieldError.required(`endpoints[${index}].addresses`, "must contain at least 1 address"));
  }
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
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
  generationOfLabels: true,
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

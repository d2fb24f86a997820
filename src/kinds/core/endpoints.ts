// Endpoints of the core group: addresses behind a Service, of the same name.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { age, firstThree } from "./columns.ts";
import { definitions } from "./definitions.ts";
import type { Endpoints as EndpointsObject } from "./v1.types.ts";

export type Endpoints = EndpointsObject;

function endpointsText(endpoints: Endpoints): string {
  const all = (endpoints.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    if (ports.length === 0) return addresses.map(({ ip }) => ip);
    return ports.flatMap(({ port }) => addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)));
  });
  return firstThree(all);
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
  defaultObject(endpoints) {
    const { subsets = [] } = endpoints;
    if (subsets.every(({ ports = [] }) => ports.every((port) => port.protocol))) return endpoints;
    const filled = subsets.map((subset) => ({ ...subset, ports: (subset.ports ?? []).map((port) => ({ ...port, protocol: port.protocol || "TCP" })) }));
    return { ...endpoints, subsets: filled };
  },
});

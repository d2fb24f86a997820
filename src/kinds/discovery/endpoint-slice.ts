// EndpointSlice of discovery.k8s.io/v1.
import type { Kind } from "#schema";
import { builtin } from "../core/builtin.ts";
import { definitions } from "./definitions.ts";
import type { EndpointSlice as EndpointSliceObject } from "./v1.types.ts";

export type EndpointSlice = EndpointSliceObject;

export const EndpointSlice: Kind<EndpointSlice> = builtin<EndpointSlice>({
  group: "discovery.k8s.io",
  kind: "EndpointSlice",
  plural: "endpointslices",
  shortNames: [],
  categories: [],
  definitions,
  definition: "io.k8s.api.discovery.v1.EndpointSlice",
  columns: [],
});

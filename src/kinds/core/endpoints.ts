// Endpoints of the core group/v1.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";
import type { Endpoints as EndpointsObject } from "./v1.types.ts";

export type Endpoints = EndpointsObject;

export const Endpoints: Kind<Endpoints> = builtin<Endpoints>({
  group: "",
  kind: "Endpoints",
  plural: "endpoints",
  shortNames: ["ep"],
  categories: [],
  definitions,
  definition: "io.k8s.api.core.v1.Endpoints",
  columns: [],
});

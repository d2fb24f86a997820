// Lease of coordination.k8s.io/v1.
import type { Kind } from "#schema";
import { builtin } from "../core/builtin.ts";
import { definitions } from "./definitions.ts";
import type { Lease as LeaseObject } from "./v1.types.ts";

export type Lease = LeaseObject;

export const Lease: Kind<Lease> = builtin<Lease>({
  group: "coordination.k8s.io",
  kind: "Lease",
  plural: "leases",
  shortNames: [],
  categories: [],
  definitions,
  definition: "io.k8s.api.coordination.v1.Lease",
  columns: [],
});

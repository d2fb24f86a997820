// Namespace of the core group/v1.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";
import type { Namespace as NamespaceObject } from "./v1.types.ts";

export type Namespace = NamespaceObject;

export const Namespace: Kind<Namespace> = builtin<Namespace>({
  group: "",
  kind: "Namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  categories: [],
  definitions,
  definition: "io.k8s.api.core.v1.Namespace",
  columns: [],
});

// Kinds for this room's tests.
import type { Kind } from "#schema";
import type { ConfigMapLike } from "./contract.test-suite.ts";

export const ConfigMaps: Kind<ConfigMapLike> = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  singular: "configmap",
  shortNames: ["cm"],
  categories: [],
  scope: "Namespaced",
  schema: { type: "object" },
  subresources: {},
  columns: [],
  custom: false,
  hasGeneration: false,
};

// ConfigMap of the core group/v1.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";
import type { ConfigMap as ConfigMapObject } from "./v1.types.ts";

export type ConfigMap = ConfigMapObject;

export const ConfigMap: Kind<ConfigMap> = builtin<ConfigMap>({
  group: "",
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  categories: [],
  definitions,
  definition: "io.k8s.api.core.v1.ConfigMap",
  columns: [],
});

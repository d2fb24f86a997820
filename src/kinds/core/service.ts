// Service of the core group/v1.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";
import type { Service as CoreServiceObject } from "./v1.types.ts";

export type CoreService = CoreServiceObject;

export const CoreService: Kind<CoreService> = builtin<CoreService>({
  group: "",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  definitions,
  definition: "io.k8s.api.core.v1.Service",
  columns: [],
});

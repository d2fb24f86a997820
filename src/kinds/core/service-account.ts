// ServiceAccount of the core group/v1.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";
import type { ServiceAccount as ServiceAccountObject } from "./v1.types.ts";

export type ServiceAccount = ServiceAccountObject;

export const ServiceAccount: Kind<ServiceAccount> = builtin<ServiceAccount>({
  group: "",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  shortNames: ["sa"],
  categories: [],
  definitions,
  definition: "io.k8s.api.core.v1.ServiceAccount",
  columns: [],
});

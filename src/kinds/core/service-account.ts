// ServiceAccount of the core group.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { age } from "./columns.ts";
import { definitions } from "./definitions.ts";
import type { ServiceAccount as ServiceAccountObject } from "./v1.types.ts";

export type ServiceAccount = ServiceAccountObject;

export const ServiceAccount: Kind<ServiceAccount> = builtin<ServiceAccount>({
  group: "",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  shortNames: ["sa"],
  definitions,
  definition: "io.k8s.api.core.v1.ServiceAccount",
  columns: [{ name: "Secrets", type: "string", cell: (object) => (object as ServiceAccount).secrets?.length ?? 0 }, age],
});

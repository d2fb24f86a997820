// Secret of the core group/v1.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";
import type { Secret as SecretObject } from "./v1.types.ts";

export type Secret = SecretObject;

export const Secret: Kind<Secret> = builtin<Secret>({
  group: "",
  kind: "Secret",
  plural: "secrets",
  shortNames: [],
  categories: [],
  definitions,
  definition: "io.k8s.api.core.v1.Secret",
  columns: [],
});

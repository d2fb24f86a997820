// Deployment of apps/v1.
import type { Kind } from "#schema";
import { builtin } from "../core/builtin.ts";
import { definitions } from "./definitions.ts";
import type { Deployment as DeploymentObject } from "./v1.types.ts";

export type Deployment = DeploymentObject;

export const Deployment: Kind<Deployment> = builtin<Deployment>({
  group: "apps",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  definitions,
  definition: "io.k8s.api.apps.v1.Deployment",
  columns: [],
});

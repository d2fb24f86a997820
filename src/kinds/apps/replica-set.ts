// ReplicaSet of apps/v1.
import type { Kind } from "#schema";
import { builtin } from "../core/builtin.ts";
import { definitions } from "./definitions.ts";
import type { ReplicaSet as ReplicaSetObject } from "./v1.types.ts";

export type ReplicaSet = ReplicaSetObject;

export const ReplicaSet: Kind<ReplicaSet> = builtin<ReplicaSet>({
  group: "apps",
  kind: "ReplicaSet",
  plural: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
  definitions,
  definition: "io.k8s.api.apps.v1.ReplicaSet",
  columns: [],
});

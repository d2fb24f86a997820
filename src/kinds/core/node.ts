// Node of the core group/v1.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";
import type { Node as ClusterNodeObject } from "./v1.types.ts";

export type ClusterNode = ClusterNodeObject;

export const ClusterNode: Kind<ClusterNode> = builtin<ClusterNode>({
  group: "",
  kind: "Node",
  plural: "nodes",
  shortNames: ["no"],
  categories: [],
  definitions,
  definition: "io.k8s.api.core.v1.Node",
  columns: [],
});

// Pod of the core group/v1.
import type { Kind } from "#schema";
import { builtin } from "./builtin.ts";
import { definitions } from "./definitions.ts";
import type { Pod as PodObject } from "./v1.types.ts";

export type Pod = PodObject;

export const Pod: Kind<Pod> = builtin<Pod>({
  group: "",
  kind: "Pod",
  plural: "pods",
  shortNames: ["po"],
  categories: ["all"],
  definitions,
  definition: "io.k8s.api.core.v1.Pod",
  columns: [],
});

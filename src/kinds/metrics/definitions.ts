// All named types that the kinds of the group metrics.k8s.io refer to.
import type { Node } from "#schema";
import { definitions as core } from "../core/definitions.ts";
import { definitions as own } from "./v1beta1.data.ts";

export const definitions: Readonly<Record<string, Node>> = { ...core, ...own };

// All named types that the kinds of the group autoscaling refer to.
import type { Node } from "#schema";
import { definitions as core } from "../core/definitions.ts";
import { definitions as v1 } from "./v1.data.ts";
import { definitions as v2 } from "./v2.data.ts";

export const definitions: Readonly<Record<string, Node>> = { ...core, ...v1, ...v2 };

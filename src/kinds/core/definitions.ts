// All named types that the kinds of the core group refer to.
import type { Node } from "#schema";
import { definitions as meta } from "./meta.data.ts";
import { definitions as core } from "./v1.data.ts";

export const definitions: Readonly<Record<string, Node>> = { ...meta, ...core };

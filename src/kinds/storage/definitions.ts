// All named types that the kinds of the group storage refer to.
import type { Node } from "#schema";
import { definitions as core } from "../core/definitions.ts";
import { definitions as own } from "./v1.data.ts";

export const definitions: Readonly<Record<string, Node>> = { ...core, ...own };

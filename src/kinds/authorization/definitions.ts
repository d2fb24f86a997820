// All named types that the kinds of the groups authorization.k8s.io and authentication.k8s.io refer to.
import type { Node } from "#schema";
import { definitions as authentication } from "../authentication/v1.data.ts";
import { definitions as core } from "../core/definitions.ts";
import { definitions as own } from "./v1.data.ts";

export const definitions: Readonly<Record<string, Node>> = { ...core, ...authentication, ...own };

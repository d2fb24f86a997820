// What a CustomResourceDefinition must be, in Kubernetes' order and wording.
import type { FieldError } from "#schema";
import type { CustomResourceDefinition } from "./v1.types.ts";

export function definitionErrors(_definition: CustomResourceDefinition, _old: CustomResourceDefinition | undefined): readonly FieldError[] {
  return [];
}

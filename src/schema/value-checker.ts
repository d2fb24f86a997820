// Values on their own in the light of a schema: defaults, for instance.
import type { Engines } from "./engines.ts";
import type { FieldError } from "./field-error.ts";
import type { Node } from "./node.ts";
import { pruner } from "./prune.ts";
import { structureChecker } from "./validate-structure.ts";

export interface ValueChecker {
  /** Paths of fields that the schema does not know. */
  unknown(value: unknown): readonly string[];
  /** Paths begin at the value itself, which is "". */
  errors(value: unknown): readonly FieldError[];
}

export function valueChecker(node: Node, engines: Engines): ValueChecker {
  const prune = pruner({})(node);
  const check = structureChecker({}, engines)(node);
  return {
    unknown(value) {
      const paths: string[] = [];
      prune(value, "", paths);
      return paths;
    },
    errors(value) {
      const errors: FieldError[] = [];
      check(value, undefined, errors);
      return errors;
    },
  };
}

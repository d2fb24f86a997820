// What stands behind words of a schema that need a library: patterns and rules. Handed in, so that who checks nothing loads nothing.
import type { FieldError } from "./field-error.ts";
import type { Node } from "./node.ts";

export interface Pattern {
  matches(text: string): boolean;
}

/** What is wrong with an object in the light of the rules in its schema; `old` is absent for a new one. What is tolerated is told to `warn`. */
export type CheckRules = (object: unknown, old: unknown, warn: (text: string) => void) => readonly FieldError[];

export interface Engines {
  /** Throws an Error with the complaint for a text that is no pattern. */
  pattern(source: string): Pattern;
  /** The rules of a kind's whole schema; undefined when there are none. */
  rules(root: Node): CheckRules | undefined;
  /** What is wrong with the rules of a whole schema at a path: texts that do not compile, and rules that may cost too much. */
  ruleProblems(root: Node, at: { readonly path: string; readonly unchanged: boolean }): FieldError[];
}

/** V8's own patterns, for schemas that we wrote ourselves, and no rules. */
export const ownEngines: Engines = {
  pattern(source) {
    const compiled = new RegExp(source, "u");
    return { matches: (text) => compiled.test(text) };
  },
  rules: () => undefined,
  ruleProblems: () => [],
};

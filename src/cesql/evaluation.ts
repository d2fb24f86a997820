// What evaluating gives: always a value, and beside it what went wrong first (specification, 3.3).
import type { Value } from "./syntax.ts";

/** As the compatibility kit names them. */
export type EvaluationErrorKind = "parse" | "math" | "cast" | "missingAttribute" | "missingFunction" | "functionEvaluation";

export interface EvaluationFault {
  readonly kind: EvaluationErrorKind;
  readonly message: string;
}

export interface Evaluation {
  readonly value: Value;
  readonly fault: EvaluationFault | undefined;
}

/** An event's attributes by name; values of other types in their canonical string form. A Map is one. */
export interface Attributes {
  get(name: string): Value | undefined;
}

/** One run. Evaluation stops at the first fault: whoever finds one beneath answers the zero value of its own type. */
export interface Run {
  readonly attributes: Attributes;
  fault: EvaluationFault | undefined;
}

// cesql: CloudEvents SQL expressions, version 1.0: parsed, compiled once, evaluated against attributes.
export { compileExpression, evaluateExpression, type Compiled, type CompiledExpression } from "./compile.ts";
export type { Attributes, Evaluation, EvaluationErrorKind, EvaluationFault } from "./evaluation.ts";
export { filterFault } from "./filter-fault.ts";
export { eitherNeeds, type Need } from "./needs.ts";
export type { ParseFault } from "./parser.ts";
export type { Value, ValueType } from "./syntax.ts";

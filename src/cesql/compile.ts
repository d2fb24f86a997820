// A tree as closures, once. An evaluation of a closure allocates nothing as long as nothing goes wrong.
import type { Evaluation, EvaluationErrorKind, EvaluationFault, Attributes, Run } from "./evaluation.ts";
import { castMessage, functionFor } from "./functions.ts";
import { likeMatcher } from "./like.ts";
import { needsOf, type Need } from "./needs.ts";
import { parseExpression, type ParseFault } from "./parser.ts";
import { staticType } from "./static-type.ts";
import type { CompareOperator, MathOperator, Node, Value, ValueType } from "./syntax.ts";
import { cast, INTEGER_MAX, INTEGER_MIN, toBoolean, toInteger, toText, typeOf, ZERO } from "./values.ts";

export interface CompiledExpression {
  /** Undefined: it depends on the event. */
  readonly type: ValueType | undefined;
  /** All of them hold of every event that it matches. */
  readonly needs: readonly Need[];
  evaluate(attributes: Attributes): Evaluation;
  /** As a filter: only `true` without any fault passes (1.2). */
  matches(attributes: Attributes): boolean;
}

export type Compiled = CompiledExpression | { readonly fault: ParseFault };

/** Never throws. */
export function compileExpression(text: string): Compiled {
  const parsed = parseExpression(text);
  if ("fault" in parsed) return parsed;
  const run = compiled(parsed.node);
  return {
    type: staticType(parsed.node),
    needs: needsOf(parsed.node),
    evaluate: (attributes) => {
      const state: Run = { attributes, fault: undefined };
      const value = run(state);
      return { value, fault: state.fault };
    },
    matches: (attributes) => {
      const state: Run = { attributes, fault: undefined };
      return run(state) === true && state.fault === undefined;
    },
  };
}

/** One evaluation, text included. Never throws. */
export function evaluateExpression(text: string, attributes: Attributes): Evaluation {
  const expression = compileExpression(text);
  if ("fault" in expression) return { value: false, fault: { kind: "parse", message: expression.fault.message } };
  return expression.evaluate(attributes);
}

type Closure = (run: Run) => Value;

function compiled(node: Node): Closure {
  switch (node.is) {
    case "literal": {
      const { value } = node;
      return () => value;
    }
    case "attribute":
      return attribute(node.name);
    case "exists": {
      const { name } = node;
      return REQUIRED.has(name) ? () => true : (run) => run.attributes.get(name) !== undefined;
    }
    case "not":
      return not(compiled(node.operand));
    case "negate":
      return negate(compiled(node.operand));
    case "logic":
      return logic(node.operator, compiled(node.left), compiled(node.right));
    case "compare":
      return node.operator === "=" || node.operator === "!="
        ? equal(compiled(node.left), compiled(node.right), node.operator === "=")
        : ordered(node.operator, compiled(node.left), compiled(node.right));
    case "math":
      return arithmetic(node.operator, compiled(node.left), compiled(node.right));
    case "like":
      return like(compiled(node.operand), node.pattern, node.negated);
    case "in":
      return among(compiled(node.operand), node.set.map(compiled), node.negated);
    case "call":
      return call(node.name, node.args.map(compiled));
  }
}

/** Every valid event has them (3.4.4). */
const REQUIRED: ReadonlySet<string> = new Set(["id", "source", "specversion", "type"]);

function attribute(name: string): Closure {
  const fault: EvaluationFault = { kind: "missingAttribute", message: `the event has no attribute "${name}"` };
  return (run) => {
    const value = run.attributes.get(name);
    if (value !== undefined) return value;
    run.fault = fault;
    return false;
  };
}

/** Integers are not cast here, as the compatibility kit has it ("Invalid int cast"): the cast's zero value is negated, the error told. */
function not(operand: Closure): Closure {
  return (run) => {
    const value = operand(run);
    if (run.fault !== undefined) return false;
    const truth = typeof value === "number" ? undefined : toBoolean(value);
    return truth === undefined ? failed(run, "cast", castMessage(value, "Boolean"), true) : !truth;
  };
}

function negate(operand: Closure): Closure {
  return (run) => {
    const value = operand(run);
    if (run.fault !== undefined) return 0;
    const number = toInteger(value);
    if (number === undefined) return failed(run, "cast", castMessage(value, "Integer"), 0);
    return inRange(run, -number);
  };
}

function logic(operator: "AND" | "OR" | "XOR", left: Closure, right: Closure): Closure {
  return (run) => {
    const first = truthOf(run, left);
    if (run.fault !== undefined) return false;
    if (operator === "AND" ? !first : operator === "OR" && first) return first;
    const second = truthOf(run, right);
    if (run.fault !== undefined) return false;
    return operator === "XOR" ? first !== second : second;
  };
}

function truthOf(run: Run, operand: Closure): boolean {
  const value = operand(run);
  if (run.fault !== undefined || typeof value === "boolean") return value === true;
  return toBoolean(value) ?? failed(run, "cast", castMessage(value, "Boolean"), false);
}

/** The right operand's type says which of the three is meant (3.7). */
function equal(left: Closure, right: Closure, wanted: boolean): Closure {
  return (run) => {
    const first = left(run);
    if (run.fault !== undefined) return false;
    const second = right(run);
    if (run.fault !== undefined) return false;
    if (typeof first === typeof second) return (first === second) === wanted;
    const type = typeOf(second);
    const same = cast(first, type);
    return same === undefined ? failed(run, "cast", castMessage(first, type), false) : (same === second) === wanted;
  };
}

const COMPARE: Readonly<Record<Exclude<CompareOperator, "=" | "!=">, (x: number, y: number) => boolean>> = {
  "<": (x, y) => x < y,
  "<=": (x, y) => x <= y,
  ">": (x, y) => x > y,
  ">=": (x, y) => x >= y,
};

function ordered(operator: Exclude<CompareOperator, "=" | "!=">, left: Closure, right: Closure): Closure {
  const compare = COMPARE[operator];
  return (run) => withIntegers(run, left, right, false, compare);
}

/** Both operands first, then the casts: a missing attribute is told before a text that is no number. */
function withIntegers<V extends Value>(run: Run, left: Closure, right: Closure, zero: V, compute: (x: number, y: number) => V): V {
  const first = left(run);
  if (run.fault !== undefined) return zero;
  const second = right(run);
  if (run.fault !== undefined) return zero;
  const x = toInteger(first);
  if (x === undefined) return failed(run, "cast", castMessage(first, "Integer"), zero);
  const y = toInteger(second);
  if (y === undefined) return failed(run, "cast", castMessage(second, "Integer"), zero);
  return compute(x, y);
}

/** Exact up to where a result is refused: products of 32 bits may lose digits only far outside of the range. */
const MATH: Readonly<Record<MathOperator, (x: number, y: number) => number>> = {
  "+": (x, y) => x + y,
  "-": (x, y) => x - y,
  "*": (x, y) => x * y,
  "/": (x, y) => Math.trunc(x / y),
  "%": (x, y) => x % y,
};

function arithmetic(operator: MathOperator, left: Closure, right: Closure): Closure {
  const compute = MATH[operator];
  const divides = operator === "/" || operator === "%";
  return (run) =>
    withIntegers(run, left, right, 0, (x, y) => {
      if (divides && y === 0) return failed(run, "math", `${x} ${operator} 0: division by zero`, 0);
      return inRange(run, compute(x, y));
    });
}

/** The specification leaves overflow open; a number that wraps around would let a filter pass what it should not. */
function inRange(run: Run, value: number): number {
  if (value < INTEGER_MIN || value > INTEGER_MAX) return failed(run, "math", `${value} is no integer of 32 bits`, 0);
  return value | 0;
}

function like(operand: Closure, pattern: string, negated: boolean): Closure {
  const match = likeMatcher(pattern);
  return (run) => {
    const value = operand(run);
    return run.fault === undefined && match(toText(value)) !== negated;
  };
}

/** Elements are cast to the type of what is looked for; they are evaluated up to the first that is equal. */
function among(operand: Closure, set: readonly Closure[], negated: boolean): Closure {
  return (run) => {
    const value = operand(run);
    if (run.fault !== undefined) return false;
    const type = typeOf(value);
    for (const element of set) {
      const other = element(run);
      if (run.fault !== undefined) return false;
      const same = cast(other, type);
      if (same === undefined) return failed(run, "cast", castMessage(other, type), false);
      if (same === value) return !negated;
    }
    return negated;
  };
}

function call(name: string, args: readonly Closure[]): Closure {
  const func = functionFor(name, args.length);
  if (func === undefined) {
    const fault: EvaluationFault = {
      kind: "missingFunction",
      message: `no function ${name} takes ${args.length} ${args.length === 1 ? "argument" : "arguments"}`,
    };
    return (run) => {
      run.fault = fault;
      return false;
    };
  }
  const zero = ZERO[func.returns];
  return (run) => {
    const values: Value[] = [];
    for (const [index, arg] of args.entries()) {
      const value = arg(run);
      if (run.fault !== undefined) return zero;
      const type = func.argument(index);
      const fitting = type === undefined ? value : cast(value, type);
      if (fitting === undefined) return failed(run, "cast", castMessage(value, type ?? "String"), zero);
      values.push(fitting);
    }
    const result = func.run(values);
    run.fault = result.fault;
    return result.value;
  };
}

function failed<V extends Value>(run: Run, kind: EvaluationErrorKind, message: string, value: V): V {
  run.fault = { kind, message };
  return value;
}

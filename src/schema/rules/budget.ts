// What rules may cost as they run: every step of an evaluation counts, and patterns count with what they read.
import { pattern } from "./pattern.ts";

/** For all rules of one object, and for one rule; as in Kubernetes. */
export const OBJECT_BUDGET = 10_000_000;
export const RULE_BUDGET = 1_000_000;

/** Thrown out of an evaluation that costs too much. */
export class BudgetExceeded extends Error {}

/** Spent by the rule that runs now: rules never wait. */
export class Meter {
  spent = 0;
  #limit = RULE_BUDGET;

  start(limit: number): void {
    this.spent = 0;
    this.#limit = Math.min(limit, RULE_BUDGET);
  }

  spend(cost: number): void {
    this.spent += cost;
    if (this.spent > this.#limit) throw new BudgetExceeded("operation cancelled: actual cost limit exceeded");
  }
}

interface AstNode {
  readonly op: string;
  readonly args: unknown;
  readonly meta: Record<string, unknown>;
  setMeta(name: string, value: unknown): AstNode;
}

type Evaluate = (evaluator: { run(node: unknown, context: unknown): unknown }, node: AstNode, context: unknown) => unknown;

export function isNode(value: unknown): value is AstNode {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Partial<AstNode>).op === "string" &&
    typeof (value as Partial<AstNode>).setMeta === "function"
  );
}

/** RE2 in the place of V8's patterns, which can take for ever. */
const matches =
  (meter: Meter): Evaluate =>
  (evaluator, node, context) => {
    const [, receiver, [argument]] = node.args as [string, unknown, [unknown]];
    const text = evaluator.run(receiver, context);
    const source = evaluator.run(argument, context);
    if (typeof text !== "string" || typeof source !== "string") throw new Error("no such overload");
    meter.spend(Math.ceil((text.length / 10) * (source.length / 4)) + 1);
    return pattern(source).matches(text);
  };

/** All nodes of a checked expression, also those that macros have made. */
export function nodesOf(root: unknown): readonly AstNode[] {
  const found: AstNode[] = [];
  const seen = new Set<object>();
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    if (isNode(value)) {
      found.push(value);
      walk(value.args);
      walk(value.meta["alternate"]);
      walk(value.meta["macro"]);
    } else if (Array.isArray(value)) value.forEach(walk);
    else if (Object.getPrototypeOf(value) === Object.prototype) Object.values(value).forEach(walk);
  };
  walk(root);
  return found;
}

/** Makes every node of an expression pay as it is evaluated. */
export function metered(root: unknown, meter: Meter): void {
  for (const node of nodesOf(root)) {
    const isMatch = node.op === "rcall" && (node.args as unknown[])[0] === "matches";
    const original = isMatch ? matches(meter) : (node.meta["evaluate"] as Evaluate);
    const paying: Evaluate = (evaluator, ast, context) => {
      meter.spend(1);
      return original(evaluator, ast, context);
    };
    node.setMeta("evaluate", paying);
  }
}

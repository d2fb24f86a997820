// Rules of one schema node: parsed, typed, metered; what is wrong with them in the words of cel-go, as near as may be.
import type { Environment } from "@marcbachmann/cel-js";
import type { Node, ValidationRule } from "../node.ts";
import { metered, nodesOf, type Meter } from "./budget.ts";
import { baseEnvironment } from "./library.ts";
import { TypeBuilder, type ToCel } from "./types.ts";

type Variables = Readonly<Record<string, unknown>>;
type Expression = ((variables: Variables) => unknown) & { readonly ast: unknown; check(): { valid: boolean; type?: string; error?: unknown } };

/** An expression that can be run, or why not. */
export interface Compiled {
  readonly run?: (variables: Variables) => unknown;
  readonly ast?: unknown;
  readonly usesOldSelf: boolean;
  readonly problem?: string;
}

export interface CompiledRule {
  readonly rule: ValidationRule;
  readonly test: Compiled;
  readonly message: Compiled | undefined;
}

/** The rules of a node with what turns its values into those that the rules read. */
export interface RuleSet {
  readonly rules: readonly CompiledRule[];
  readonly toCel: ToCel;
}

let base: Environment | undefined;

const OPERATORS: Readonly<Record<string, string>> = {
  "+": "_+_",
  "-": "_-_",
  "*": "_*_",
  "/": "_/_",
  "%": "_%_",
  "==": "_==_",
  "!=": "_!=_",
  "<": "_<_",
  "<=": "_<=_",
  ">": "_>_",
  ">=": "_>=_",
  in: "@in",
};

let names: ReadonlySet<string> | undefined;

function isKnown(name: string): boolean {
  names ??= new Set(
    baseEnvironment()
      .getDefinitions()
      .functions.map((one) => one.name),
  );
  return names.has(name);
}

/** cel-go's words for what our engine says. */
function reworded(summary: string): string {
  const field = /^No such key: (.*)$/.exec(summary)?.[1];
  if (field !== undefined) return `undefined field '${field}'`;
  const variable = /^Unknown variable: (.*)$/.exec(summary)?.[1];
  if (variable !== undefined) return `undeclared reference to '${variable}' (in container '')`;
  const [, left, operator, right] = /^no such overload: (\S+(?: \S+>)?) (\S+) (.+)$/.exec(summary) ?? [];
  if (left !== undefined && operator !== undefined && OPERATORS[operator] !== undefined)
    return `found no matching overload for '${OPERATORS[operator]}' applied to '(${left}, ${right ?? ""})'`;
  const [, receiver, method, parameters] = /^found no matching overload for '(?:(.+)\.)?(\w+)\((.*)\)'$/.exec(summary) ?? [];
  if (method !== undefined && receiver !== undefined && isKnown(method))
    return `found no matching overload for '${method}' applied to '${receiver}.(${parameters ?? ""})'`;
  if (method !== undefined) return `undeclared reference to '${method}' (in container '')`;
  const scalar = /^Cannot index type '(.*)'$/.exec(summary)?.[1];
  if (scalar !== undefined) return `type '${scalar}' does not support field selection`;
  return /^(Unexpected|Expected|Unterminated)/.test(summary) ? `Syntax error: ${summary}` : summary;
}

interface Located {
  readonly summary?: string;
  readonly message?: string;
  readonly range?: { readonly start: number };
  readonly node?: { readonly op: string; readonly args: unknown; readonly start: number };
}

/** cel-go points at the dot of a field, the parenthesis of a call, and the sign of an operator. */
function placeOf(source: string, { summary = "", range, node }: Located): number {
  const start = range?.start ?? 0;
  const from = (part: unknown): number => (part as { end?: number } | undefined)?.end ?? start;
  if (/^(No such key|Cannot index type)/.test(summary)) return Math.max(0, start - 1);
  if (node === undefined || !Array.isArray(node.args)) return start;
  const [first, second] = node.args as unknown[];
  const sign = node.op === "call" ? "(" : node.op === "rcall" ? "(" : OPERATORS[node.op] === undefined ? undefined : node.op;
  const after = node.op === "call" ? node.start : node.op === "rcall" ? from(second) : from(first);
  const found = sign === undefined ? -1 : source.indexOf(sign, after);
  return found < 0 ? start : found;
}

/** An error with its place, as cel-go shows both. */
function shownError(source: string, error: unknown): string {
  const located = error as Located;
  const { summary = "", message = String(error) } = located;
  const start = Math.min(placeOf(source, located), source.length);
  const before = source.slice(0, start).split("\n");
  const column = before.at(-1)?.length ?? 0;
  const line = source.split("\n")[before.length - 1] ?? "";
  return `ERROR: <input>:${before.length}:${column + 1}: ${reworded(summary === "" ? message : summary)}\n | ${line}\n | ${".".repeat(column)}^`;
}

/** The engine does not look at what `has` asks for. */
function uncheckedSelections(environment: Environment, source: string, ast: unknown): unknown {
  for (const node of nodesOf(ast)) {
    if (node.op !== "call" || (node.args as unknown[])[0] !== "has") continue;
    const [selection] = (node.args as [string, { start: number; end: number }[]])[1];
    const text = selection === undefined ? "" : source.slice(selection.start, selection.end);
    if (!/^(self|oldSelf)\b/.test(text)) continue;
    const { error } = environment.check(text) as { error?: { summary?: string } };
    if (error?.summary?.startsWith("No such key") === true) return { summary: error.summary, range: { start: selection?.start ?? 0 } };
  }
  return undefined;
}

function compileOne(environment: Environment, source: string, { wanted, what, meter }: { wanted: "bool" | "string"; what: string; meter: Meter }): Compiled {
  const failed = (error: unknown): Compiled => ({ usesOldSelf: false, problem: `${what}compilation failed: ${shownError(source, error)}` });
  let expression: Expression;
  try {
    expression = environment.parse(source) as unknown as Expression;
  } catch (error) {
    return failed(error);
  }
  const { valid, type, error } = expression.check();
  if (!valid) return failed(error);
  const unknown = uncheckedSelections(environment, source, expression.ast);
  if (unknown !== undefined) return failed(unknown);
  const usesOldSelf = nodesOf(expression.ast).some((node) => node.op === "id" && node.args === "oldSelf");
  if (type !== wanted && type !== "dyn") {
    return { usesOldSelf, problem: wanted === "bool" ? "cel expression must evaluate to a bool" : "messageExpression must evaluate to a string" };
  }
  metered(expression.ast, meter);
  return { run: expression, ast: expression.ast, usesOldSelf };
}

/** Undefined for a node whose values rules cannot see. */
export function compileRules(node: Node, isResource: boolean, meter: Meter): RuleSet | undefined {
  const rules = node["x-kubernetes-validations"] ?? [];
  base ??= baseEnvironment();
  const environment = base.clone();
  const type = new TypeBuilder(environment).of(node, isResource);
  if (type === undefined) return undefined;
  environment.registerVariable("self", type.name);
  const plain = environment.clone().registerVariable("oldSelf", type.name);
  const optional = environment.clone().registerVariable("oldSelf", `optional<${type.name}>`);
  const compiled = rules.map((rule): CompiledRule => {
    const scope = rule.optionalOldSelf === true ? optional : plain;
    const { messageExpression = "" } = rule;
    return {
      rule,
      test: compileOne(scope, rule.rule, { wanted: "bool", what: "", meter }),
      message: messageExpression.trim() === "" ? undefined : compileOne(scope, messageExpression, { wanted: "string", what: "messageExpression ", meter }),
    };
  });
  return { rules: compiled, toCel: type.toCel };
}

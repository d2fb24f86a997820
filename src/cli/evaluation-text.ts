// How people read what an expression made of an event. Pure.
import type { Evaluation } from "#cesql";

/** Lines of value, error and what a Trigger would do; a mark below the place of a parse error. */
export function evaluationText(expression: string, { value, fault }: Evaluation, at: number | undefined): string {
  const type = typeof value === "string" ? "String" : typeof value === "number" ? "Integer" : "Boolean";
  const lines = [`value    ${JSON.stringify(value)} (${type})`];
  if (fault !== undefined) lines.push(`error    ${fault.kind}: ${fault.message}`);
  if (at !== undefined) lines.push(...marked(expression, at));
  lines.push(`filter   ${verdict({ value, fault })}`);
  return `${lines.join("\n")}\n`;
}

function verdict({ value, fault }: Evaluation): string {
  if (fault?.kind === "parse") return "refused: a Trigger with it cannot be written";
  if (fault !== undefined) return "does not pass: an error never does";
  if (typeof value !== "boolean") return "does not pass: only a Boolean can";
  return value ? "passes" : "does not pass";
}

/** The line of the expression on which position `at` is, and a mark below it. */
function marked(expression: string, at: number): string[] {
  const from = expression.lastIndexOf("\n", at - 1) + 1;
  const line = expression.slice(from).split("\n", 1)[0] ?? "";
  return [`         ${line}`, `         ${" ".repeat([...expression.slice(from, at)].length)}^`];
}

// Why an expression can be no filter: told when a Trigger is written instead of in silence at each event.
import { parseExpression } from "./parser.ts";
import { staticType } from "./static-type.ts";

/** Undefined: it may be one. An expression whose type depends on the event may, and passes nothing while it is not boolean. */
export function filterFault(expression: string): string | undefined {
  const parsed = parseExpression(expression);
  if ("fault" in parsed) return parsed.fault.message;
  const type = staticType(parsed.node);
  return type === undefined || type === "Boolean"
    ? undefined
    : `the expression is never a Boolean but always ${type === "Integer" ? "an Integer" : "a String"}`;
}

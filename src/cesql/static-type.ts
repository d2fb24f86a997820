// What is known of an expression before any event is there.
import { functionFor } from "./functions.ts";
import type { Node, ValueType } from "./syntax.ts";
import { typeOf } from "./values.ts";

/** Attributes that are strings in every event (CloudEvents 1.0 and 0.3); what an extension is, its producer decides. */
const TEXTS: ReadonlySet<string> = new Set(["id", "source", "specversion", "type", "datacontenttype", "dataschema", "subject", "time", "schemaurl"]);

/** Whether an attribute is a string in every event that has it. */
export const isText = (name: string): boolean => TEXTS.has(name);

/** Undefined: it depends on the event. */
export function staticType(node: Node): ValueType | undefined {
  switch (node.is) {
    case "literal":
      return typeOf(node.value);
    case "attribute":
      return isText(node.name) ? "String" : undefined;
    case "negate":
    case "math":
      return "Integer";
    case "call":
      return functionFor(node.name, node.args.length)?.returns ?? "Boolean";
    case "exists":
    case "not":
    case "logic":
    case "compare":
    case "like":
    case "in":
      return "Boolean";
  }
}

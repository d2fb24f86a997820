// What an attribute must be for an expression to be true: lets many filters be looked up instead of tried one after another.
import { isText } from "./static-type.ts";
import type { Node } from "./syntax.ts";

/** The expression is true only if the canonical string form of the attribute is one of these. */
export interface Need {
  readonly attribute: string;
  readonly values: ReadonlySet<string>;
}

export function needsOf(node: Node): readonly Need[] {
  switch (node.is) {
    case "compare":
      return node.operator === "=" ? equality(node.left, node.right) : [];
    case "in":
      return node.negated ? [] : membership(node.operand, node.set);
    case "logic":
      if (node.operator === "XOR") return [];
      return node.operator === "AND" ? [...needsOf(node.left), ...needsOf(node.right)] : eitherNeeds([needsOf(node.left), needsOf(node.right)]);
    default:
      return [];
  }
}

/** What holds whichever of the alternatives does. */
export function eitherNeeds(alternatives: readonly (readonly Need[])[]): readonly Need[] {
  const [first = [], ...others] = alternatives;
  return first.flatMap(({ attribute, values }) => {
    const same = others.map((needs) => needs.find((need) => need.attribute === attribute));
    if (same.includes(undefined)) return [];
    return [{ attribute, values: new Set([...values, ...same.flatMap((need) => [...(need?.values ?? [])])]) }];
  });
}

/** A text on the right makes the left a text. (On the left it would become what the attribute is: '05' equals 5.) */
function equality(left: Node, right: Node): readonly Need[] {
  if (left.is !== "attribute" || right.is !== "literal" || typeof right.value !== "string") return [];
  return [{ attribute: left.name, values: new Set([right.value]) }];
}

function membership(operand: Node, set: readonly Node[]): readonly Need[] {
  if (operand.is !== "attribute" || !isText(operand.name)) return [];
  const values = set.flatMap((element) => (element.is === "literal" ? [String(element.value)] : []));
  return values.length === set.length ? [{ attribute: operand.name, values: new Set(values) }] : [];
}

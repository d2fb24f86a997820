// The tree of a CESQL expression, and why a text is none.

/** The three types of the language. Integers have 32 bits. */
export type Value = boolean | number | string;
export type ValueType = "Boolean" | "Integer" | "String";

export type LogicOperator = "AND" | "OR" | "XOR";
export type CompareOperator = "=" | "!=" | "<" | "<=" | ">" | ">=";
export type MathOperator = "+" | "-" | "*" | "/" | "%";

export type Node =
  | { readonly is: "literal"; readonly value: Value }
  | { readonly is: "attribute"; readonly name: string }
  | { readonly is: "exists"; readonly name: string }
  | { readonly is: "not"; readonly operand: Node }
  | { readonly is: "negate"; readonly operand: Node }
  | { readonly is: "logic"; readonly operator: LogicOperator; readonly left: Node; readonly right: Node }
  | { readonly is: "compare"; readonly operator: CompareOperator; readonly left: Node; readonly right: Node }
  | { readonly is: "math"; readonly operator: MathOperator; readonly left: Node; readonly right: Node }
  | { readonly is: "like"; readonly operand: Node; readonly pattern: string; readonly negated: boolean }
  | { readonly is: "in"; readonly operand: Node; readonly set: readonly Node[]; readonly negated: boolean }
  | { readonly is: "call"; readonly name: string; readonly args: readonly Node[] };

/** Thrown inside the parser only; callers of the room get a value. */
export class SyntaxFault extends Error {
  /** Of the first character that does not fit; counted from 0. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

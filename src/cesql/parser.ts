// Tokens as a tree (specification, 2 and 3.6). Operators of one level are taken from left to right; AND, OR and XOR are one level.
import { tokensOf, type Token } from "./lexer.ts";
import { SyntaxFault, type CompareOperator, type LogicOperator, type MathOperator, type Node } from "./syntax.ts";
import { INTEGER_MAX, INTEGER_MIN } from "./values.ts";

export type Parsed = { readonly node: Node } | { readonly fault: ParseFault };

export interface ParseFault {
  /** What does not fit, and where. */
  readonly message: string;
  /** Counted from 0. */
  readonly at: number;
}

/** Operators and parentheses inside one another. */
export const NESTING_MAX = 500;

/** The higher, the closer. */
const LEVELS = { logic: 1, compare: 2, sum: 3, product: 4, in: 5, like: 6, unary: 7 } as const;

type Infix =
  | { readonly is: "logic"; readonly level: number; readonly operator: LogicOperator }
  | { readonly is: "compare"; readonly level: number; readonly operator: CompareOperator }
  | { readonly is: "math"; readonly level: number; readonly operator: MathOperator };

const compare = (operator: CompareOperator): Infix => ({ is: "compare", level: LEVELS.compare, operator });
const math = (operator: MathOperator, level: number): Infix => ({ is: "math", level, operator });
const logic = (operator: LogicOperator): Infix => ({ is: "logic", level: LEVELS.logic, operator });

const SYMBOLS: ReadonlyMap<string, Infix> = new Map([
  ["=", compare("=")],
  ["!=", compare("!=")],
  ["<>", compare("!=")],
  ["<", compare("<")],
  ["<=", compare("<=")],
  [">", compare(">")],
  [">=", compare(">=")],
  ["+", math("+", LEVELS.sum)],
  ["-", math("-", LEVELS.sum)],
  ["*", math("*", LEVELS.product)],
  ["/", math("/", LEVELS.product)],
  ["%", math("%", LEVELS.product)],
]);
const WORDS: ReadonlyMap<string, Infix> = new Map([
  ["AND", logic("AND")],
  ["OR", logic("OR")],
  ["XOR", logic("XOR")],
]);
/** Words that name no attribute and no function, in any case. */
const KEYWORDS: ReadonlySet<string> = new Set(["AND", "OR", "XOR", "NOT", "LIKE", "EXISTS", "IN", "TRUE", "FALSE"]);

export function parseExpression(text: string): Parsed {
  try {
    const parser = new Parser(tokensOf(text));
    return { node: parser.whole() };
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    return { fault: { message: `${error.message} (at position ${error.at + 1})`, at: error.at } };
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  /** Of the recursion, and of trees already built: a long chain is as deep as a nest. */
  #nesting = 0;
  readonly #depths = new WeakMap<Node, number>();

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Node {
    const node = this.#expression(LEVELS.logic);
    const rest = this.#peek();
    if (rest.is !== "end") throw unexpected(rest, "an operator or the end");
    return node;
  }

  /** An operand and all operators behind it that bind at least as close as `level`. */
  #expression(level: number): Node {
    if (++this.#nesting > NESTING_MAX) throw tooDeep(this.#peek());
    let left = this.#operand();
    for (;;) {
      const longer = this.#extended(left, level);
      if (longer === undefined) break;
      left = longer;
    }
    this.#nesting--;
    return left;
  }

  #extended(left: Node, level: number): Node | undefined {
    const token = this.#peek();
    const infix = token.is === "symbol" ? SYMBOLS.get(token.text) : token.is === "word" ? WORDS.get(token.text.toUpperCase()) : undefined;
    if (infix !== undefined) {
      if (infix.level < level) return undefined;
      this.#next++;
      const right = this.#expression(infix.level + 1);
      return this.#built(token, { ...infix, left, right } as Node, left, right);
    }
    return this.#likeOrIn(left, level);
  }

  /** `x LIKE 'p'`, `x IN (…)`, and both with NOT. */
  #likeOrIn(operand: Node, level: number): Node | undefined {
    const token = this.#peek();
    const negated = isWord(token, "NOT");
    const operator = negated ? this.#peek(1) : token;
    if (isWord(operator, "LIKE") && LEVELS.like >= level) {
      this.#next += negated ? 2 : 1;
      const pattern = this.#take();
      if (pattern.is !== "string") throw unexpected(pattern, "a string, LIKE takes no other pattern");
      return this.#built(token, { is: "like", operand, pattern: pattern.text, negated }, operand);
    }
    if (isWord(operator, "IN") && LEVELS.in >= level) {
      this.#next += negated ? 2 : 1;
      this.#symbol("(");
      const set = this.#list();
      return this.#built(token, { is: "in", operand, set, negated }, operand, ...set);
    }
    return undefined;
  }

  #operand(): Node {
    const token = this.#take();
    if (token.is === "string") return { is: "literal", value: token.text };
    if (token.is === "digits") return integer(token, "");
    if (token.is === "symbol") return this.#afterSymbol(token);
    if (token.is === "end") throw unexpected(token, "a value");
    if (isSymbol(this.#peek(), "(") && !KEYWORDS.has(token.text.toUpperCase())) return this.#call(token);
    if (token.is === "function") throw unexpected(this.#peek(), `"(" behind the function ${token.text}`);
    return this.#afterWord(token);
  }

  #afterSymbol(token: Token): Node {
    const next = this.#peek();
    if ((token.text === "-" || token.text === "+") && next.is === "digits" && next.at === token.at + 1) {
      this.#next++;
      return integer(next, token.text);
    }
    if (token.text === "-") return this.#unary(token, "negate");
    if (token.text !== "(") throw unexpected(token, "a value");
    const node = this.#expression(LEVELS.logic);
    this.#symbol(")");
    return node;
  }

  #afterWord(token: Token): Node {
    const keyword = token.text.toUpperCase();
    if (keyword === "TRUE" || keyword === "FALSE") return { is: "literal", value: keyword === "TRUE" };
    if (keyword === "NOT") return this.#unary(token, "not");
    if (keyword === "EXISTS") {
      const name = this.#take();
      if ((name.is !== "word" && name.is !== "digits") || KEYWORDS.has(name.text.toUpperCase())) throw unexpected(name, "an attribute's name");
      return { is: "exists", name: name.text.toLowerCase() };
    }
    if (KEYWORDS.has(keyword)) throw unexpected(token, "a value");
    return { is: "attribute", name: token.text.toLowerCase() };
  }

  #unary(token: Token, is: "not" | "negate"): Node {
    const operand = this.#expression(LEVELS.unary);
    return this.#built(token, { is, operand }, operand);
  }

  #call(token: Token): Node {
    if (/[0-9]/.test(token.text)) throw new SyntaxFault(`"${token.text}" cannot be a function, which have no digits in their names`, token.at);
    this.#symbol("(");
    const name = token.text.toUpperCase();
    if (!isSymbol(this.#peek(), ")")) {
      const args = this.#list();
      return this.#built(token, { is: "call", name, args }, ...args);
    }
    this.#next++;
    return { is: "call", name, args: [] };
  }

  /** One expression or several between commas, and the closing parenthesis. */
  #list(): Node[] {
    const nodes = [this.#expression(LEVELS.logic)];
    while (isSymbol(this.#peek(), ",")) {
      this.#next++;
      nodes.push(this.#expression(LEVELS.logic));
    }
    this.#symbol(")");
    return nodes;
  }

  #built(token: Token, node: Node, ...children: readonly Node[]): Node {
    const depth = 1 + children.reduce((most, child) => Math.max(most, this.#depths.get(child) ?? 0), 0);
    if (depth > NESTING_MAX) throw tooDeep(token);
    this.#depths.set(node, depth);
    return node;
  }

  #symbol(text: string): void {
    const token = this.#take();
    if (!isSymbol(token, text)) throw unexpected(token, `"${text}"`);
  }

  #take(): Token {
    const token = this.#peek();
    if (token.is !== "end") this.#next++;
    return token;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[this.#next + ahead] ?? { is: "end", text: "", at: this.#tokens.at(-1)?.at ?? 0 };
  }
}

function integer(token: Token, sign: string): Node {
  const value = Number(sign + token.text);
  if (value < INTEGER_MIN || value > INTEGER_MAX) throw new SyntaxFault(`${sign}${token.text} is no integer of 32 bits`, token.at - sign.length);
  return { is: "literal", value: value | 0 };
}

const isSymbol = (token: Token, text: string): boolean => token.is === "symbol" && token.text === text;
const isWord = (token: Token, keyword: string): boolean => token.is === "word" && token.text.toUpperCase() === keyword;

function unexpected(token: Token, wanted: string): SyntaxFault {
  const found = token.is === "end" ? "the expression ends" : token.is === "string" ? "a string stands" : `"${token.text}" stands`;
  return new SyntaxFault(`${found} where ${wanted} is wanted`, token.at);
}

const tooDeep = (token: Token): SyntaxFault => new SyntaxFault(`more than ${NESTING_MAX} operators are nested`, token.at);

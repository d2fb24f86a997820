// A text as tokens (specification, 2.2 to 2.4). Signs are left to the parser: whether `-1` is a number or a subtraction depends on what stands before.
import { SyntaxFault } from "./syntax.ts";

export type Token =
  /** Letters and digits: an attribute, a keyword, or a function's name. */
  | { readonly is: "word"; readonly text: string; readonly at: number }
  /** Letters and underscores: only a function may be called so. */
  | { readonly is: "function"; readonly text: string; readonly at: number }
  | { readonly is: "digits"; readonly text: string; readonly at: number }
  | { readonly is: "string"; readonly text: string; readonly at: number }
  | { readonly is: "symbol"; readonly text: string; readonly at: number }
  | { readonly is: "end"; readonly text: ""; readonly at: number };

/** Characters that an expression may have. */
export const EXPRESSION_LENGTH_MAX = 8192;

const BLANK = /[ \t\r\n]+/y;
const WORD = /[A-Za-z0-9_]+/y;
const SYMBOL = /!=|<>|<=|>=|[()=<>+\-*/%,]/y;
/** A backslash takes the next character along, a doubled quote is one of the text. */
const STRING = { "'": /'(?:\\[^]|''|[^'\\])*'/y, '"': /"(?:\\[^]|""|[^"\\])*"/y } as const;

/** Throws SyntaxFault. The last token is `end`. */
export function tokensOf(text: string): Token[] {
  if (text.length > EXPRESSION_LENGTH_MAX) throw new SyntaxFault(`the expression is longer than ${EXPRESSION_LENGTH_MAX} characters`, EXPRESSION_LENGTH_MAX);
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const blank = matchAt(BLANK, text, at);
    at += blank.length;
    if (at === text.length) break;
    const [token, length] = tokenAt(text, at);
    tokens.push(token);
    at += length;
  }
  tokens.push({ is: "end", text: "", at: text.length });
  return tokens;
}

function tokenAt(text: string, at: number): readonly [Token, number] {
  const first = text[at];
  if (first === "'" || first === '"') {
    const quoted = matchAt(STRING[first], text, at);
    if (quoted === "") throw new SyntaxFault("the string does not end", at);
    return [{ is: "string", text: unquoted(quoted, first), at }, quoted.length];
  }
  const symbol = matchAt(SYMBOL, text, at);
  if (symbol !== "") return [{ is: "symbol", text: symbol, at }, symbol.length];
  const word = matchAt(WORD, text, at);
  if (word === "") throw new SyntaxFault(`unexpected character ${JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0))}`, at);
  return [wordToken(word, at), word.length];
}

function wordToken(text: string, at: number): Token {
  if (/^[0-9]+$/.test(text)) return { is: "digits", text, at };
  if (/^[A-Za-z0-9]+$/.test(text)) return { is: "word", text, at };
  if (/^[A-Za-z][A-Za-z_]*$/.test(text)) return { is: "function", text, at };
  throw new SyntaxFault(`"${text}" is neither an attribute (letters and digits) nor a function (letters and underscores)`, at);
}

/** Only the own quote can be escaped; any other backslash is a character of the text, so that LIKE still sees its own. */
function unquoted(quoted: string, quote: "'" | '"'): string {
  const inner = quoted.slice(1, -1);
  if (!inner.includes(quote)) return inner;
  return inner.replaceAll(/\\[^]|''|""/g, (pair) => (pair[1] === quote ? quote : pair));
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}

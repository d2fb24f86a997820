// Splits a Go template into texts and the tokens of its actions.
import { TemplateFault } from "./template-fault.ts";

export interface Token {
  readonly kind: "field" | "word" | "text" | "number" | "pipe" | "open" | "close";
  /** Of a string its value. */
  readonly text: string;
  /** No space before it. */
  readonly joined: boolean;
}

const TOKEN = /\s*(?:((?:\.[A-Za-z_]\w*)+|\.)(?![A-Za-z_\w])|([A-Za-z_]\w*)|("(?:[^"\\\n]|\\.)*"|`[^`]*`)|([+-]?\d+(?:\.\d+)?)|(\|)|(\()|(\)))/y;
const KINDS = ["field", "word", "text", "number", "pipe", "open", "close"] as const;

/** Texts as they are, actions as lists of tokens; comments are gone, and white space that `{{-` and `-}}` take. */
export function lexTemplate(text: string): (string | readonly Token[])[] {
  const parts: (string | readonly Token[])[] = [];
  let at = 0;
  let trim = false;
  const push = (raw: string): void => {
    const kept = trim ? raw.trimStart() : raw;
    if (kept !== "") parts.push(kept);
  };
  for (let open = text.indexOf("{{"); open >= 0; open = text.indexOf("{{", at)) {
    const trimsBefore = /^-\s/.test(text.slice(open + 2, open + 4));
    push(trimsBefore ? text.slice(at, open).trimEnd() : text.slice(at, open));
    const close = endOfAction(text, open + 2);
    const inner = text.slice(open + 2 + (trimsBefore ? 1 : 0), close);
    trim = /\s-$/.test(inner);
    const action = (trim ? inner.slice(0, -1) : inner).trim();
    if (!/^\/\*[^]*\*\/$/.test(action)) parts.push(tokensOf(action));
    at = close + 2;
  }
  push(text.slice(at));
  return parts;
}

/** The place of the `}}` that closes the action; one inside a string does not. */
function endOfAction(text: string, from: number): number {
  const comment = /^-?\s*\/\*/.exec(text.slice(from));
  if (comment !== null) {
    const end = text.indexOf("*/", from);
    const close = end < 0 ? -1 : text.indexOf("}}", end);
    if (close < 0) throw new TemplateFault("unclosed comment");
    return close;
  }
  for (let at = from; at < text.length; at++) {
    const c = text[at];
    if (c === "}" && text[at + 1] === "}") return at;
    if (c !== '"' && c !== "`") continue;
    for (at++; at < text.length && text[at] !== c; at++) {
      if (c === '"' && text[at] === "\\") at++;
      if (c === '"' && text[at] === "\n") throw new TemplateFault("unterminated quoted string");
    }
    if (at >= text.length) throw new TemplateFault(c === "`" ? "unterminated raw quoted string" : "unterminated quoted string");
  }
  throw new TemplateFault("unclosed action");
}

function tokensOf(action: string): Token[] {
  if (action === "") throw new TemplateFault("missing value for command");
  const tokens: Token[] = [];
  let at = 0;
  while (at < action.length) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(action);
    if (found === null) throw new TemplateFault(`unexpected ${JSON.stringify(action.slice(at).trim().slice(0, 20))} in command`);
    const index = found.slice(1).findIndex((part) => part !== undefined);
    const raw = found[index + 1] ?? "";
    const kind = KINDS[index] ?? "word";
    tokens.push({ kind, text: kind === "text" ? unquoted(raw) : raw, joined: found[0].length === raw.length });
    at = TOKEN.lastIndex;
    if (/^\s*$/.test(action.slice(at))) break;
  }
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", '"': '"', "\\": "\\", "'": "'" };

function unquoted(raw: string): string {
  const inner = raw.slice(1, -1);
  if (raw.startsWith("`")) return inner;
  return inner.replaceAll(/\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)/g, (_, escape: string) => {
    if (escape.length > 1) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    const known = ESCAPES[escape];
    if (known === undefined) throw new TemplateFault(`invalid syntax: ${raw}`);
    return known;
  });
}

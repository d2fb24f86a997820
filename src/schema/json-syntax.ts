// What Go's JSON scanner says of a text that is no JSON, byte by byte as it goes.

/** Deeper texts are refused by Go itself. */
const DEPTH_MAX = 10_000;
const END = "unexpected end of JSON input";
const LITERALS = ["true", "false", "null"];
const SPACE = new Set([" ", "\t", "\r", "\n"]);

/** A place where the text goes wrong. */
class Wrong extends Error {}

/** Go's quoted form of one byte. */
function quoted(char: string): string {
  if (char === "'") return String.raw`'\''`;
  if (char === '"') return `'"'`;
  // The scanner sees bytes: of a longer character it shows the first.
  const shown = char.charCodeAt(0) < 0x80 ? char : String.fromCharCode(new TextEncoder().encode(char)[0] ?? 0);
  const escapes: Readonly<Record<string, string>> = {
    "\t": "\\t",
    "\n": "\\n",
    "\r": "\\r",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
    "\x07": "\\a",
    "\\": "\\\\",
  };
  const code = shown.charCodeAt(0);
  if (escapes[shown] !== undefined) return `'${escapes[shown]}'`;
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, "0")}'`;
  return code >= 0x80 && code < 0xa1 ? `'\\u${code.toString(16).padStart(4, "0")}'` : `'${shown}'`;
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Throws `Wrong` at the first byte that does not belong. */
  scan(): void {
    const open: ("{" | "[")[] = [];
    this.#value(open);
    for (;;) {
      const char = this.#next(open.length === 0);
      const top = open.at(-1);
      if (top === undefined) {
        if (char !== "") this.#wrong(char, "after top-level value");
        return;
      }
      if (char === (top === "{" ? "}" : "]")) open.pop();
      else if (char !== ",") this.#wrong(char, top === "{" ? "after object key:value pair" : "after array element");
      else if (top === "{") {
        this.#key(this.#next());
        this.#value(open);
      } else this.#value(open);
    }
  }

  /** The next char that is no space; "" at the end where that is allowed. */
  #next(mayEnd = false): string {
    while (SPACE.has(this.#text[this.#at] ?? "")) this.#at++;
    const char = this.#text[this.#at];
    if (char === undefined) {
      if (mayEnd) return "";
      throw new Wrong(END);
    }
    this.#at++;
    return char;
  }

  #byte(): string {
    const char = this.#text[this.#at++];
    if (char === undefined) throw new Wrong(END);
    return char;
  }

  #wrong(char: string, where: string): never {
    throw new Wrong(`invalid character ${quoted(char)} ${where}`);
  }

  /** One value, or the beginnings of values up to the first that is whole or empty. */
  #value(open: ("{" | "[")[]): void {
    for (;;) {
      const char = this.#next();
      if (char !== "{" && char !== "[") return this.#scalar(char);
      open.push(char);
      if (open.length > DEPTH_MAX) this.#wrong(char, "exceeded max depth");
      const first = this.#next();
      if (first === (char === "{" ? "}" : "]")) {
        open.pop();
        return;
      }
      if (char === "{") this.#key(first);
      else this.#at--;
    }
  }

  #key(char: string): void {
    if (char !== '"') this.#wrong(char, "looking for beginning of object key string");
    this.#string();
    const colon = this.#next();
    if (colon !== ":") this.#wrong(colon, "after object key");
  }

  #scalar(char: string): void {
    if (char === '"') return this.#string();
    const literal = LITERALS.find((word) => word.startsWith(char));
    if (literal !== undefined) {
      for (const expected of literal.slice(1)) {
        const found = this.#byte();
        if (found !== expected) this.#wrong(found, `in literal ${literal} (expecting '${expected}')`);
      }
    } else if (char === "-" || isDigit(char)) this.#number(char);
    else this.#wrong(char, "looking for beginning of value");
  }

  #string(): void {
    for (let char = this.#byte(); char !== '"'; char = this.#byte()) {
      if (char < " ") this.#wrong(char, "in string literal");
      if (char === "\\") this.#escape();
    }
  }

  #escape(): void {
    const char = this.#byte();
    if (char === "u") {
      for (let digit = 0; digit < 4; digit++) {
        const hex = this.#byte();
        if (!/[0-9a-fA-F]/.test(hex)) this.#wrong(hex, String.raw`in \u hexadecimal character escape`);
      }
    } else if (!'"\\/bfnrt'.includes(char)) this.#wrong(char, "in string escape code");
  }

  #number(first: string): void {
    let char = first;
    if (char === "-") char = this.#digit("in numeric literal");
    if (char !== "0") this.#digits();
    if (this.#text[this.#at] === ".") {
      this.#at++;
      this.#digit("after decimal point in numeric literal");
      this.#digits();
    }
    if (this.#text[this.#at] === "e" || this.#text[this.#at] === "E") {
      this.#at++;
      if (this.#text[this.#at] === "+" || this.#text[this.#at] === "-") this.#at++;
      this.#digit("in exponent of numeric literal");
      this.#digits();
    }
  }

  #digit(where: string): string {
    const char = this.#byte();
    if (!isDigit(char)) this.#wrong(char, where);
    return char;
  }

  #digits(): void {
    while (isDigit(this.#text[this.#at] ?? "")) this.#at++;
  }
}

const isDigit = (char: string): boolean => char >= "0" && char <= "9";

/** Go's complaint about the text; undefined when it is JSON. */
export function jsonSyntaxError(text: string): string | undefined {
  try {
    new Scanner(text).scan();
    return undefined;
  } catch (error) {
    if (error instanceof Wrong) return error.message;
    throw error;
  }
}

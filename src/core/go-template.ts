// Go's text/template as far as settings use it: fields, methods, if/else, pipelines, and the functions below; no variables, no loops.
import { goFormat, goText } from "./go-format.ts";
import { jsEscape } from "./js-escape.ts";
import { lexTemplate, type Token } from "./go-template-lexer.ts";
import { TemplateFault } from "./template-fault.ts";

/** What templates work on. Strings are latin1, one character an octet, or plain ASCII. */
export type TemplateValue = string | number | boolean | undefined | readonly TemplateValue[] | TemplateObject;

export interface TemplateObject {
  /** A field, a method's answer or a key's value; throws TemplateFault when there is none of that name. */
  member(name: string, args: readonly TemplateValue[]): TemplateValue;
  /** What `index` gives for `key`. */
  index?(key: TemplateValue): TemplateValue;
  text(): string;
}

type Evaluate = (dot: TemplateObject) => TemplateValue;
type Node = string | Evaluate | If;

interface If {
  readonly when: Evaluate;
  readonly holds: readonly Node[];
  readonly otherwise: readonly Node[];
}

export interface TextTemplate {
  /** Throws TemplateFault. */
  render(dot: TemplateObject): string;
}

/** Blocks in blocks and parentheses in parentheses; a template that goes deeper is refused. */
const DEPTH_MAX = 20;
/** A longer template is refused. */
const LENGTH_MAX = 16 * 1024;

/** The template, or a complaint: Go's for what is wrong, ours for what Go knows and we do not. */
export function parseTextTemplate(name: string, text: string): TextTemplate | { readonly error: string } {
  if (text.length > LENGTH_MAX) return { error: `template: ${name}: longer than ${LENGTH_MAX} characters` };
  try {
    const parser = new Parser(lexTemplate(text));
    const nodes = parser.list(0);
    if (parser.at !== undefined) throw new TemplateFault(`unexpected {{${parser.at}}}`);
    return { render: (dot) => renderNodes(nodes, dot) };
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    return { error: `template: ${name}:1: ${error.message}` };
  }
}

function renderNodes(nodes: readonly Node[], dot: TemplateObject): string {
  let text = "";
  for (const node of nodes) {
    if (typeof node === "string") text += node;
    else if (typeof node === "function") text += goText(node(dot));
    else text += renderNodes(isTrue(node.when(dot)) ? node.holds : node.otherwise, dot);
  }
  return text;
}

/** Go's truth: what is not the zero value. */
function isTrue(value: TemplateValue): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return typeof value === "object" ? true : Boolean(value);
}

class Parser {
  readonly #tokens: readonly (string | readonly Token[])[];
  #next = 0;
  /** The word that ended the last list: `else` or `end`. */
  at: string | undefined;
  #elseIf: readonly Token[] = [];

  constructor(tokens: readonly (string | readonly Token[])[]) {
    this.#tokens = tokens;
  }

  /** Text and actions up to an `else`, an `end` or the end. */
  list(depth: number): Node[] {
    if (depth > DEPTH_MAX) throw new TemplateFault("blocks are nested too deeply");
    const nodes: Node[] = [];
    this.at = undefined;
    while (this.#next < this.#tokens.length) {
      const token = this.#tokens[this.#next++] ?? "";
      if (typeof token === "string") {
        nodes.push(token);
        continue;
      }
      const word = token[0]?.kind === "word" ? token[0].text : undefined;
      if (word === "end" || word === "else") {
        this.at = word;
        this.#elseIf = token.slice(1);
        return nodes;
      }
      nodes.push(word === "if" ? this.#if(token.slice(1), depth) : pipelineOf(token));
    }
    return nodes;
  }

  #if(condition: readonly Token[], depth: number): If {
    const when = pipelineOf(condition);
    const holds = this.list(depth + 1);
    if (this.at === undefined) throw new TemplateFault("unexpected EOF");
    if (this.at === "end") return this.#closed({ when, holds, otherwise: [] });
    const [first, ...rest] = this.#elseIf;
    if (first !== undefined) {
      if (first.text !== "if") throw new TemplateFault(`unexpected ${JSON.stringify(first.text)} in else`);
      return { when, holds, otherwise: [this.#if(rest, depth + 1)] };
    }
    const otherwise = this.list(depth + 1);
    if (this.at === "else") throw new TemplateFault("expected end; found {{else}}");
    if (this.at === undefined) throw new TemplateFault("unexpected EOF");
    return this.#closed({ when, holds, otherwise });
  }

  #closed(made: If): If {
    this.at = undefined;
    return made;
  }
}

/** Words of Go's language that are not evaluated here. */
const NOT_OURS: ReadonlySet<string> = new Set(["range", "with", "define", "template", "block", "break", "continue"]);

function pipelineOf(tokens: readonly Token[]): Evaluate {
  const reader = { tokens, next: 0 };
  const made = pipeline(reader, 0);
  const left = tokens[reader.next];
  if (left !== undefined) throw new TemplateFault(`unexpected ${JSON.stringify(left.text)} in operand`);
  return made;
}

interface Reader {
  readonly tokens: readonly Token[];
  next: number;
}

/** Commands joined by `|`: each gets the answer of the one before as its last argument. */
function pipeline(reader: Reader, depth: number): Evaluate {
  if (depth > DEPTH_MAX) throw new TemplateFault("parentheses are nested too deeply");
  let before: Evaluate | undefined;
  for (;;) {
    const made = command(reader, before, depth);
    const token = reader.tokens[reader.next];
    if (token?.kind !== "pipe") return made;
    reader.next++;
    if (reader.tokens[reader.next] === undefined) return made;
    before = made;
  }
}

function command(reader: Reader, last: Evaluate | undefined, depth: number): Evaluate {
  const head = reader.tokens[reader.next];
  if (head === undefined || head.kind === "pipe" || head.kind === "close") throw new TemplateFault("missing value for command");
  if (head.kind === "word") return functionCall(reader, last, depth);
  if (head.kind === "field") {
    reader.next++;
    const path = head.text.split(".").slice(1);
    const args = operands(reader, depth);
    return chain((dot) => dot, path, last === undefined ? args : [...args, last]);
  }
  const value = operand(reader, depth);
  if (operands(reader, depth).length > 0 || last !== undefined) throw new TemplateFault(`can't give argument to non-function ${head.text}`);
  return value;
}

function functionCall(reader: Reader, last: Evaluate | undefined, depth: number): Evaluate {
  const name = reader.tokens[reader.next++]?.text ?? "";
  if (name === "true" || name === "false") return () => name === "true";
  if (name === "nil") throw new TemplateFault("nil is not a command");
  if (NOT_OURS.has(name)) throw new TemplateFault(`"${name}" is not supported in settings`);
  const apply = FUNCTIONS[name];
  if (apply === undefined) throw new TemplateFault(`function ${JSON.stringify(name)} not defined`);
  const args = operands(reader, depth);
  const all = last === undefined ? args : [...args, last];
  return (dot) => apply(all.map((arg) => arg(dot)));
}

function operands(reader: Reader, depth: number): Evaluate[] {
  const found: Evaluate[] = [];
  for (let token = reader.tokens[reader.next]; token !== undefined && token.kind !== "pipe" && token.kind !== "close"; token = reader.tokens[reader.next]) {
    found.push(operand(reader, depth));
  }
  return found;
}

function operand(reader: Reader, depth: number): Evaluate {
  const token = reader.tokens[reader.next++];
  switch (token?.kind) {
    case "text":
      return () => token.text;
    case "number":
      return () => Number(token.text);
    case "field":
      return chain((dot) => dot, token.text.split(".").slice(1), []);
    case "open": {
      const inner = pipeline(reader, depth + 1);
      if (reader.tokens[reader.next++]?.kind !== "close") throw new TemplateFault("unclosed left paren");
      const after = reader.tokens[reader.next];
      if (after?.kind !== "field" || !after.joined) return inner;
      reader.next++;
      return chain(inner, after.text.split(".").slice(1), []);
    }
    case "word":
      if (token.text === "true" || token.text === "false") return () => token.text === "true";
      if (token.text === "nil") return () => undefined;
      return functionCall({ tokens: [token], next: 0 }, undefined, depth);
    default:
      throw new TemplateFault(`unexpected ${JSON.stringify(token?.text ?? "")} in operand`);
  }
}

/** `.A.B.C`; arguments go to the last one. `.` alone is the dot itself. */
function chain(from: Evaluate, path: readonly string[], args: readonly Evaluate[]): Evaluate {
  const names = path.filter((name) => name !== "");
  return (dot) => {
    let value = from(dot);
    for (const [index, name] of names.entries()) {
      if (typeof value !== "object" || !("member" in value)) throw new TemplateFault(`can't evaluate field ${name}`);
      value = value.member(name, index === names.length - 1 ? args.map((arg) => arg(dot)) : []);
    }
    return value;
  };
}

const compared = (a: TemplateValue, b: TemplateValue): number => {
  if (typeof a !== typeof b || (typeof a !== "string" && typeof a !== "number")) throw new TemplateFault("incompatible types for comparison");
  return a === b ? 0 : a < (b ?? 0) ? -1 : 1;
};

const same = ([first, ...others]: readonly TemplateValue[]): boolean => {
  if (others.length === 0) throw new TemplateFault("missing argument for comparison");
  if (others.some((other) => typeof other !== typeof first)) throw new TemplateFault("incompatible types for comparison");
  return others.some((other) => other === first);
};

const FUNCTIONS: Readonly<Record<string, (args: readonly TemplateValue[]) => TemplateValue>> = {
  and: (args) => args.find((arg) => !isTrue(arg)) ?? args.at(-1),
  or: (args) => args.find(isTrue) ?? args.at(-1),
  not: ([value]) => !isTrue(value),
  eq: same,
  ne: (args) => !same(args),
  lt: ([a, b]) => compared(a, b) < 0,
  le: ([a, b]) => compared(a, b) <= 0,
  gt: ([a, b]) => compared(a, b) > 0,
  ge: ([a, b]) => compared(a, b) >= 0,
  index: ([of, ...keys]) => {
    let value: TemplateValue = of;
    for (const key of keys) value = indexed(value, key);
    return value;
  },
  js: (args) => jsEscape(args.map(goText).join("")),
  len: ([value]) => {
    if (typeof value !== "string" && !Array.isArray(value)) throw new TemplateFault("len of a value that has none");
    return value.length;
  },
  print: (args) =>
    args.reduce<string>((text, arg, i) => text + (i > 0 && typeof arg !== "string" && typeof args[i - 1] !== "string" ? " " : "") + goText(arg), ""),
  println: (args) => `${args.map(goText).join(" ")}\n`,
  printf: ([format, ...args]) => goFormat(goText(format), args),
  urlquery: (args) => encodeURIComponent(args.map(goText).join("")).replaceAll("%20", "+"),
};

function indexed(value: TemplateValue, key: TemplateValue): TemplateValue {
  if (Array.isArray(value)) {
    if (typeof key !== "number" || key < 0 || key >= value.length) throw new TemplateFault(`index out of range: ${goText(key)}`);
    return value[key] as TemplateValue;
  }
  if (typeof value === "object" && "index" in value && value.index !== undefined) return value.index(key);
  throw new TemplateFault("can't index item of this type");
}

// Finds keys that occur twice in one object of a JSON text, which JSON.parse drops silently.
import { NumberLiteral } from "./number-literal.ts";

interface Frame {
  /** Undefined in a list. */
  readonly keys: Set<string> | undefined;
  readonly parent: Frame | undefined;
  index: number;
  key: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** The path of what the frame is at. */
function pathOf(frame: Frame | undefined): string {
  if (frame === undefined) return "";
  const outer = pathOf(frame.parent);
  if (frame.keys === undefined) return `${outer}[${frame.index}]`;
  return outer === "" ? frame.key : `${outer}.${frame.key}`;
}

/** Where the text that begins at a quote ends: the place of its last quote. */
function endOfText(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}

/** What a look at a text tells, before it is parsed. */
export interface JsonOutline {
  /** How many members its objects have, those that stand twice counted twice. */
  readonly members: number;
  /** The bracket that opens one level too many of lists and objects; nothing after it was looked at. */
  readonly tooDeep: string | undefined;
}

/** Counts what can be counted without parsing; the text need not be JSON. */
export function outlineOf(text: string, depthMax: number): JsonOutline {
  let members = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfText(text, at);
    else if (code === COLON) members++;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > depthMax) return { members, tooDeep: text[at] };
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
  }
  return { members, tooDeep: undefined };
}

/** The members of all objects of a value. */
function membersOf(value: unknown): number {
  if (typeof value !== "object" || value === null || value instanceof NumberLiteral) return 0;
  let count = 0;
  if (Array.isArray(value)) for (const item of value) count += membersOf(item);
  else for (const member of Object.values(value)) count += 1 + membersOf(member);
  return count;
}

/** `duplicateFields` of a text that was parsed: a look at the keys only where some are missing. */
export function lostFields(text: string, { members }: JsonOutline, parsed: unknown): string[] {
  return membersOf(parsed) === members ? [] : duplicateFields(text);
}

/** Calls `onKey` for every key of a JSON text that parses: whether it stood before in its object, and how to tell its path. */
function scanKeys(text: string, onKey: (isAgain: boolean, path: () => string) => void): void {
  let top: Frame | undefined;
  let expectsKey = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfText(text, at);
      if (expectsKey && top?.keys !== undefined) {
        const raw = text.slice(at + 1, end);
        const frame = top;
        frame.key = raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
        onKey(top.keys.has(frame.key), () => pathOf(frame));
        top.keys.add(frame.key);
        expectsKey = false;
      }
      at = end;
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      top = { keys: code === OPEN_BRACE ? new Set() : undefined, parent: top, index: 0, key: "" };
      expectsKey = code === OPEN_BRACE;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      top = top?.parent;
      expectsKey = false;
    } else if (code === COMMA) {
      if (top !== undefined) top.index++;
      expectsKey = top?.keys !== undefined;
    }
  }
}

/** Texts such as `duplicate field "spec.replicas"`, in order of occurrence, each once; `text` is JSON that parses. */
export function duplicateFields(text: string): string[] {
  const found = new Set<string>();
  scanKeys(text, (isAgain, path) => void (isAgain && found.add(`duplicate field "${path()}"`)));
  return [...found];
}

/** Complaints about duplicate and unknown fields in the order in which a reader of the text meets them. */
export function inTextOrder(text: string, problems: readonly string[]): string[] {
  const left = new Set(problems);
  const ordered: string[] = [];
  scanKeys(text, (isAgain, path) => {
    const problem = isAgain ? `duplicate field "${path()}"` : `unknown field ${JSON.stringify(path())}`;
    if (left.delete(problem)) ordered.push(problem);
  });
  return [...ordered, ...left];
}

// The built-in functions (specification, 3.5), found by name and number of arguments.
import type { EvaluationErrorKind, EvaluationFault } from "./evaluation.ts";
import type { Value, ValueType } from "./syntax.ts";
import { INTEGER_MAX, INTEGER_MIN, toBoolean, toInteger, toText } from "./values.ts";

/** What a call came to; with a fault, the value that the specification wants beside it. */
export interface Result {
  readonly value: Value;
  readonly fault?: EvaluationFault;
}

export interface Func {
  readonly returns: ValueType;
  /** Undefined: the argument is taken as it comes. */
  argument(index: number): ValueType | undefined;
  run(args: readonly Value[]): Result;
}

/** Characters that a function may make, of expressions that repeat a long attribute. */
export const TEXT_LENGTH_MAX = 1 << 20;

interface Definition {
  readonly takes: readonly (ValueType | "Any")[];
  /** Any number of these behind the fixed ones. */
  readonly more?: ValueType;
  readonly returns: ValueType;
  readonly run: (args: readonly Value[]) => Result;
}

const text = (args: readonly Value[], index: number): string => args[index] as string;
const number = (args: readonly Value[], index: number): number => args[index] as number;
const faulty = (kind: EvaluationErrorKind, message: string, value: Value): Result => ({ value, fault: { kind, message } });

const DEFINITIONS: readonly (readonly [name: string, definition: Definition])[] = [
  ["ABS", { takes: ["Integer"], returns: "Integer", run: (args) => absolute(number(args, 0)) }],
  ["LENGTH", { takes: ["String"], returns: "Integer", run: (args) => ({ value: lengthOf(text(args, 0)) }) }],
  ["CONCAT", { takes: [], more: "String", returns: "String", run: (args) => joined(args, "") }],
  ["CONCAT_WS", { takes: ["String"], more: "String", returns: "String", run: ([delimiter, ...parts]) => joined(parts, delimiter as string) }],
  ["LOWER", { takes: ["String"], returns: "String", run: (args) => ({ value: text(args, 0).toLowerCase() }) }],
  ["UPPER", { takes: ["String"], returns: "String", run: (args) => ({ value: text(args, 0).toUpperCase() }) }],
  ["TRIM", { takes: ["String"], returns: "String", run: (args) => ({ value: trimmed(text(args, 0)) }) }],
  ["LEFT", { takes: ["String", "Integer"], returns: "String", run: (args) => end("LEFT", text(args, 0), number(args, 1)) }],
  ["RIGHT", { takes: ["String", "Integer"], returns: "String", run: (args) => end("RIGHT", text(args, 0), number(args, 1)) }],
  ["SUBSTRING", { takes: ["String", "Integer"], returns: "String", run: (args) => substring(text(args, 0), number(args, 1), undefined) }],
  ["SUBSTRING", { takes: ["String", "Integer", "Integer"], returns: "String", run: (args) => substring(text(args, 0), number(args, 1), number(args, 2)) }],
  ["INT", { takes: ["Any"], returns: "Integer", run: ([value]) => asked(value as Value, toInteger, 0) }],
  ["BOOL", { takes: ["Any"], returns: "Boolean", run: ([value]) => asked(value as Value, toBoolean, false) }],
  ["STRING", { takes: ["Any"], returns: "String", run: ([value]) => ({ value: toText(value as Value) }) }],
  ["IS_INT", { takes: ["Any"], returns: "Boolean", run: ([value]) => ({ value: toInteger(value as Value) !== undefined }) }],
  ["IS_BOOL", { takes: ["Any"], returns: "Boolean", run: ([value]) => ({ value: toBoolean(value as Value) !== undefined }) }],
];

/** Undefined: no function of that name takes so many arguments. */
export function functionFor(name: string, count: number): Func | undefined {
  const found = DEFINITIONS.find(([known, { takes, more }]) => known === name && (more === undefined ? takes.length === count : takes.length <= count));
  if (found === undefined) return undefined;
  const { takes, more, returns, run } = found[1];
  return { returns, run, argument: (index) => (index < takes.length ? typed(takes[index]) : more) };
}

const typed = (type: ValueType | "Any" | undefined): ValueType | undefined => (type === "Any" ? undefined : type);

function absolute(value: number): Result {
  return value === INTEGER_MIN ? faulty("math", `ABS(${value}) is no integer of 32 bits`, INTEGER_MAX) : { value: Math.abs(value) };
}

function asked<V extends Value>(value: Value, to: (value: Value) => V | undefined, zero: V): Result {
  const result = to(value);
  return result === undefined ? faulty("cast", castMessage(value, zero === 0 ? "Integer" : "Boolean"), zero) : { value: result };
}

/** Of any cast that fails. */
export function castMessage(value: Value, type: ValueType): string {
  const shown = toText(value);
  return `${JSON.stringify(shown.length > 40 ? `${shown.slice(0, 40)}…` : value)} cannot be cast to ${type}`;
}

function joined(parts: readonly Value[], delimiter: string): Result {
  const length = parts.reduce<number>((sum, part) => sum + (part as string).length, delimiter.length * Math.max(0, parts.length - 1));
  if (length > TEXT_LENGTH_MAX) return faulty("functionEvaluation", `a text of more than ${TEXT_LENGTH_MAX} characters would be made`, "");
  return { value: parts.join(delimiter) };
}

/** A string is a sequence of Unicode characters, so a pair of surrogates counts once. */
function lengthOf(value: string): number {
  let length = 0;
  for (const _ of value) length++;
  return length;
}

function end(name: "LEFT" | "RIGHT", value: string, count: number): Result {
  if (count < 0) return faulty("functionEvaluation", `${name} takes no negative number of characters: ${count}`, value);
  if (count >= value.length) return { value };
  const characters = [...value];
  const kept = name === "LEFT" ? characters.slice(0, count) : characters.slice(Math.max(0, characters.length - count));
  return { value: kept.join("") };
}

function substring(value: string, position: number, length: number | undefined): Result {
  if (length !== undefined && length < 0) return faulty("functionEvaluation", `SUBSTRING takes no negative length: ${length}`, "");
  if (position === 0) return { value: "" };
  const characters = [...value];
  if (Math.abs(position) > characters.length)
    return faulty("functionEvaluation", `SUBSTRING cannot begin at ${position} of a text of ${characters.length} characters`, "");
  const from = position > 0 ? position - 1 : characters.length + position;
  return { value: characters.slice(from, length === undefined ? undefined : from + length).join("") };
}

/** What Unicode calls White_Space. JavaScript's own `trim` also takes U+FEFF and leaves U+0085. */
const BLANKS: ReadonlySet<number> = new Set([
  0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028,
  0x2029, 0x202f, 0x205f, 0x3000,
]);

function trimmed(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && BLANKS.has(value.charCodeAt(from))) from++;
  while (to > from && BLANKS.has(value.charCodeAt(to - 1))) to--;
  return value.slice(from, to);
}

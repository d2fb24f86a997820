// The subset of JSONPath that printer columns use: `.a.b`, `['k\.x']`, `[0]`, `[*]`, `[?(@.type=='Ready')]`.
import { isObject } from "./compile-nodes.ts";

type Step = (values: readonly unknown[]) => unknown[];

const PART =
  /\.?\[\?\(@\.?([\w.-]*)\s*(==|!=)\s*(?:'([^']*)'|"([^"]*)")\)\]|\.?\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]|\.?\[(\d+|\*)\]|\.((?:[^.[\]\\]|\\.)+)/y;

const plain = (name: string): string => name.replaceAll(/\\(.)/g, "$1");

function member(value: unknown, name: string): unknown[] {
  return isObject(value) && value[name] !== undefined ? [value[name]] : [];
}

function filterStep(path: string, equals: boolean, text: string): Step {
  const names = path.split(".").filter((name) => name !== "");
  const read = (item: unknown): unknown => names.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), item);
  return (values) => values.flatMap((value) => (Array.isArray(value) ? value : [])).filter((item) => (String(read(item)) === text) === equals);
}

function stepOf(match: RegExpExecArray): Step {
  const [, filter, operator, single, double, quoted, quoted2, index, name] = match;
  if (filter !== undefined) return filterStep(filter, operator === "==", single ?? double ?? "");
  if (index === "*") return (values) => values.flatMap((value) => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []));
  if (index !== undefined) return (values) => values.flatMap((value) => (Array.isArray(value) ? value.slice(Number(index), Number(index) + 1) : []));
  const key = plain(quoted ?? quoted2 ?? name ?? "");
  return (values) => values.flatMap((value) => member(value, key));
}

/** A function that finds all values of `path`, without braces; fails for a path outside the subset. */
export function compileJsonPath(path: string): (value: unknown) => unknown[] {
  const steps: Step[] = [];
  const text = path.startsWith(".") || path.startsWith("[") ? path : `.${path}`;
  const part = new RegExp(PART);
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) throw new Error(`not a JSONPath of a printer column: ${path}`);
    steps.push(stepOf(match));
  }
  return (value) => steps.reduce<readonly unknown[]>((values, step) => step(values), [value]) as unknown[];
}

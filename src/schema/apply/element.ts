// Path elements as FieldsV1 writes them: `f:NAME` a field, `k:{…}` an item by its keys, `v:…` an item of a set, `i:N` an item by position.
import { isObject } from "../compile-nodes.ts";

/** The names of keys with the values of an item, in alphabetical order. */
export type Keys = readonly (readonly [string, unknown])[];

/** One step of a path, taken apart. */
export type Step =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "keys"; readonly keys: Keys }
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "index"; readonly index: number };

const ESCAPED: Readonly<Record<string, string>> = { "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029" };

/** JSON with Go's escapes: elements are compared as texts, so they must be the texts that Kubernetes writes. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value);
  return /[<>&\u2028\u2029]/.test(text) ? text.replaceAll(/[<>&\u2028\u2029]/g, (char) => ESCAPED[char] ?? char) : text;
}

/** Texts that JSON writes as they are; those of names and ports nearly always are. */
const PLAIN = /^[\w ./:@-]*$/;

export function fieldElement(name: string): string {
  return `f:${name}`;
}

export function valueElement(value: unknown): string {
  return `v:${goJson(value)}`;
}

/** `keys` are in alphabetical order. */
export function keysElement(keys: Keys): string {
  const [first] = keys;
  if (keys.length === 1 && first !== undefined && typeof first[1] === "string" && PLAIN.test(first[1]) && PLAIN.test(first[0])) {
    return `k:{"${first[0]}":"${first[1]}"}`;
  }
  return `k:{${keys.map(([name, value]) => `${goJson(name)}:${goJson(value)}`).join(",")}}`;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return compareTexts(a, b);
}

/** One key with a text in it that needs no reader of JSON. */
const ONE_KEY = /^\{"([^"\\]*)":"([^"\\]*)"\}$/;

/** What an element says; undefined for a kind of element that is not known. Throws when it says nothing. */
export function stepOf(element: string): Step | undefined {
  if (element.length < 2) throw new SyntaxError("key must be 2 characters long:");
  if (element[1] !== ":") throw new SyntaxError(`missing colon: ${element}`);
  const rest = element.slice(2);
  switch (element[0]) {
    case "f":
      return { kind: "field", name: rest };
    case "v":
      return { kind: "value", value: JSON.parse(rest) as unknown };
    case "k": {
      const [, name, value] = ONE_KEY.exec(rest) ?? [];
      if (name !== undefined && value !== undefined) return { kind: "keys", keys: [[name, value]] };
      const keys = JSON.parse(rest) as unknown;
      if (!isObject(keys)) throw new SyntaxError(`keys of an item must be an object: ${element}`);
      return { kind: "keys", keys: Object.entries(keys).sort(byName) };
    }
    case "i":
      if (!/^[+-]?\d+$/.test(rest)) throw new SyntaxError(`a position must be a number: ${element}`);
      return { kind: "index", index: Number(rest) };
    default:
      return undefined;
  }
}

/** The element as Kubernetes writes it; undefined for a kind of element that is not known. */
export function canonicalElement(element: string): string | undefined {
  if (element.startsWith("f:")) return element;
  const step = stepOf(element);
  if (step?.kind === "keys") return keysElement(step.keys);
  if (step?.kind === "value") return valueElement(step.value);
  return step?.kind === "index" ? `i:${step.index}` : undefined;
}

const HALVES = /[\ud800-\udfff]/;

/** The order of bytes in UTF-8, which is that of code points. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  if (!HALVES.test(a) && !HALVES.test(b)) return a < b ? -1 : 1;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left === right) continue;
    // Halves of a pair stand for code points above all others.
    const [leftIsHalf, rightIsHalf] = [left >= 0xd800 && left <= 0xdfff, right >= 0xd800 && right <= 0xdfff];
    return leftIsHalf === rightIsHalf ? left - right : leftIsHalf ? 1 : -1;
  }
  return a.length - b.length;
}

function rankOf(value: unknown): number {
  if (typeof value === "number") return 0;
  if (typeof value === "string") return 1;
  if (typeof value === "boolean") return 2;
  return Array.isArray(value) ? 3 : value === null ? 5 : 4;
}

function compareValues(a: unknown, b: unknown): number {
  const [left, right] = [rankOf(a), rankOf(b)];
  if (left !== right) return left - right;
  if (typeof a === "string") return compareTexts(a, b as string);
  if (typeof a === "number" || typeof a === "boolean") return Number(a) - Number(b);
  return compareTexts(goJson(a), goJson(b));
}

function compareKeys(a: Keys, b: Keys): number {
  for (const [index, [name, value]] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareTexts(name, other[0]) || compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

const KINDS = { field: 0, keys: 1, value: 2, index: 3 } as const;

function compareSteps(a: Step, b: Step): number {
  if (a.kind === "field" && b.kind === "field") return compareTexts(a.name, b.name);
  if (a.kind === "keys" && b.kind === "keys") return compareKeys(a.keys, b.keys);
  if (a.kind === "value" && b.kind === "value") return compareValues(a.value, b.value);
  if (a.kind === "index" && b.kind === "index") return a.index - b.index;
  return KINDS[a.kind] - KINDS[b.kind];
}

/** Elements in Kubernetes' order: fields, then items by keys, by value and by position. Changes the list. */
export function sortElements(elements: string[]): string[] {
  if (elements.every((element) => element.startsWith("f:"))) return elements.sort(compareTexts);
  const steps = new Map(elements.map((element) => [element, stepOf(element) ?? ({ kind: "field", name: element } as const)]));
  const last = { kind: "index", index: 0 } as const;
  return elements.sort((a, b) => compareSteps(steps.get(a) ?? last, steps.get(b) ?? last));
}

/** A number as Go prints it. */
export function goNumber(value: number): string {
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < 6) return String(value);
  const [digits = "", power = ""] = value.toExponential().split("e");
  return `${digits}e${power[0] ?? "+"}${power.slice(1).padStart(2, "0")}`;
}

function valueText(value: unknown): string {
  return typeof value === "number" ? goNumber(value) : JSON.stringify(value);
}

/** An element in messages: `.name`, `[key="value"]`, `[="value"]`, `[0]`. */
export function elementText(element: string): string {
  const step = stepOf(element);
  switch (step?.kind) {
    case "field":
      return `.${step.name}`;
    case "keys":
      return `[${step.keys.map(([name, value]) => `${name}=${valueText(value)}`).join(",")}]`;
    case "value":
      return `[=${valueText(step.value)}]`;
    case "index":
      return `[${step.index}]`;
    default:
      return element;
  }
}

// Lists that are sets or maps: no item twice, whatever else is right or wrong with them.
import { isObject, nodeCompiler } from "./compile-nodes.ts";
import { sortKeys } from "./equal.ts";
import { fieldError, type FieldError } from "./field-error.ts";
import type { Node } from "./node.ts";

/** Adds duplicates to `errors`. */
export type CheckLists = (value: unknown, path: string, errors: FieldError[]) => void;

interface Lists {
  readonly check: CheckLists;
  /** No list below can have duplicates. */
  readonly empty: boolean;
}

const keyed = (value: unknown): string => JSON.stringify(sortKeys(value));

/** The indices of items that occurred before; each value is told once. */
function repeated(keys: readonly unknown[]): number[] {
  const seen = new Map<string, number>();
  return keys.flatMap((key, index) => {
    const text = keyed(key);
    const times = seen.get(text) ?? 0;
    seen.set(text, times + 1);
    return times === 1 ? [index] : [];
  });
}

function duplicates(node: Node, items: readonly unknown[], path: string): FieldError[] {
  const type = node["x-kubernetes-list-type"];
  if (type === "set") return repeated(items).map((index) => fieldError.duplicate(`${path}[${index}]`, items[index]));
  if (type !== "map") return [];
  const odd = items.findIndex((item) => item !== null && !isObject(item));
  if (odd >= 0) return [fieldError.invalid(`${path}[${odd}]`, items[odd], "must be an object for an array of list-type map")];
  const names = node["x-kubernetes-list-map-keys"] ?? [];
  const keys = items.map((item) =>
    Object.fromEntries(names.flatMap((name) => (isObject(item) && item[name] !== undefined ? [[name, item[name]] as const] : []))),
  );
  return repeated(keys).map((index) => fieldError.duplicate(`${path}[${index}]`, keys[index]));
}

function compile(node: Node, next: (node: Node) => Lists): Lists {
  const items = node.items === undefined ? undefined : next(node.items);
  const properties = new Map(Object.entries(node.properties ?? {}).map(([name, child]) => [name, next(child)] as const));
  const others = node.additionalProperties === undefined ? undefined : next(node.additionalProperties);
  const unique = node["x-kubernetes-list-type"] === "set" || node["x-kubernetes-list-type"] === "map";
  const empty = !unique && items?.empty !== false && others?.empty !== false && [...properties.values()].every((child) => child.empty);
  const check: CheckLists = (value, path, errors) => {
    if (Array.isArray(value)) {
      if (unique) errors.push(...duplicates(node, value, path));
      if (items?.empty === false) value.forEach((item, index) => items.check(item, `${path}[${index}]`, errors));
    } else if (isObject(value)) {
      for (const [name, member] of Object.entries(value)) {
        if (others?.empty === false) others.check(member, `${path}[${name}]`, errors);
        const child = properties.get(name);
        if (child?.empty === false) child.check(member, path === "" ? name : `${path}.${name}`, errors);
      }
    }
  };
  return { check: empty ? () => {} : check, empty };
}

export function listChecker(definitions: Readonly<Record<string, Node>>): (node: Node) => CheckLists {
  const compiler = nodeCompiler<Lists>(definitions, compile, (get) => ({ check: (value, path, errors) => get().check(value, path, errors), empty: false }));
  return (node) => compiler(node).check;
}

// What all walks over typed values share: which of the types of a place a value has, and what tells the items of a list apart.
import { isObject } from "../compile-nodes.ts";
import { keysElement, valueElement } from "./element.ts";
import type { ListType, MapType, MergeType } from "./merge-type.ts";

/** A value that does not fit its type, found where only fitting ones should be; `check` finds such values first. */
export class Misfit extends Error {}

/** How a place is walked. */
export type Shape = "map" | "scalar" | "list";

/** The shape of a value at a place. Null and values of a wrong type are walked as the first shape that the place may have. */
export function shapeOf(type: MergeType, value: unknown): Shape {
  if (isObject(value)) {
    if (type.map !== undefined) return "map";
  } else if (Array.isArray(value)) {
    if (type.list !== undefined) return "list";
  } else if (value !== null && value !== undefined && type.scalar !== undefined) return "scalar";
  if (type.map !== undefined) return "map";
  return type.scalar === undefined ? "list" : "scalar";
}

/** The type of a member; undefined where the schema does not allow it. */
export function memberType(map: MapType, name: string): MergeType | undefined {
  return map.fields.get(name) ?? map.others;
}

function keyedElement(list: ListType, item: unknown): { readonly element: string } | { readonly problem: string } {
  if (item === null) return { problem: "associative list with keys may not have a null element" };
  if (!isObject(item)) return { problem: "associative list with keys may not have non-map elements" };
  const keys: [string, unknown][] = [];
  for (const name of list.keys) {
    const value = Object.hasOwn(item, name) ? item[name] : undefined;
    const known = value === undefined ? list.defaults.get(name) : value;
    if (known !== undefined) keys.push([name, known]);
  }
  if (keys.length === 0) {
    const names = `[${list.keys.map((name) => JSON.stringify(name)).join(" ")}]`;
    return { problem: `associative list with keys has an element that omits all key fields ${names} (and doesn't have default values for any key fields)` };
  }
  return { element: keysElement(keys.length === 1 ? keys : keys.toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

/** The element of an item of a list that is not atomic, or why it has none. */
export function itemElement(list: ListType, item: unknown): { readonly element: string } | { readonly problem: string } {
  if (list.keys.length > 0) return keyedElement(list, item);
  if (isObject(item)) return { problem: "associative list without keys has an element that's a map type" };
  if (Array.isArray(item)) return { problem: "not supported: associative list with lists as elements" };
  if (item === null) return { problem: "associative list without keys has an element that's an explicit null" };
  return { element: valueElement(item) };
}

/** As `itemElement`, of an item that was checked. */
export function elementOfItem(list: ListType, item: unknown): string {
  const found = itemElement(list, item);
  if ("problem" in found) throw new Misfit(found.problem);
  return found.element;
}

/** The value as an object; undefined for anything else. */
export function asMap(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isObject(value) ? value : undefined;
}

export function asList(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? (value as readonly unknown[]) : undefined;
}

/** The member, without what every object inherits. */
export function memberOf(map: Readonly<Record<string, unknown>> | undefined, name: string): unknown {
  return map !== undefined && Object.hasOwn(map, name) ? map[name] : undefined;
}

/** The names of members that are there, each once. */
export function namesOf(a: Readonly<Record<string, unknown>> | undefined, b: Readonly<Record<string, unknown>> | undefined): string[] {
  const names = a === undefined ? [] : Object.keys(a).filter((name) => a[name] !== undefined);
  if (b === undefined) return names;
  for (const name of Object.keys(b)) if (b[name] !== undefined && memberOf(a, name) === undefined) names.push(name);
  return names;
}

/** The items of a list by their elements, in order of first appearance. */
export function itemsByElement(list: ListType, items: readonly unknown[] | undefined): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  for (const item of items ?? []) {
    const element = elementOfItem(list, item);
    const same = found.get(element);
    if (same === undefined) found.set(element, [item]);
    else same.push(item);
  }
  return found;
}

// What changes between two states of an object, as sets of fields.
import { equal } from "../equal.ts";
import { fieldElement } from "./element.ts";
import { differenceBelow, isEmpty, memberNode, NOTHING, orderedNode, union, type Fields } from "./fields.ts";
import type { ListType, MapType, MergeType } from "./merge-type.ts";
import { asList, asMap, itemsByElement, memberOf, memberType, Misfit, namesOf, shapeOf, type Shape } from "./walk.ts";

/** No field is in more than one of the sets, save where a value of another shape took a place. */
export interface Comparison {
  readonly added: Fields;
  readonly modified: Fields;
  readonly removed: Fields;
}

/** The change of one place, as nodes; undefined: none. */
interface Delta {
  readonly added?: Fields | undefined;
  readonly modified?: Fields | undefined;
  readonly removed?: Fields | undefined;
}

/** A place whose change is told as a whole. */
const ADDED: Delta = { added: NOTHING };
const MODIFIED: Delta = { modified: NOTHING };
const REMOVED: Delta = { removed: NOTHING };

/** A place that is owned as a whole. Undefined is no value at all, null is one. */
function compareWhole(left: unknown, right: unknown): Delta | undefined {
  if (left === undefined) return ADDED;
  if (right === undefined) return REMOVED;
  return equal(left, right) ? undefined : MODIFIED;
}

/** The change of a place of its parts; it counts itself where it came or went as a whole. */
function deltaOf(parts: readonly (readonly [string, Delta])[], left: unknown, right: unknown): Delta | undefined {
  if (parts.length === 0) return undefined;
  let added: Record<string, Fields> | undefined = left === undefined ? memberNode() : undefined;
  let modified: Record<string, Fields> | undefined;
  let removed: Record<string, Fields> | undefined = right === undefined ? memberNode() : undefined;
  for (const [element, delta] of parts) {
    if (delta.added !== undefined) (added ??= {})[element] = delta.added;
    if (delta.modified !== undefined) (modified ??= {})[element] = delta.modified;
    if (delta.removed !== undefined) (removed ??= {})[element] = delta.removed;
  }
  return { added: orderedNode(added), modified: orderedNode(modified), removed: orderedNode(removed) };
}

function compareMaps(map: MapType, left: unknown, right: unknown): Delta | undefined {
  const [a, b] = [asMap(left), asMap(right)];
  const names = map.atomic ? [] : namesOf(a, b);
  if (names.length === 0) return compareWhole(left, right);
  const parts: [string, Delta][] = [];
  for (const name of names) {
    const [before, after] = [memberOf(a, name), memberOf(b, name)];
    if (before === after) continue;
    const type = memberType(map, name);
    if (type === undefined) throw new Misfit(`.${name}: field not declared in schema`);
    const delta = compareAt(type, before, after);
    if (delta !== undefined) parts.push([fieldElement(name), delta]);
  }
  return deltaOf(parts, left, right);
}

/** Items with the same element, before and after: one each is compared, several are told as one place. */
function compareSame(list: ListType, before: readonly unknown[], after: readonly unknown[]): Delta | undefined {
  if (before.length <= 1 && after.length <= 1) return compareAt(list.items, before[0], after[0]);
  if (before.length > 1 && after.length > 1) return equal(before, after) ? undefined : MODIFIED;
  const added = after.length === 0 ? undefined : after.length > 1 ? NOTHING : compareAt(list.items, undefined, after[0])?.added;
  const removed = before.length === 0 ? undefined : before.length > 1 ? NOTHING : compareAt(list.items, before[0], undefined)?.removed;
  return { added, removed };
}

function compareLists(list: ListType, left: unknown, right: unknown): Delta | undefined {
  const [a, b] = [asList(left), asList(right)];
  if (list.atomic || ((a?.length ?? 0) === 0 && (b?.length ?? 0) === 0)) return compareWhole(left, right);
  // Most lists have not changed: then nothing is said of the items.
  if (a !== undefined && b !== undefined && equal(a, b)) return undefined;
  const [before, after] = [itemsByElement(list, a), itemsByElement(list, b)];
  const parts: [string, Delta][] = [];
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    const delta = compareSame(list, before.get(element) ?? [], after.get(element) ?? []);
    if (delta !== undefined) parts.push([element, delta]);
  }
  return deltaOf(parts, left, right);
}

function compareAs(shape: Shape, type: MergeType, left: unknown, right: unknown): Delta | undefined {
  if (shape === "map" && type.map !== undefined) return compareMaps(type.map, left, right);
  if (shape === "list" && type.list !== undefined) return compareLists(type.list, left, right);
  return compareWhole(left, right);
}

function both(a: Delta | undefined, b: Delta | undefined): Delta | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const join = (x: Fields | undefined, y: Fields | undefined): Fields | undefined => (x === undefined || y === undefined ? (x ?? y) : joined(x, y));
  return { added: join(a.added, b.added), modified: join(a.modified, b.modified), removed: join(a.removed, b.removed) };
}

/** The union of two nodes of one place. */
function joined(a: Fields, b: Fields): Fields {
  return union({ "f:": a }, { "f:": b })["f:"] ?? NOTHING;
}

function compareAt(type: MergeType, left: unknown, right: unknown): Delta | undefined {
  const [before, after] = [shapeOf(type, left), shapeOf(type, right)];
  const delta = compareAs(right === undefined ? before : after, type, left, right);
  // A value of another shape has come: what both ways of looking at it tell counts.
  const other = left === undefined || right === undefined || before === after ? undefined : compareAs(before, type, left, right);
  return other === undefined ? delta : both(delta, other);
}

/** Compares two objects of one type; throws Misfit for values that do not fit it. */
export function compareObjects(type: MergeType, before: unknown, after: unknown): Comparison {
  const { added = NOTHING, modified = NOTHING, removed = NOTHING } = (before === after ? undefined : compareAt(type, before, after)) ?? {};
  return { added, modified, removed };
}

/** The comparison without the fields and all below them. */
export function without({ added, modified, removed }: Comparison, fields: Fields): Comparison {
  if (isEmpty(fields)) return { added, modified, removed };
  return { added: differenceBelow(added, fields), modified: differenceBelow(modified, fields), removed: differenceBelow(removed, fields) };
}

// What changes between two states of an object, as sets of fields.
import { equal } from "../equal.ts";
import { fieldElement } from "./element.ts";
import { differenceBelow, isEmpty, nodeOf, NOTHING, union, type Fields } from "./fields.ts";
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

/** What a walk of one shape found; `whole` when the place is a leaf and has told of itself. */
interface Found {
  readonly delta: Delta | undefined;
  readonly whole: boolean;
}

/** A place that is owned as a whole. Undefined is no value at all, null is one. */
function compareWhole(left: unknown, right: unknown): Found {
  if (left === undefined) return { delta: ADDED, whole: true };
  if (right === undefined) return { delta: REMOVED, whole: true };
  return { delta: equal(left, right) ? undefined : MODIFIED, whole: true };
}

function deltaOf(parts: readonly (readonly [string, Delta])[]): Delta | undefined {
  if (parts.length === 0) return undefined;
  const node = (kind: keyof Delta): Fields | undefined =>
    nodeOf(
      false,
      parts.map(([element, delta]) => [element, delta[kind]] as const),
    );
  return { added: node("added"), modified: node("modified"), removed: node("removed") };
}

function compareMaps(map: MapType, left: unknown, right: unknown): Found {
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
  return { delta: deltaOf(parts), whole: false };
}

/** Items with the same element, before and after: one each is compared, several are told as one place. */
function compareSame(list: ListType, before: readonly unknown[], after: readonly unknown[]): Delta | undefined {
  if (before.length <= 1 && after.length <= 1) return compareAt(list.items, before[0], after[0]);
  if (before.length > 1 && after.length > 1) return equal(before, after) ? undefined : MODIFIED;
  const added = after.length === 0 ? undefined : after.length > 1 ? NOTHING : compareAt(list.items, undefined, after[0])?.added;
  const removed = before.length === 0 ? undefined : before.length > 1 ? NOTHING : compareAt(list.items, before[0], undefined)?.removed;
  return { added, removed };
}

function compareLists(list: ListType, left: unknown, right: unknown): Found {
  const [a, b] = [asList(left), asList(right)];
  if (list.atomic || ((a?.length ?? 0) === 0 && (b?.length ?? 0) === 0)) return compareWhole(left, right);
  // Most lists have not changed: then nothing is said of the items.
  if (a !== undefined && b !== undefined && equal(a, b)) return { delta: undefined, whole: false };
  const [before, after] = [itemsByElement(list, a), itemsByElement(list, b)];
  const parts: [string, Delta][] = [];
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    const delta = compareSame(list, before.get(element) ?? [], after.get(element) ?? []);
    if (delta !== undefined) parts.push([element, delta]);
  }
  return { delta: deltaOf(parts), whole: false };
}

function compareAs(shape: Shape, type: MergeType, left: unknown, right: unknown): Found {
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
  const last = right === undefined ? before : after;
  const { delta, whole } = compareAs(last, type, left, right);
  // A value of another shape has come: what both ways of looking at it tell counts.
  const other = left === undefined || right === undefined || before === after ? undefined : compareAs(before, type, left, right).delta;
  const found = both(delta, other);
  if (whole) return found;
  if (left === undefined) return both(found, ADDED);
  return right === undefined ? both(found, REMOVED) : found;
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

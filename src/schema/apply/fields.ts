// Sets of fields. The set is what FieldsV1 writes: a tree of elements, where `.` says that a place is a member and a leaf always is.
import { isObject } from "../compile-nodes.ts";
import { canonicalElement, compareTexts, elementText, sortElements } from "./element.ts";

/** A set, or the part of one below an element. Elements are in Kubernetes' order. Never changed once made. */
export interface Fields {
  readonly [element: string]: Fields;
}

/** Below an element: a member with nothing below. As a whole set: the empty one, for nobody owns all of an object. */
export const NOTHING: Fields = Object.freeze({});
const SELF = ".";

export function isEmpty(set: Fields): boolean {
  for (const element in set) if (element !== SELF) return false;
  return true;
}

function elementsOf(node: Fields): string[] {
  const elements = Object.keys(node);
  return elements[0] === SELF ? elements.slice(1) : elements;
}

function isMemberNode(node: Fields): boolean {
  if (node[SELF] !== undefined) return true;
  for (const _ in node) return false;
  return true;
}

/** Whether the place itself is in the set, and not only what lies below. */
export function isMember(set: Fields, element: string): boolean {
  const node = set[element];
  return node !== undefined && isMemberNode(node);
}

/** What the set has below the element. */
export function below(set: Fields, element: string): Fields {
  return set[element] ?? NOTHING;
}

/** A member, to which what lies below it is added. */
export function memberNode(): Record<string, Fields> {
  return { [SELF]: NOTHING };
}

/** The node of these parts, among them perhaps the one that says that it is a member; they may be in any order. */
export function orderedNode(parts: Record<string, Fields> | undefined): Fields | undefined {
  if (parts === undefined) return undefined;
  const elements = elementsOf(parts);
  if (elements.length === 0) return NOTHING;
  if (elements.length === 1 || isSorted(elements)) return parts;
  const sorted = parts[SELF] === undefined ? {} : memberNode();
  for (const element of sortElements(elements)) sorted[element] = parts[element] as Fields;
  return sorted;
}

/** Only of fields; items by keys are compared by what they say. */
function isSorted(elements: readonly string[]): boolean {
  return elements.every((element, index) => element.startsWith("f:") && (index === 0 || compareTexts(elements[index - 1] ?? "", element) < 0));
}

/**
 * A node of its parts; undefined when there is nothing in it. Parts that are undefined are left out; elements that are not
 * known to be in order are put in order.
 */
export function nodeOf(member: boolean, parts: readonly (readonly [string, Fields | undefined])[], inOrder = false): Fields | undefined {
  const node: Record<string, Fields> = {};
  if (member) node[SELF] = NOTHING;
  let count = 0;
  for (const [element, part] of parts) {
    if (part === undefined) continue;
    node[element] = part;
    count++;
  }
  if (count === 0) return member ? NOTHING : undefined;
  if (inOrder || count === 1) return node;
  const sorted: Record<string, Fields> = member ? { [SELF]: NOTHING } : {};
  for (const element of sortElements(elementsOf(node))) sorted[element] = node[element] as Fields;
  return sorted;
}

function unionNodes(a: Fields, b: Fields, member: boolean): Fields {
  if (a === b) return a;
  const parts: [string, Fields][] = [];
  let changed = member && !isMemberNode(a);
  let added = false;
  for (const element of elementsOf(a)) {
    const [left, right] = [a[element] as Fields, b[element]];
    const both = right === undefined ? left : unionNodes(left, right, isMemberNode(left) || isMemberNode(right));
    changed ||= both !== left;
    parts.push([element, both]);
  }
  for (const element of elementsOf(b)) {
    if (a[element] !== undefined) continue;
    added = true;
    parts.push([element, b[element] as Fields]);
  }
  return changed || added ? (nodeOf(member, parts, !added) ?? NOTHING) : a;
}

/** All that is in one or in both. */
export function union(a: Fields, b: Fields): Fields {
  return unionNodes(a, b, false);
}

function intersectNodes(a: Fields, b: Fields, member: boolean): Fields | undefined {
  const parts: [string, Fields][] = [];
  for (const element of elementsOf(a)) {
    const right = b[element];
    if (right === undefined) continue;
    const left = a[element] as Fields;
    const both = intersectNodes(left, right, isMemberNode(left) && isMemberNode(right));
    if (both !== undefined) parts.push([element, both]);
  }
  return nodeOf(member, parts, true);
}

/** All that is in both. */
export function intersection(a: Fields, b: Fields): Fields {
  return isEmpty(a) || isEmpty(b) ? NOTHING : (intersectNodes(a, b, false) ?? NOTHING);
}

function subtractNodes(a: Fields, b: Fields, member: boolean, whole: boolean): Fields | undefined {
  let changed = member !== isMemberNode(a);
  const parts = elementsOf(a).map((element) => {
    const [left, right] = [a[element] as Fields, b[element]];
    if (right === undefined) return [element, left] as const;
    const gone = isMemberNode(right);
    const rest = gone && whole ? undefined : subtractNodes(left, right, isMemberNode(left) && !gone, whole);
    changed ||= rest !== left;
    return [element, rest] as const;
  });
  return changed ? nodeOf(member, parts, true) : a;
}

/** All of `a` that is not in `b`; what lies below a member of `b` stays. */
export function difference(a: Fields, b: Fields): Fields {
  return isEmpty(b) || isEmpty(a) ? a : (subtractNodes(a, b, isMemberNode(a), false) ?? NOTHING);
}

/** As `difference`, but without what lies below the members of `b`. */
export function differenceBelow(a: Fields, b: Fields): Fields {
  return isEmpty(b) || isEmpty(a) ? a : (subtractNodes(a, b, isMemberNode(a), true) ?? NOTHING);
}

/** Whether the place at the path is in the set. */
export function hasPath(set: Fields, path: readonly string[]): boolean {
  const last = path.at(-1);
  if (last === undefined) return false;
  return isMember(
    path.slice(0, -1).reduce((node, element) => below(node, element), set),
    last,
  );
}

/** The paths of all members, those of a place before those below it. */
export function* pathsOf(set: Fields, prefix: readonly string[] = []): Generator<readonly string[], void, void> {
  const elements = elementsOf(set);
  for (const element of elements) if (isMember(set, element)) yield [...prefix, element];
  for (const element of elements) yield* pathsOf(set[element] as Fields, [...prefix, element]);
}

/** A set of paths. */
export function fieldsOf(...paths: readonly (readonly string[])[]): Fields {
  return paths.reduce<Fields>(
    (set, path) =>
      union(
        set,
        path.reduceRight<Fields>((node, element) => ({ [element]: node }), NOTHING),
      ),
    NOTHING,
  );
}

/** A path in messages. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join("");
}

/**
 * A set that a client sent, in the form that Kubernetes gives it: elements in order, those of unknown kinds left out. Throws
 * SyntaxError for what is no set.
 */
export function readFields(value: unknown): Fields {
  if (!isObject(value)) throw new SyntaxError("a set of fields must be an object");
  return readNode(value, false) ?? NOTHING;
}

function readNode(value: Record<string, unknown>, isBelow: boolean): Fields | undefined {
  const parts: [string, Fields | undefined][] = [];
  for (const [element, child] of Object.entries(value)) {
    if (element === SELF) continue;
    const known = canonicalElement(element);
    if (known === undefined) continue;
    if (!isObject(child)) throw new SyntaxError(`what lies below ${element} must be an object`);
    parts.push([known, readNode(child, true)]);
  }
  return nodeOf(isBelow && (SELF in value || parts.length === 0), parts);
}

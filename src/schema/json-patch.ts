// JSON Patch (RFC 6902) as the API server applies it: with negative indices, and lenient where the RFC is strict.
import { StatusError } from "#core";
import { isObject } from "./compile-nodes.ts";
import { equal } from "./equal.ts";

const OPERATIONS_MAX = 10_000;
/** Characters that all copies of one patch may add, as Kubernetes limits them: copies of copies double with each step. */
const COPIED_MAX = 3 << 20;

type Container = unknown[] | Record<string, unknown>;

/** How the API server answers any patch that cannot be applied: it names no reason. */
export function inapplicable(): StatusError {
  return new StatusError("Invalid", "the server rejected our request due to an error in our request", { details: {} });
}

/** The names on the way to a value; what stands before the first slash counts for nothing. */
function parsePointer(pointer: unknown): string[] {
  if (typeof pointer !== "string") throw inapplicable();
  const parts = pointer.split("/").slice(1);
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** An index in Go's reading: signs and leading zeros are fine, and -1 is the last of `length` places. */
function indexOf(key: string, length: number): number {
  if (!/^[+-]?\d+$/.test(key)) throw inapplicable();
  const index = Number(key);
  if (index >= length || index < -length) throw inapplicable();
  return index < 0 ? index + length : index;
}

/** The value of a member; of an object's missing member `undefined`, of a list's missing place an error. */
function member(container: Container, key: string): unknown {
  if (Array.isArray(container)) return container[indexOf(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

/** The container around the last name of the path, and that name. */
function find(document: Container, path: readonly string[]): { readonly container: Container; readonly key: string } {
  const key = path.at(-1);
  if (key === undefined) throw inapplicable();
  let container = document;
  for (const name of path.slice(0, -1)) {
    const next = member(container, name);
    if (!Array.isArray(next) && !isObject(next)) throw inapplicable();
    container = next;
  }
  return { container, key };
}

/** Rebuilds the way to `path`; `change` gets a fresh copy of the container and the last key. */
function edit(document: Container, path: readonly string[], change: (container: Container, key: string) => void): Container {
  const [key, ...rest] = path;
  if (key === undefined) throw inapplicable();
  // Go writes the members of what it has taken apart in alphabetical order.
  const copy: Container = Array.isArray(document) ? [...(document as unknown[])] : Object.fromEntries(Object.entries(document).sort(byName));
  if (rest.length === 0) {
    change(copy, key);
    return copy;
  }
  const next = member(copy, key);
  if (!Array.isArray(next) && !isObject(next)) throw inapplicable();
  put(copy, key, edit(next, rest, change));
  return copy;
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);

function put(container: Container, key: string, value: unknown): void {
  if (Array.isArray(container)) container[indexOf(key, container.length)] = value;
  else setMember(container, key, value);
}

/** Not by assignment: `__proto__` is a legal name. */
export function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function add(document: Container, path: readonly string[], value: unknown): Container {
  return edit(document, path, (container, key) => {
    if (!Array.isArray(container)) setMember(container, key, value);
    else if (key === "-") container.push(value);
    else container.splice(indexOf(key, container.length + 1), 0, value);
  });
}

function remove(document: Container, path: readonly string[]): Container {
  return edit(document, path, (container, key) => {
    if (Array.isArray(container)) container.splice(indexOf(key, container.length), 1);
    else if (Object.hasOwn(container, key)) delete container[key];
    else throw inapplicable();
  });
}

/** An object's member need not be there. Without a path the whole document is replaced, unless the value could be none. */
function replace(document: Container, path: readonly string[], value: unknown, isWhole: boolean): Container {
  if (isWhole) return Array.isArray(value) || isObject(value) ? value : document;
  const { container, key } = find(document, path);
  member(container, key);
  return edit(document, path, (copy, last) => put(copy, last, value));
}

function test(document: Container, path: readonly string[], operation: Record<string, unknown>, isWhole: boolean): void {
  const { value } = operation;
  const { container, key } = isWhole ? { container: { "": document }, key: "" } : find(document, path);
  const there = member(container, key) ?? null;
  // Without a value Kubernetes' server breaks the connection off when there is nothing to compare with.
  if (value === undefined || !equal(there, value)) throw inapplicable();
}

/** Adds up what copies copy. */
interface Budget {
  copied: number;
}

function step(document: Container, operation: Record<string, unknown>, budget: Budget): Container {
  const { op } = operation;
  const value = operation["value"] ?? null;
  switch (op) {
    case "add":
      return add(document, parsePointer(operation["path"]), value);
    case "remove":
      return remove(document, parsePointer(operation["path"]));
    case "replace":
      return replace(document, parsePointer(operation["path"]), value, operation["path"] === "");
    case "test":
      test(document, parsePointer(operation["path"]), operation, operation["path"] === "");
      return document;
    case "move": {
      const from = parsePointer(operation["from"]);
      const { container, key } = find(document, from);
      const moved = member(container, key);
      return add(remove(document, from), parsePointer(operation["path"]), moved);
    }
    case "copy": {
      const { container, key } = find(document, parsePointer(operation["from"]));
      const copied = member(container, key) ?? null;
      budget.copied += sizeOf(copied, COPIED_MAX - budget.copied);
      if (budget.copied > COPIED_MAX) throw inapplicable();
      return add(document, parsePointer(operation["path"]), copied);
    }
    default:
      throw inapplicable();
  }
}

/** Applies the operations of a patch, which `readPatch` has read. Throws StatusError `Invalid` when one cannot be applied. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) return document;
  if (patch.length > OPERATIONS_MAX) {
    const message = `Request entity too large: The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${patch.length}`;
    throw new StatusError("RequestEntityTooLarge", message);
  }
  const budget: Budget = { copied: 0 };
  let result = document as Container;
  for (const operation of patch as unknown[]) result = step(result, isObject(operation) ? operation : {}, budget);
  return result;
}

/** About the length of the value's text; looks no further once it is beyond `max`. */
function sizeOf(value: unknown, max: number): number {
  const rest = [value];
  let size = 0;
  while (rest.length > 0 && size <= max) {
    const next = rest.pop();
    if (typeof next === "string") size += next.length + 2;
    else if (Array.isArray(next)) {
      size += 2 + next.length;
      for (const item of next as unknown[]) rest.push(item);
    } else if (isObject(next)) {
      size += 2;
      for (const [name, inner] of Object.entries(next)) {
        size += name.length + 4;
        rest.push(inner);
      }
    } else size += 4;
  }
  return size;
}

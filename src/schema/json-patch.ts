// JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386) with the API server's errors. Inputs are never changed.
import { badRequest, StatusError } from "#core";
import { isObject } from "./compile-nodes.ts";
import { equal } from "./equal.ts";

const OPERATIONS_MAX = 10_000;
/** Characters that all copies of one patch may add, as Kubernetes limits them: copies of copies double with each step. */
const COPIED_MAX = 3 << 20;

interface Operation {
  readonly op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  readonly path: readonly string[];
  readonly from: readonly string[];
  readonly value: unknown;
}

/** How the API server answers any patch that cannot be applied: it names no reason. */
function inapplicable(): StatusError {
  return new StatusError("Invalid", "the server rejected our request due to an error in our request", { details: {} });
}

function parsePointer(pointer: unknown): string[] {
  if (pointer === "") return [];
  if (typeof pointer !== "string" || !pointer.startsWith("/")) throw inapplicable();
  const parts = pointer.slice(1).split("/");
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

const OPS: ReadonlySet<unknown> = new Set(["add", "remove", "replace", "move", "copy", "test"]);

function parseOperation(raw: unknown): Operation {
  if (!isObject(raw)) throw badRequest("json: cannot unmarshal into Go value of type jsonpatch.Operation");
  const { op, path, from, value = null } = raw;
  if (!OPS.has(op)) throw inapplicable();
  const needsFrom = op === "move" || op === "copy";
  return { op: op as Operation["op"], path: parsePointer(path), from: needsFrom ? parsePointer(from) : [], value };
}

function indexOf(key: string, length: number): number {
  if (!/^(0|[1-9]\d*)$/.test(key) || Number(key) >= length) throw inapplicable();
  return Number(key);
}

function get(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const key of path) {
    if (Array.isArray(value)) value = value[indexOf(key, value.length)];
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key];
    else throw inapplicable();
  }
  return value;
}

/** Rebuilds the way to `path`; `change` gets a fresh copy of the container and the last key. */
function edit(document: unknown, path: readonly string[], change: (container: unknown[] | Record<string, unknown>, key: string) => void): unknown {
  const [key, ...rest] = path;
  if (key === undefined) throw inapplicable();
  if (Array.isArray(document)) {
    const copy: unknown[] = [...(document as unknown[])];
    if (rest.length === 0) change(copy, key);
    else copy[indexOf(key, copy.length)] = edit(copy[indexOf(key, copy.length)], rest, change);
    return copy;
  }
  if (!isObject(document)) throw inapplicable();
  const copy = { ...document };
  if (rest.length === 0) change(copy, key);
  else if (Object.hasOwn(copy, key)) copy[key] = edit(copy[key], rest, change);
  else throw inapplicable();
  return copy;
}

function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function add(document: unknown, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value;
  return edit(document, path, (container, key) => {
    if (!Array.isArray(container)) setMember(container, key, value);
    else if (key === "-") container.push(value);
    else container.splice(indexOf(key, container.length + 1), 0, value);
  });
}

function remove(document: unknown, path: readonly string[]): unknown {
  return edit(document, path, (container, key) => {
    if (Array.isArray(container)) container.splice(indexOf(key, container.length), 1);
    else if (Object.hasOwn(container, key)) delete container[key];
    else throw inapplicable();
  });
}

function replace(document: unknown, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value;
  get(document, path);
  return edit(document, path, (container, key) => {
    if (Array.isArray(container)) container[indexOf(key, container.length)] = value;
    else setMember(container, key, value);
  });
}

function step(document: unknown, { op, path, from, value }: Operation): unknown {
  switch (op) {
    case "add":
      return add(document, path, value);
    case "remove":
      return remove(document, path);
    case "replace":
      return replace(document, path, value);
    case "copy":
      return add(document, path, get(document, from));
    case "move":
      if (path.length > from.length && from.every((key, index) => path[index] === key)) throw inapplicable();
      return add(remove(document, from), path, get(document, from));
    case "test":
      if (!sameOrBothNothing(document, path, value)) throw inapplicable();
      return document;
  }
}

/** A test for null also holds where there is nothing. */
function sameOrBothNothing(document: unknown, path: readonly string[], value: unknown): boolean {
  if (value !== null) return equal(get(document, path), value);
  const parent = get(document, path.slice(0, -1));
  const key = path.at(-1);
  return key === undefined ? parent === null : isObject(parent) && !Object.hasOwn(parent, key) ? true : get(document, path) === null;
}

/** Applies a JSON Patch. Throws StatusError: `BadRequest` for what is no patch, `Invalid` when it cannot be applied. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest(`json: cannot unmarshal ${isObject(patch) ? "object" : typeof patch} into Go value of type jsonpatch.Patch`);
  if (patch.length > OPERATIONS_MAX) {
    throw new StatusError("RequestEntityTooLarge", `The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${patch.length}`);
  }
  let result = document;
  let copied = 0;
  for (const operation of patch.map(parseOperation)) {
    if (operation.op === "copy") copied += sizeOf(get(result, operation.from), COPIED_MAX - copied);
    if (copied > COPIED_MAX) throw inapplicable();
    result = step(result, operation);
  }
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
      for (const [name, member] of Object.entries(next)) {
        size += name.length + 4;
        rest.push(member);
      }
    } else size += 4;
  }
  return size;
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const out: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete out[name];
    else setMember(out, name, merge(Object.hasOwn(out, name) ? out[name] : undefined, value));
  }
  return out;
}

/** Applies a JSON Merge Patch. Throws StatusError `BadRequest` when the patch is not an object. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) {
    const what = Array.isArray(patch) ? "array" : typeof patch;
    throw badRequest(`error decoding patch: json: cannot unmarshal ${what} into Go value of type map[string]interface {}`);
  }
  return merge(document, patch);
}

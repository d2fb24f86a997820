// Checks a custom object against its schema, with the API server's texts. What was wrong before and stays as it was is tolerated.
import { isObject, nodeCompiler } from "./compile-nodes.ts";
import type { Engines } from "./engines.ts";
import { equal } from "./equal.ts";
import { fieldError, type FieldError } from "./field-error.ts";
import type { Node } from "./node.ts";
import { countErrors, numberErrors, textErrors } from "./validate-values.ts";

/** What was found so far. `matches` counts what was right: of several alternatives the best one tells what is wrong. */
export interface Found {
  readonly errors: FieldError[];
  matches: number;
}

/** `old` is the value at the same place before; undefined when there was none or nobody can tell. */
export type Check = (value: unknown, path: string, found: Found, old: unknown) => void;

function typeName(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** Adds errors that were not told yet. */
function tell(found: Found, errors: readonly FieldError[]): void {
  for (const error of errors) {
    const known = found.errors.some(({ field, message, type }) => field === error.field && message === error.message && type === error.type);
    if (!known) found.errors.push(error);
  }
}

/** A value below another: errors of one that is as it was are dropped. */
function below(check: Check, value: unknown, path: string, found: Found, old: unknown): void {
  const before = found.errors.length;
  check(value, path, found, old);
  if (old !== undefined && found.errors.length > before && equal(value, old)) found.errors.length = before;
}

function typeCheck(node: Node): Check | undefined {
  const isEither = node["x-kubernetes-int-or-string"] === true;
  if (node.type === undefined && !isEither) return undefined;
  const wanted = isEither ? "integer,string" : (node.type ?? "");
  const fits = (name: string): boolean => {
    if (isEither) return name === "integer" || name === "string";
    return name === node.type || (node.type === "number" && name === "integer");
  };
  return (value, path, found) => {
    const name = typeName(value);
    if (fits(name) || (name === "null" && node.nullable === true)) found.matches++;
    else tell(found, [fieldError.typeInvalid(path, name, `${path} in body must be of type ${wanted}: ${JSON.stringify(name)}`)]);
  };
}

/** A failure of alternatives has no field of its own. */
const together = (path: string, what: string): FieldError => fieldError.invalid("<nil>", "", `${JSON.stringify(path)} ${what}`);

function resultOf(check: Check, ...[value, path, old]: [unknown, string, unknown]): Found {
  const found: Found = { errors: [], matches: 0 };
  check(value, path, found, old);
  return found;
}

const best = (failures: readonly Found[]): Found | undefined =>
  failures.reduce<Found | undefined>((kept, one) => (kept === undefined || one.matches > kept.matches ? one : kept), undefined);

function merge(found: Found, other: Found | undefined): void {
  if (other === undefined) return;
  tell(found, other.errors);
  found.matches += other.matches;
}

function alternatives(node: Node, next: (node: Node) => Check): Check | undefined {
  const { allOf = [], anyOf = [], oneOf = [], not } = node;
  if (allOf.length === 0 && anyOf.length === 0 && oneOf.length === 0 && not === undefined) return undefined;
  const [all, any, one] = [allOf.map(next), anyOf.map(next), oneOf.map(next)];
  const none = not === undefined ? undefined : next(not);
  return (value, path, found, old) => {
    const run = (check: Check): Found => resultOf(check, value, path, old);
    const isValid = ({ errors }: Found): boolean => errors.length === 0;
    if (any.length > 0) {
      const results = any.map(run);
      if (!results.some(isValid)) tell(found, [together(path, "must validate at least one schema (anyOf)")]);
      merge(found, results.find(isValid) ?? best(results));
    }
    if (one.length > 0) {
      const results = one.map(run);
      const valid = results.filter(isValid);
      const what = valid.length === 0 ? "Found none valid" : `Found ${valid.length} valid alternatives`;
      if (valid.length !== 1) tell(found, [together(path, `must validate one and only one schema (oneOf). ${what}`)]);
      merge(found, valid.length === 0 ? best(results) : valid.length === 1 ? valid[0] : undefined);
    }
    if (all.length > 0) {
      const results = all.map(run);
      results.forEach((result) => merge(found, result));
      const valid = results.filter(isValid).length;
      if (valid < all.length) tell(found, [together(path, `must validate all the schemas (allOf)${valid === 0 ? ". None validated" : ""}`)]);
    }
    if (none !== undefined && isValid(run(none))) tell(found, [together(path, "must not validate the schema (not)")]);
  };
}

/** Finds the item that an item of a keyed list was before; items of other lists have no past. */
function pastOf(node: Node): (old: unknown) => (item: unknown) => unknown {
  const keys = node["x-kubernetes-list-type"] === "map" ? (node["x-kubernetes-list-map-keys"] ?? []) : [];
  const keyOf = (item: unknown): string => JSON.stringify(isObject(item) ? keys.map((key) => item[key] ?? null) : null);
  return (old) => {
    if (keys.length === 0 || !Array.isArray(old)) return () => undefined;
    const items = new Map(old.map((item) => [keyOf(item), item as unknown]));
    return (item) => items.get(keyOf(item));
  };
}

/** For nodes that say nothing of lists. */
const anyList: Check = (_value, _path, found) => void found.matches++;

function listCheck(node: Node, next: (node: Node) => Check): Check {
  if (node.items === undefined && node.minItems === undefined && node.maxItems === undefined && node.uniqueItems !== true) return anyList;
  const items = node.items === undefined ? undefined : next(node.items);
  const past = pastOf(node);
  const limits = { min: node.minItems, max: node.maxItems, what: "items" };
  return (value, path, found, old) => {
    const list = value as readonly unknown[];
    if (items !== undefined) {
      const before = past(old);
      list.forEach((item, index) => below(items, item, `${path}[${index}]`, found, before(item)));
    }
    tell(found, countErrors(path, list.length, limits));
    if (node.uniqueItems === true && list.some((item, index) => list.slice(0, index).some((other) => equal(item, other))))
      tell(found, [fieldError.invalid(path, "", `${path} in body shouldn't contain duplicates`)]);
    found.matches++;
  };
}

/** Undefined: the node says nothing of objects. */
function objectCheck(node: Node, next: (node: Node) => Check): Check | undefined {
  const { properties: declared, additionalProperties, minProperties, maxProperties, required } = node;
  if ([declared, additionalProperties, minProperties, maxProperties, required].every((keyword) => keyword === undefined)) return undefined;
  const properties = Object.entries(declared ?? {}).map(([name, child]) => [name, next(child)] as const);
  const others = additionalProperties === undefined ? undefined : next(additionalProperties);
  const limits = { min: minProperties, max: maxProperties, what: "properties" };
  const counts = limits.min !== undefined || limits.max !== undefined;
  return (value, path, found, old) => {
    const object = value as Record<string, unknown>;
    const before = isObject(old) ? old : undefined;
    const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
    if (counts) tell(found, countErrors(path, Object.keys(object).length, limits));
    if (others !== undefined) {
      for (const [name, member] of Object.entries(object)) {
        if (declared?.[name] === undefined) below(others, member, at(name), found, before?.[name]);
      }
    }
    for (const [name, check] of properties) if (object[name] !== undefined) below(check, object[name], at(name), found, before?.[name]);
    for (const name of required ?? []) if (object[name] === undefined) tell(found, [fieldError.required(at(name))]);
  };
}

function enumCheck(values: readonly unknown[]): Check {
  return (value, path, found) => {
    const isIn = value !== null && values.some((one) => one === value || equal(one, value));
    if (!isIn) tell(found, [fieldError.notSupported(path, value, values)]);
  };
}

function compileWith(engines: Engines): (node: Node, next: (node: Node) => Check) => Check {
  return (node, next) => {
    const type = typeCheck(node);
    const combined = alternatives(node, next);
    const text = textErrors(node, engines);
    const number = numberErrors(node);
    const list = listCheck(node, next);
    const object = objectCheck(node, next);
    const allowed = node.enum === undefined || node.enum.length === 0 ? undefined : enumCheck(node.enum);
    return (value, path, found, old) => {
      type?.(value, path, found, old);
      if (value !== null) {
        combined?.(value, path, found, old);
        if (typeof value === "string") tell(found, text?.(value, path) ?? []);
        else if (typeof value === "number") tell(found, number?.(value, path) ?? []);
        else if (Array.isArray(value)) list(value, path, found, old);
      }
      allowed?.(value, path, found, old);
      if (isObject(value)) object?.(value, path, found, old);
      found.matches++;
    };
  };
}

/** Adds to `errors` what is wrong with a whole object. */
export type CheckStructure = (object: unknown, old: unknown, errors: FieldError[]) => void;

export function structureChecker(definitions: Readonly<Record<string, Node>>, engines: Engines): (node: Node) => CheckStructure {
  const compiler = nodeCompiler<Check>(definitions, compileWith(engines), (get) => (value, path, found, old) => get()(value, path, found, old), {
    lazily: true,
  });
  return (node) => {
    const check = compiler(node);
    return (object, old, errors) => below(check, object, "", { errors, matches: 0 }, old);
  };
}

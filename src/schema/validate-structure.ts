// Checks a custom object against its schema, with the API server's texts.
import { isObject, nodeCompiler } from "./compile-nodes.ts";
import { fieldError, type FieldError } from "./field-error.ts";
import type { Node } from "./node.ts";

/** Adds what is wrong to `errors`. */
export type Check = (value: unknown, path: string, errors: FieldError[]) => void;

function typeName(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function isOfType(node: Node, found: string): boolean {
  if (node["x-kubernetes-int-or-string"] === true) return found === "integer" || found === "string";
  if (node.type === undefined || (found === "null" && node.nullable === true)) return true;
  return found === node.type || (node.type === "number" && found === "integer");
}

const INT32_MAX = 0x7fff_ffff;

function numberErrors(node: Node, value: number, path: string): FieldError[] {
  const { minimum, maximum, format } = node;
  const wrong: FieldError[] = [];
  if (format === "int32" && (value > INT32_MAX || value < -INT32_MAX - 1)) {
    wrong.push(fieldError.invalid(path, value, `${path} in body must be of type int32: "${value}"`));
  }
  if (minimum !== undefined && value < minimum) wrong.push(fieldError.invalid(path, value, `${path} in body should be greater than or equal to ${minimum}`));
  if (maximum !== undefined && value > maximum) wrong.push(fieldError.invalid(path, value, `${path} in body should be less than or equal to ${maximum}`));
  return wrong;
}

function textCheck(node: Node): (value: string, path: string) => FieldError[] {
  const pattern = node.pattern === undefined ? undefined : new RegExp(node.pattern, "u");
  return (value, path) => {
    const wrong: FieldError[] = [];
    const { minLength, maxLength } = node;
    const length = minLength === undefined && maxLength === undefined ? 0 : [...value].length;
    if (maxLength !== undefined && length > maxLength) wrong.push(fieldError.tooLong(path, maxLength));
    if (minLength !== undefined && length < minLength)
      wrong.push(fieldError.invalid(path, value, `${path} in body should be at least ${minLength} chars long`));
    if (pattern !== undefined && !pattern.test(value)) wrong.push(fieldError.invalid(path, value, `${path} in body should match '${node.pattern ?? ""}'`));
    if (node.format === "date-time" && (Number.isNaN(Date.parse(value)) || !/^\d{4}-\d\d-\d\dT/i.test(value))) {
      wrong.push(fieldError.invalid(path, value, `${path} in body must be of type date-time: ${JSON.stringify(value)}`));
    }
    return wrong;
  };
}

/** Items of a set or of a list with keys occur once. */
function duplicateErrors(node: Node, items: readonly unknown[], path: string): FieldError[] {
  const listType = node["x-kubernetes-list-type"];
  if (listType !== "set" && listType !== "map") return [];
  const keys = node["x-kubernetes-list-map-keys"] ?? [];
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const key: unknown = listType === "set" || !isObject(item) ? item : Object.fromEntries(keys.map((name) => [name, item[name]]));
    const text = JSON.stringify(key);
    if (seen.has(text)) return [fieldError.duplicate(`${path}[${index}]`, key)];
    seen.add(text);
    return [];
  });
}

function objectCheck(node: Node, next: (node: Node) => Check): Check {
  const properties = Object.entries(node.properties ?? {}).map(([name, child]) => [name, next(child)] as const);
  const others = node.additionalProperties === undefined ? undefined : next(node.additionalProperties);
  return (value, path, errors) => {
    const object = value as Record<string, unknown>;
    const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
    for (const name of node.required ?? []) if (object[name] === undefined) errors.push(fieldError.required(at(name)));
    for (const [name, check] of properties) if (object[name] !== undefined) check(object[name], at(name), errors);
    if (others === undefined) return;
    for (const [name, member] of Object.entries(object)) if (node.properties?.[name] === undefined) others(member, at(name), errors);
  };
}

function compile(node: Node, next: (node: Node) => Check): Check {
  const wanted = node["x-kubernetes-int-or-string"] === true ? "integer,string" : (node.type ?? "");
  const text = textCheck(node);
  const object = objectCheck(node, next);
  const items = node.items === undefined ? undefined : next(node.items);
  return (value, path, errors) => {
    const found = typeName(value);
    if (!isOfType(node, found)) {
      errors.push(fieldError.typeInvalid(path, found, `${path} in body must be of type ${wanted}: ${JSON.stringify(found)}`));
    } else if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) items?.(value[index], `${path}[${index}]`, errors);
      errors.push(...duplicateErrors(node, value, path));
    } else if (isObject(value)) {
      object(value, path, errors);
    } else if (value !== null) {
      if (typeof value === "string") errors.push(...text(value, path));
      if (typeof value === "number") errors.push(...numberErrors(node, value, path));
      if (node.enum !== undefined && !node.enum.includes(value as string)) errors.push(fieldError.notSupported(path, value, node.enum));
    }
  };
}

export function structureChecker(definitions: Readonly<Record<string, Node>>): (node: Node) => Check {
  return nodeCompiler<Check>(definitions, compile, (get) => (value, path, errors) => get()(value, path, errors));
}

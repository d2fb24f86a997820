// Strategic merge patch: a merge patch that knows from the schema which lists are merged and by which key.
import { badRequest } from "#core";
import { isObject, resolveNode } from "./compile-nodes.ts";
import type { CompiledKind } from "./compiled.ts";
import { equal } from "./equal.ts";
import type { Node } from "./node.ts";

type Members = Record<string, unknown>;
type Definitions = Readonly<Record<string, Node>>;

const DIRECTIVE = "$patch";
const RETAIN = "$retainKeys";
const DELETE = "$deleteFromPrimitiveList/";
const ORDER = "$setElementOrder/";

interface Schemas {
  readonly node: Node | undefined;
  readonly definitions: Definitions;
}

/** The node of a member and what its patch strategy says. */
function memberOf(schema: Schemas, name: string): { readonly at: Schemas; readonly strategies: readonly string[]; readonly key: string | undefined } {
  const node = schema.node === undefined ? undefined : resolveNode(schema.node, schema.definitions);
  const child = node?.properties?.[name] ?? node?.additionalProperties;
  return {
    at: { node: child, definitions: schema.definitions },
    strategies: (child?.["x-kubernetes-patch-strategy"] ?? "").split(","),
    key: child?.["x-kubernetes-patch-merge-key"],
  };
}

/** A value that is new: without nulls and directives, so that what was meant for a merge is not stored. */
function cleaned(value: unknown, schema: Schemas): unknown {
  if (isObject(value)) return mergeObject({}, value, schema);
  return value;
}

function retained(target: Members, patch: Members): Members {
  const keys = patch[RETAIN];
  if (keys === undefined) return target;
  if (!Array.isArray(keys)) throw badRequest(`${RETAIN} must be a list`);
  const named = Object.keys(patch).filter((name) => !name.startsWith("$"));
  if (named.some((name) => patch[name] !== null && !keys.includes(name))) throw badRequest("$retainKeys list doesn't match the patch");
  return Object.fromEntries(Object.entries(target).filter(([name]) => keys.includes(name)));
}

function mergeObject(original: Members, patch: Members, schema: Schemas): Members {
  const directive = patch[DIRECTIVE];
  if (directive === "delete") return {};
  if (directive === "replace") {
    const { [DIRECTIVE]: _, ...rest } = patch;
    return rest;
  }
  if (directive !== undefined && directive !== "merge") throw badRequest(`Unknown patch strategy: ${JSON.stringify(directive)}`);
  const out = { ...retained(original, patch) };
  for (const [name, value] of Object.entries(patch)) {
    if (name === DIRECTIVE || name === RETAIN || name.startsWith(ORDER)) continue;
    if (name.startsWith(DELETE)) removePrimitives(out, name.slice(DELETE.length), value);
    else if (value === null) delete out[name];
    else out[name] = mergeMember(out[name], value, { ...memberOf(schema, name), order: patch[`${ORDER}${name}`] });
  }
  for (const name of Object.keys(patch)) {
    const list = name.startsWith(ORDER) ? name.slice(ORDER.length) : undefined;
    if (list === undefined || patch[list] !== undefined || !Array.isArray(out[list])) continue;
    out[list] = ordered(out[list], { order: patch[name], server: out[list], key: memberOf(schema, list).key });
  }
  return out;
}

function removePrimitives(out: Members, name: string, values: unknown): void {
  if (!Array.isArray(values)) throw badRequest(`${DELETE}${name} must be a list`);
  const list = out[name];
  if (Array.isArray(list)) out[name] = list.filter((item) => !values.some((value) => equal(value, item)));
}

interface Member {
  readonly at: Schemas;
  readonly strategies: readonly string[];
  readonly key: string | undefined;
  readonly order: unknown;
}

function mergeMember(original: unknown, patch: unknown, member: Member): unknown {
  if (isObject(patch)) {
    if (!isObject(original) || member.strategies.includes("replace")) return cleaned(patch, member.at);
    return mergeObject(original, patch, member.at);
  }
  if (!Array.isArray(patch)) return patch;
  if (!member.strategies.includes("merge")) return patch.map((item) => (isObject(item) ? withoutDirective(item) : (item as unknown)));
  const server: unknown[] = Array.isArray(original) ? original : [];
  const isPrimitive = !patch.some(isObject) && !server.some(isObject);
  const merged = isPrimitive
    ? [...server, ...patch.filter((item, index) => !server.includes(item) && patch.indexOf(item) === index)]
    : mergeKeyed(server, patch, member);
  return member.order === undefined ? merged : ordered(merged, { order: member.order, server, key: member.key });
}

function withoutDirective(item: Members): Members {
  const { [DIRECTIVE]: _, ...rest } = item;
  return rest;
}

function mergeKeyed(server: readonly unknown[], patch: readonly unknown[], member: Member): unknown[] {
  const { key } = member;
  if (key === undefined) throw badRequest("no merge key for a list of objects");
  const item: Schemas = { node: member.at.node?.items, definitions: member.at.definitions };
  const items = patch.map((one) => {
    if (!isObject(one)) throw badRequest("expected a list of objects");
    return one;
  });
  const replaced = items.some((one) => one[DIRECTIVE] === "replace");
  if (replaced) return items.filter((one) => one[DIRECTIVE] !== "replace" || Object.keys(one).length > 1).map(withoutDirective);
  let out = [...server];
  for (const one of items) {
    const id = one[key];
    if (id === undefined) throw badRequest(`map: ${JSON.stringify(one)} does not contain declared merge key: ${key}`);
    const same = (other: unknown): boolean => isObject(other) && equal(other[key], id);
    const index = out.findIndex(same);
    if (one[DIRECTIVE] === "delete") out = out.filter((other) => !same(other));
    else if (index === -1) out.push(cleaned(one, item));
    else out[index] = mergeObject(out[index] as Members, one, item);
  }
  return out;
}

/** Items that the patch names in its order, the server's own where they stood in relation to these. */
function ordered(items: readonly unknown[], by: { readonly order: unknown; readonly server: readonly unknown[]; readonly key: string | undefined }): unknown[] {
  const { order, server, key } = by;
  if (!Array.isArray(order)) throw badRequest(`${ORDER} must be a list`);
  const idOf = (item: unknown): unknown => (key !== undefined && isObject(item) ? item[key] : item);
  const indexIn = (list: readonly unknown[], item: unknown): number => list.findIndex((other) => equal(idOf(other), idOf(item)));
  const wanted = items.filter((item) => indexIn(order, item) >= 0).sort((a, b) => indexIn(order, a) - indexIn(order, b));
  const others = items.filter((item) => indexIn(order, item) < 0);
  const out: unknown[] = [];
  while (wanted.length > 0 || others.length > 0) {
    const [left, right] = [indexIn(server, others[0]), indexIn(server, wanted[0])];
    const takeOther = wanted.length === 0 || (others.length > 0 && left >= 0 && right >= 0 && left < right);
    out.push(takeOther ? others.shift() : wanted.shift());
  }
  return out;
}

/** Applies a strategic merge patch to an object of a built-in kind. Throws StatusError `BadRequest` with the reason. */
export function applyStrategicPatch(compiled: Pick<CompiledKind, "root" | "definitions">, document: unknown, patch: unknown): unknown {
  if (!isObject(document) || !isObject(patch)) throw badRequest("cannot unmarshal the patch into a map");
  return mergeObject(document, patch, { node: compiled.root, definitions: compiled.definitions });
}

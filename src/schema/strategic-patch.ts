// Strategic merge patch: a merge patch that knows from the schema which lists are merged and by which key.
// It answers as kube-apiserver does, also where that is odd: some mistakes are 400s, most are 500s without a reason.
import { badRequest, StatusError, unknownFailure } from "#core";
import { isObject } from "./compile-nodes.ts";
import type { CompiledKind } from "./compiled.ts";
import { goText, goTypeOf } from "./go-text.ts";
import { kindName, listMember, objectMember, patchSchemaOf, type MemberMeta, type PatchSchema } from "./patch-metadata.ts";
import { inOrder, type IdOf } from "./strategic-order.ts";

/** Members of an object while it is merged; a Map, because `__proto__` is a legal name. */
type Members = Map<string, unknown>;
type Json = Record<string, unknown>;

const DIRECTIVE = "$patch";
const RETAIN = "$retainKeys";
const DELETE = "$deleteFromPrimitiveList";
const ORDER = "$setElementOrder";

const badArgument = (expected: "[]" | "map[string]", actual: unknown): StatusError =>
  unknownFailure(`expected a ${expected}interface {}, but received a ${goTypeOf(actual)}`);
const noMergeKey = (item: Json, key: string): StatusError => unknownFailure(`map: ${goText(item)} does not contain declared merge key: ${key}`);
const badDirective = (directive: unknown, around: Json): StatusError => {
  const shown = typeof directive === "string" ? directive : `%!s(${goTypeOf(directive)}=${goText(directive)})`;
  return unknownFailure(`unknown patch type: ${shown} in map: ${goText(around)}`);
};

/** The name behind `PREFIX/`; throws when there is none. */
function nameBehind(key: string, prefix: string, what: string): string {
  if (!key.startsWith(`${prefix}/`)) throw badRequest(`invalid patch format of ${what}`);
  return key.slice(prefix.length + 1);
}

/** The value without nulls and without what carries a directive; `undefined` when it carries one itself. */
function fresh(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fresh).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, DIRECTIVE)) return undefined;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, fresh(member)] as const).filter(([, member]) => member !== undefined));
}

/** Drops what `$retainKeys` does not name from the original, and the directive from the patch. */
function retainKeys(original: Members, patch: Members): void {
  const keys = patch.get(RETAIN);
  if (!patch.delete(RETAIN)) return;
  const refusal = (): StatusError => badRequest("invalid patch format of retainKeys");
  if (!Array.isArray(keys)) throw refusal();
  const kept = new Set<unknown>(keys);
  for (const [name, value] of patch) {
    if (value !== null && !name.startsWith(DELETE) && !name.startsWith(ORDER) && !kept.has(name)) throw refusal();
  }
  for (const name of original.keys()) if (!kept.has(name)) original.delete(name);
}

function mergeObject(original: Json, patch: Json, schema: PatchSchema): Json {
  if (Object.hasOwn(patch, DIRECTIVE)) return replaced(patch);
  const out: Members = new Map(Object.entries(original));
  const rest: Members = new Map(Object.entries(patch));
  retainKeys(out, rest);
  for (const key of Object.keys(patch)) if (key.startsWith(ORDER)) mergeOrdered(out, rest, key, schema);
  for (const [key, value] of rest) mergeMember(out, key, value, schema);
  return Object.fromEntries(out);
}

/** What `$patch` makes of an object: nothing, or the rest of the patch as it stands. */
function replaced(patch: Json): Json {
  const { [DIRECTIVE]: directive, ...rest } = patch;
  if (directive === "replace") return rest;
  if (directive === "delete") return {};
  throw badDirective(directive, patch);
}

function mergeMember(out: Members, key: string, value: unknown, schema: PatchSchema): void {
  const removes = key.startsWith(DELETE);
  const name = removes ? nameBehind(key, DELETE, "primitive list") : key;
  if (value === null) {
    out.delete(name);
    return;
  }
  const original = out.get(name);
  if (isObject(value) && isObject(original)) {
    const member = objectMember(schema, name);
    out.set(name, member.strategy === "replace" ? value : mergeObject(original, value, member.schema));
  } else if (Array.isArray(value) && Array.isArray(original)) {
    out.set(name, mergeList(original, value, listMember(schema, name), removes));
  } else if (!removes || (out.has(name) && goTypeOf(original) === goTypeOf(value))) {
    setFresh(out, name, value);
  }
}

function setFresh(out: Members, name: string, value: unknown): void {
  const made = fresh(value);
  if (made === undefined) out.delete(name);
  else out.set(name, made);
}

/** Merges one list and puts it into the order that the patch gives beside it; takes both members from the patch. */
function mergeOrdered(out: Members, rest: Members, key: string, schema: PatchSchema): void {
  const order = rest.get(key);
  rest.delete(key);
  if (!Array.isArray(order)) throw badArgument("[]", order);
  const name = nameBehind(key, ORDER, "setElementOrder list");
  const [original, patch] = [out.get(name), rest.get(name)];
  if (out.has(name) && !Array.isArray(original)) throw badArgument("[]", original);
  if (rest.has(name) && !Array.isArray(patch)) throw badArgument("[]", patch);
  const member = listMember(schema, name);
  const [server, sent] = [(original ?? []) as unknown[], (patch ?? []) as unknown[]];
  checkOrder(sent, order, member.mergeKey);
  if (original === undefined && patch === undefined) return;
  const merged = patch === undefined ? server : original === undefined ? (fresh(sent) as unknown[]) : mergeList(server, sent, member, false);
  if (member.mergeKey !== "") {
    checkKeys(merged, member.mergeKey);
    const plain = order.findIndex((item) => !isObject(item));
    if (plain >= 0 && merged.length > 0) throw unknownFailure(`value for key ${plain} is not a map`);
  }
  const keyed = elementType(server, sent) === "map[string]interface {}";
  if (keyed) checkKeys([...order, ...(server as unknown[])], member.mergeKey);
  out.set(name, inOrder(merged, { patch: order, server, idOf: idOf(member.mergeKey) }));
  rest.delete(name);
}

/** The items of the patch stand in the order of the order list and all occur there; items that delete are not looked at. */
function checkOrder(sent: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (sent.length === 0 || order.length === 0) return;
  let index = 0;
  const items = mergeKey === "" ? sent : sent.filter((item) => asMap(item)[DIRECTIVE] !== "delete");
  for (const wanted of order) {
    while (index < items.length && isObject(items[index]) && Object.hasOwn(items[index] as Json, DIRECTIVE)) index++;
    if (index < items.length && isSame(items[index], wanted, mergeKey)) index++;
  }
  if (index < items.length) throw unknownFailure(`The order in patch list:\n${goText(sent)}\n doesn't match ${ORDER} list:\n${goText(order)}\n`);
}

function isSame(left: unknown, right: unknown, mergeKey: string): boolean {
  if (mergeKey === "") return left === right;
  return keyOf(asMap(left), mergeKey) === keyOf(asMap(right), mergeKey);
}

function asMap(item: unknown): Json {
  if (!isObject(item)) throw badArgument("map[string]", item);
  return item;
}

function keyOf(item: Json, mergeKey: string): unknown {
  if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
  return item[mergeKey];
}

function checkKeys(items: readonly unknown[], mergeKey: string): void {
  for (const item of items) keyOf(asMap(item), mergeKey);
}

const idOf =
  (mergeKey: string): IdOf =>
  (item) =>
    isObject(item) ? item[mergeKey] : item;

/** The one Go type of all items. Throws when there are several, none, or lists in the list. */
function elementType(server: readonly unknown[], sent: readonly unknown[]): string {
  const [first, ...rest] = [...server, ...sent].map(goTypeOf);
  if (first === undefined) throw unknownFailure("no elements in any of the given slices");
  if (first === "[]interface {}") throw new StatusError("Invalid", "the server rejected our request due to an error in our request", { details: {} });
  if (rest.some((type) => type !== first)) throw unknownFailure(`list element types are not identical: ${goText([server, sent])}`);
  return first;
}

function mergeList(server: readonly unknown[], sent: readonly unknown[], member: MemberMeta, removes: boolean): unknown[] {
  if (member.strategy !== "merge" && !removes) return [...sent];
  if (server.length === 0 && sent.length === 0) return [];
  const { mergeKey } = member;
  if (elementType(server, sent) !== "map[string]interface {}") {
    const taken = new Set(sent);
    if (removes) return server.filter((item) => !taken.has(item));
    const merged = [...new Set([...server, ...sent])];
    if (mergeKey !== "") checkKeys(merged, mergeKey);
    return inOrder(merged, { patch: sent, server, idOf: (item) => item });
  }
  if (mergeKey === "") throw unknownFailure(`cannot merge lists without merge key for ${kindName(member.schema)}`);
  const { kept, items } = withoutDirectives(server as Json[], sent as Json[], mergeKey);
  const merged = mergeItems(kept, items, member);
  checkKeys([...merged, ...items, ...kept], mergeKey);
  return inOrder(merged, { patch: items, server: kept, idOf: idOf(mergeKey) });
}

/** Carries out the directives among the items: what is left of the server's list, and what is merged into it. */
function withoutDirectives(
  server: readonly Json[],
  sent: readonly Json[],
  mergeKey: string,
): { readonly kept: readonly Json[]; readonly items: readonly Json[] } {
  const items = sent.filter((item) => !Object.hasOwn(item, DIRECTIVE));
  const gone = new Set<unknown>();
  let replaces = false;
  for (const item of sent) {
    if (!Object.hasOwn(item, DIRECTIVE)) continue;
    const directive = item[DIRECTIVE];
    if (directive === "delete") gone.add(keyOf(item, mergeKey));
    else if (directive === "replace") replaces = true;
    else if (directive === "merge") throw unknownFailure("merging lists cannot yet be specified in the patch");
    else throw badDirective(directive, item);
  }
  if (replaces) return { kept: items, items: [] };
  return { kept: server.filter((item) => !Object.hasOwn(item, mergeKey) || !gone.has(item[mergeKey])), items };
}

/** Items with a known key are merged where they stand, others are appended as they are. */
function mergeItems(kept: readonly Json[], items: readonly Json[], { mergeKey, schema }: MemberMeta): Json[] {
  const merged = [...kept];
  const places = new Map<unknown, number>();
  merged.forEach((item, index) => {
    if (!places.has(item[mergeKey])) places.set(item[mergeKey], index);
  });
  for (const item of items) {
    const id = keyOf(item, mergeKey);
    const place = places.get(id);
    if (place === undefined) places.set(id, merged.push(item) - 1);
    else merged[place] = mergeObject(merged[place] as Json, item, schema);
  }
  return merged;
}

/** Applies a strategic merge patch to an object of a built-in kind. Throws StatusErrors with Kubernetes' words. */
export function applyStrategicPatch(
  compiled: Pick<CompiledKind, "root" | "definitions"> & { readonly kind: { readonly kind: string } },
  document: unknown,
  patch: unknown,
): unknown {
  if (patch === null) return document;
  if (!isObject(patch)) {
    const what = Array.isArray(patch) ? "array" : typeof patch === "boolean" ? "bool" : typeof patch;
    throw badRequest(`json: cannot unmarshal ${what} into Go value of type map[string]interface {}`);
  }
  return mergeObject(isObject(document) ? document : {}, patch, patchSchemaOf(compiled));
}

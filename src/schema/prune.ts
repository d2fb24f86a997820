// Takes fields out that a custom kind's schema does not know, and nulls where none may be.
import { isObject, nodeCompiler } from "./compile-nodes.ts";
import type { Node } from "./node.ts";

/** Returns the same value when nothing had to go; adds the paths of unknown fields to `unknown`. */
export type Prune = (value: unknown, path: string, unknown: string[]) => unknown;

type Children = (name: string) => Prune | undefined;

const below = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

function pruneObject(
  value: Record<string, unknown>,
  at: { path: string; unknown: string[] },
  rules: { of: Children; nulls: (name: string) => boolean; open: boolean },
): unknown {
  let copy: Record<string, unknown> | undefined;
  for (const [name, member] of Object.entries(value)) {
    const child = rules.of(name);
    let next: unknown = member;
    if (child === undefined) {
      if (rules.open) continue;
      at.unknown.push(below(at.path, name));
      next = undefined;
    } else if (member === null && rules.nulls(name)) {
      next = undefined;
    } else {
      next = child(member, below(at.path, name), at.unknown);
    }
    if (next === member) continue;
    copy ??= { ...value };
    if (next === undefined) delete copy[name];
    else copy[name] = next;
  }
  return copy ?? value;
}

/** For nodes that nothing may stand below, which are most: one function does for all of them. */
const pruneLeaf: Prune = (value, path, unknown) =>
  isObject(value) ? pruneObject(value, { path, unknown }, { of: () => undefined, nulls: () => false, open: false }) : value;

function compile(node: Node, next: (node: Node) => Prune): Prune {
  const open = node["x-kubernetes-preserve-unknown-fields"] === true;
  const embedded = node["x-kubernetes-embedded-resource"] === true;
  if (!open && !embedded && [node.properties, node.additionalProperties, node.items].every((child) => child === undefined)) return pruneLeaf;
  const properties = new Map(Object.entries(node.properties ?? {}).map(([name, child]) => [name, next(child)]));
  const others = node.additionalProperties === undefined ? undefined : next(node.additionalProperties);
  const items = node.items === undefined ? undefined : next(node.items);
  const keep: Prune = (value) => value;
  const of: Children = (name) => properties.get(name) ?? others ?? (embedded && /^(apiVersion|kind|metadata)$/.test(name) ? keep : undefined);
  const nulls = (name: string): boolean => node.properties?.[name] !== undefined && node.properties[name].nullable !== true;
  const rules = { of, nulls, open };
  const prune: Prune = (value, path, unknown) => {
    if (isObject(value)) return pruneObject(value, { path, unknown }, rules);
    if (!Array.isArray(value) || items === undefined) return value;
    let copy: unknown[] | undefined;
    for (let index = 0; index < value.length; index++) {
      const pruned = items(value[index], `${path}[${index}]`, unknown);
      if (pruned === value[index]) continue;
      copy ??= [...value];
      copy[index] = pruned;
    }
    return copy ?? value;
  };
  return prune;
}

export function pruner(definitions: Readonly<Record<string, Node>>): (node: Node) => Prune {
  return nodeCompiler<Prune>(definitions, compile, (get) => (value, path, unknown) => get()(value, path, unknown), { lazily: true });
}

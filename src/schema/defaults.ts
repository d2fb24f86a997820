// Fills in the defaults that a schema holds.
import { isObject, nodeCompiler } from "./compile-nodes.ts";
import type { Node } from "./node.ts";

/** Returns the same value when nothing was missing. */
export type ApplyDefaults = (value: unknown) => unknown;

/** Undefined: nothing below has a default. A type that refers to itself counts as having one. */
interface Defaults {
  readonly apply: ApplyDefaults;
  readonly empty: boolean;
}

function objectDefaults(node: Node, next: (node: Node) => Defaults): Defaults {
  const initial = new Map(
    Object.entries(node.properties ?? {}).flatMap(([name, child]) => (child.default === undefined ? [] : [[name, child.default] as const])),
  );
  const below = new Map(
    Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
      const made = next(child);
      return made.empty ? [] : [[name, made.apply] as const];
    }),
  );
  const others = node.additionalProperties === undefined ? undefined : next(node.additionalProperties);
  const inOthers = others === undefined || others.empty ? undefined : others.apply;
  const apply: ApplyDefaults = (value) => {
    if (!isObject(value)) return value;
    let copy: Record<string, unknown> | undefined;
    for (const [name, fallback] of initial) {
      const before = value[name];
      // A null that may not be is as good as nothing.
      if (before !== undefined && (before !== null || node.properties?.[name]?.nullable === true)) continue;
      copy ??= { ...value };
      copy[name] = structuredClone(fallback);
    }
    const names = inOthers === undefined ? below.keys() : Object.keys(value);
    for (const name of names) {
      const before = (copy ?? value)[name];
      if (before === undefined) continue;
      const after = (below.get(name) ?? (node.properties?.[name] === undefined ? inOthers : undefined))?.(before) ?? before;
      if (after === before) continue;
      copy ??= { ...value };
      copy[name] = after;
    }
    return copy ?? value;
  };
  return { apply, empty: initial.size === 0 && below.size === 0 && inOthers === undefined };
}

function compile(node: Node, next: (node: Node) => Defaults): Defaults {
  if (node.items === undefined) return objectDefaults(node, next);
  const items = next(node.items);
  return {
    empty: items.empty,
    apply: (value) => {
      if (!Array.isArray(value)) return value;
      const filled = value.map(items.apply);
      return filled.every((item, index) => item === value[index]) ? value : filled;
    },
  };
}

export function defaulter(definitions: Readonly<Record<string, Node>>): (node: Node) => ApplyDefaults {
  const compiler = nodeCompiler<Defaults>(definitions, compile, (get) => ({ apply: (value) => get().apply(value), empty: false }));
  return (node) => compiler(node).apply;
}

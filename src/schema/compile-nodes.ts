// Turns a tree of nodes into a tree of functions once; named types are compiled when they are first met.
import { assert } from "#core";
import type { Node } from "./node.ts";

/** Makes the function of a node; `next` gives the functions of the nodes below. */
export type CompileNode<F> = (node: Node, next: (node: Node) => F) => F;

/**
 * A compiler over named types. `defer` wraps a function that does not exist yet, so that types may refer to themselves
 * and that types nobody uses cost nothing. What has properties is deferred, too, where `lazily` says so: of large types
 * most objects have few parts.
 */
export function nodeCompiler<F>(
  definitions: Readonly<Record<string, Node>>,
  compile: CompileNode<F>,
  defer: (get: () => F) => F,
  { lazily = false }: { readonly lazily?: boolean } = {},
): (node: Node) => F {
  const named = new Map<string, F>();
  const later = (node: Node): F => {
    let made: F | undefined;
    return defer(() => (made ??= compile(node, next)));
  };
  const next = (node: Node): F => {
    if (node.$ref === undefined) return lazily && node.properties !== undefined ? later(node) : compile(node, next);
    const name = node.$ref;
    return defer(() => {
      let made = named.get(name);
      if (made === undefined) {
        const target = definitions[name];
        assert(target !== undefined, `no definition ${name}`);
        made = compile(target, next);
        named.set(name, made);
      }
      return made;
    });
  };
  return next;
}

/** The node behind a `$ref`, with the marks that stand beside it. */
export function resolveNode(node: Node, definitions: Readonly<Record<string, Node>>): Node {
  if (node.$ref === undefined) return node;
  const { $ref, ...marks } = node;
  const target = definitions[$ref];
  assert(target !== undefined, `no definition ${$ref}`);
  return { ...target, ...marks };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

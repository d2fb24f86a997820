// Members in the order of Kubernetes' types, which is that of their schemas: how Go writes what it has read.
import { isObject, nodeCompiler } from "./compile-nodes.ts";
import type { Node } from "./node.ts";

/** The same value with its members in order; those that the schema does not know come last. */
export type InOrder = (value: unknown) => unknown;

const same: InOrder = (value) => value;

function compile(node: Node, next: (node: Node) => InOrder): InOrder {
  if (node.items !== undefined) {
    const item = next(node.items);
    return (value) => (Array.isArray(value) ? value.map(item) : value);
  }
  if (node.additionalProperties !== undefined) {
    const member = next(node.additionalProperties);
    return (value) =>
      isObject(value)
        ? Object.fromEntries(
            Object.keys(value)
              .sort()
              .map((name) => [name, member(value[name])]),
          )
        : value;
  }
  if (node.properties === undefined) return same;
  const members = Object.entries(node.properties).map(([name, child]) => [name, next(child)] as const);
  return (value) => {
    if (!isObject(value)) return value;
    const known = members.flatMap(([name, order]) => (Object.hasOwn(value, name) ? [[name, order(value[name])] as const] : []));
    return { ...Object.fromEntries(known), ...Object.fromEntries(Object.entries(value).filter(([name]) => node.properties?.[name] === undefined)) };
  };
}

/** Puts the members of a kind's objects in order. */
export function memberOrder(definitions: Readonly<Record<string, Node>>): (node: Node) => InOrder {
  return nodeCompiler<InOrder>(definitions, compile, (get) => (value) => get()(value), { lazily: true });
}

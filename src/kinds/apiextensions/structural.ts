// From the schema of a definition, as Kubernetes' types write it, to the node that everything is compiled from.
import type { Node } from "#schema";
import type { JSONSchemaProps } from "./v1.types.ts";

/** Members that mean nothing to an object, and those that are made anew. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "id",
  "$schema",
  "$ref",
  "externalDocs",
  "example",
  "properties",
  "items",
  "additionalProperties",
  "patternProperties",
  "dependencies",
  "additionalItems",
  "definitions",
  "allOf",
  "anyOf",
  "oneOf",
  "not",
]);

/** Any value stays, but of an object no field does: nobody has declared one. */
const ANYTHING: Node = {};

const mapped = (schemas: Readonly<Record<string, JSONSchemaProps>>): Record<string, Node> =>
  Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, nodeOf(schema)]));

/** A schema that was found to be structural: no references, one schema for all items. */
export function nodeOf(schema: JSONSchemaProps): Node {
  const { properties, items, additionalProperties, allOf, anyOf, oneOf, not } = schema;
  const plain = Object.fromEntries(Object.entries(schema).filter(([name]) => !LEFT_OUT.has(name)));
  return {
    ...plain,
    ...(properties === undefined ? {} : { properties: mapped(properties) }),
    ...(items === undefined || Array.isArray(items) ? {} : { items: nodeOf(items) }),
    ...(additionalProperties === undefined || additionalProperties === false
      ? {}
      : { additionalProperties: additionalProperties === true ? ANYTHING : nodeOf(additionalProperties) }),
    ...(allOf === undefined ? {} : { allOf: allOf.map(nodeOf) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(nodeOf) }),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map(nodeOf) }),
    ...(not === undefined ? {} : { not: nodeOf(not) }),
  };
}

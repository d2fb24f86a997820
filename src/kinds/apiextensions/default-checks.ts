// The defaults in a schema are values that the schema itself accepts, without unknown fields.
import { fieldError, valueChecker, type Engines, type FieldError } from "#schema";
import { entriesOf } from "./structural-checks.ts";
import { nodeOf } from "./structural.ts";
import type { JSONSchemaProps } from "./v1.types.ts";

function errorsAt(schema: JSONSchemaProps, path: string, engines: Engines): FieldError[] {
  const checker = valueChecker(nodeOf(schema), engines);
  const field = `${path}.default`;
  const unknown = checker.unknown(schema.default);
  const below = checker.errors(schema.default).map((error) => ({ ...error, field: error.field === "" ? field : `${field}.${error.field}` }));
  return [...(unknown.length === 0 ? [] : [fieldError.invalid(field, schema.default, "must not have unknown fields")]), ...below];
}

/** Additional properties have no defaults. */
export function defaultErrors(schema: JSONSchemaProps, path: string, engines: Engines): FieldError[] {
  const { items, properties } = schema;
  return [
    ...(schema.default === undefined ? [] : errorsAt(schema, path, engines)),
    ...(items === undefined || Array.isArray(items) ? [] : defaultErrors(items, `${path}.items`, engines)),
    ...entriesOf(properties).flatMap(([name, child]) => defaultErrors(child, `${path}.properties[${name}]`, engines)),
  ];
}

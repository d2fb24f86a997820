// The words of a schema, one by one: which may be used where, and with which others.
import { fieldError, type FieldError } from "#schema";
import { entriesOf } from "./structural-checks.ts";
import type { JSONSchemaProps } from "./v1.types.ts";

/** What holds at the place of a schema. */
interface Place {
  readonly isRoot: boolean;
  readonly insideMeta: boolean;
  /** Why no default may stand here. */
  readonly noDefaults: string | undefined;
}

const TYPES = ["array", "boolean", "integer", "number", "object", "string"];
const META = new Set(["metadata", "kind", "apiVersion"]);
const REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

const isSet = (value: object | undefined): boolean => value !== undefined && Object.keys(value).length > 0;

function wordErrors(schema: JSONSchemaProps, path: string, place: Place): FieldError[] {
  const { type = "" } = schema;
  const wrong: FieldError[] = [];
  const refuse = (word: string, is: boolean, detail = `${word} is not supported`): unknown => is && wrong.push(fieldError.forbidden(`${path}.${word}`, detail));
  if (type !== "" && !TYPES.includes(type)) wrong.push(fieldError.notSupported(`${path}.type`, type, TYPES));
  refuse("default", schema.default !== undefined && place.noDefaults !== undefined, `must not be set ${place.noDefaults ?? ""}`.trim());
  refuse("id", (schema.id ?? "") !== "");
  refuse("additionalItems", schema.additionalItems !== undefined);
  refuse("patternProperties", isSet(schema.patternProperties));
  refuse("definitions", isSet(schema.definitions));
  refuse("dependencies", schema.dependencies !== undefined);
  refuse("$ref", schema.$ref !== undefined);
  refuse("type", type === "null", "type cannot be set to null, use nullable as an alternative");
  refuse("items", Array.isArray(schema.items) && schema.items.length > 0, "items must be a schema object and not an array");
  refuse("x-kubernetes-embedded-resource", place.insideMeta && schema["x-kubernetes-embedded-resource"] === true, "must not be used inside of resource meta");
  refuse("uniqueItems", schema.uniqueItems === true, "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
  return wrong;
}

/** An extension that goes with one type only. */
function goesWith(schema: JSONSchemaProps, path: string, extension: "x-kubernetes-map-type" | "x-kubernetes-list-type", wanted: string): FieldError[] {
  if (schema[extension] === undefined || schema.type === wanted) return [];
  const why = `must be ${wanted} if ${extension} is specified`;
  return [(schema.type ?? "") === "" ? fieldError.required(`${path}.type`, why) : fieldError.invalid(`${path}.type`, schema.type, why)];
}

function setErrors(items: JSONSchemaProps, path: string): FieldError[] {
  const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const listType = items["x-kubernetes-list-type"];
  if (items.type === "array" && (listType ?? "atomic") !== "atomic") return [fieldError.invalid(`${path}.items.x-kubernetes-list-type`, listType, why)];
  if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic")
    return [fieldError.invalid(`${path}.items.x-kubernetes-map-type`, listType ?? null, why)];
  return [];
}

function keyErrors(keys: readonly string[], items: JSONSchemaProps, path: string): FieldError[] {
  const field = `${path}.x-kubernetes-list-map-keys`;
  return keys.flatMap((key, index) => {
    const property = items.properties?.[key];
    const wrong: FieldError[] = [];
    if (property === undefined) wrong.push(fieldError.invalid(field, keys, "entries must all be names of item properties"));
    else if (property.type === "array" || property.type === "object") {
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      wrong.push(fieldError.invalid(`${path}.items.properties[${key}].type`, items.type ?? "", why));
    }
    if (keys.indexOf(key) < index) wrong.push(fieldError.invalid(field, keys, "must not contain duplicate entries"));
    return wrong;
  });
}

function mapErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const { items } = schema;
  const wrong: FieldError[] = [];
  if (keys.length === 0) wrong.push(fieldError.required(`${path}.x-kubernetes-list-map-keys`, "must not be empty if x-kubernetes-list-type is map"));
  if (items === undefined) return [...wrong, fieldError.required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map")];
  if (Array.isArray(items)) return [...wrong, fieldError.invalid(`${path}.items`, items, "must only have a single schema if x-kubernetes-list-type is map")];
  if (items.type === "object") return [...wrong, ...keyErrors(keys, items, path)];
  return [...wrong, fieldError.invalid(`${path}.items.type`, items.type ?? "", "must be object if parent array's x-kubernetes-list-type is map")];
}

/** Items of sets and maps are there, and keys have values. */
function presenceErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  const { items } = schema;
  const listType = schema["x-kubernetes-list-type"];
  if (items === undefined || Array.isArray(items) || (listType !== "set" && listType !== "map")) return [];
  const wrong: FieldError[] = [];
  if (items.nullable === true) wrong.push(fieldError.forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  if (listType === "set") return wrong;
  for (const key of schema["x-kubernetes-list-map-keys"] ?? []) {
    const property = items.properties?.[key];
    if (property === undefined) continue;
    const at = `${path}.items.properties[${key}]`;
    if (!(items.required ?? []).includes(key) && property.default === undefined) {
      const why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
      wrong.push(fieldError.required(`${at}.default`, why));
    }
    if (property.nullable === true)
      wrong.push(fieldError.forbidden(`${at}.nullable`, "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"));
  }
  return wrong;
}

function extensionErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  const listType = schema["x-kubernetes-list-type"];
  const mapType = schema["x-kubernetes-map-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const wrong: FieldError[] = [];
  if (schema["x-kubernetes-preserve-unknown-fields"] === false)
    wrong.push(fieldError.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  wrong.push(...goesWith(schema, path, "x-kubernetes-map-type", "object"));
  if (mapType !== undefined && mapType !== "atomic" && mapType !== "granular")
    wrong.push(fieldError.notSupported(`${path}.x-kubernetes-map-type`, mapType, ["atomic", "granular"]));
  const list = goesWith(schema, path, "x-kubernetes-list-type", "array");
  wrong.push(...list);
  if (list.length === 0 && listType === "set" && schema.items !== undefined && !Array.isArray(schema.items)) wrong.push(...setErrors(schema.items, path));
  if (listType !== undefined && !["atomic", "set", "map"].includes(listType))
    wrong.push(fieldError.notSupported(`${path}.x-kubernetes-list-type`, listType, ["atomic", "set", "map"]));
  if (keys.length > 0 && listType !== "map") {
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    wrong.push(
      listType === undefined ? fieldError.required(`${path}.x-kubernetes-list-type`, why) : fieldError.invalid(`${path}.x-kubernetes-list-type`, listType, why),
    );
  }
  if (listType === "map") wrong.push(...mapErrors(schema, path));
  return [...wrong, ...presenceErrors(schema, path)];
}

const hasNewlines = (text: string): boolean => /[\n\r]/.test(text);

/** The words around rules; what the rules say is another matter. */
function ruleErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  return (schema["x-kubernetes-validations"] ?? []).flatMap(({ rule, message = "", messageExpression = "", reason, fieldPath = "" }, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    const wrong: FieldError[] = [];
    if (rule.trim() === "") wrong.push(fieldError.required(`${at}.rule`, "rule is not specified"));
    else if (message !== "" && message.trim() === "") wrong.push(fieldError.invalid(`${at}.message`, message, "must be non-empty if specified"));
    else if (hasNewlines(message.trim())) wrong.push(fieldError.invalid(`${at}.message`, message, "must not contain line breaks"));
    else if (hasNewlines(rule.trim()) && message.trim() === "")
      wrong.push(fieldError.required(`${at}.message`, "message must be specified if rule contains line breaks"));
    if (messageExpression !== "" && messageExpression.trim() === "")
      wrong.push(fieldError.required(`${at}.messageExpression`, "messageExpression must be non-empty if specified"));
    if (reason !== undefined && !REASONS.includes(reason)) wrong.push(fieldError.notSupported(`${at}.reason`, reason, REASONS));
    if (fieldPath !== "" && fieldPath.trim() === "") wrong.push(fieldError.invalid(`${at}.fieldPath`, fieldPath, "must be non-empty if specified"));
    if (hasNewlines(fieldPath)) wrong.push(fieldError.invalid(`${at}.fieldPath`, fieldPath, "must not contain line breaks"));
    if (fieldPath !== "" && "error" in fieldAt(fieldPath, schema, { brackets: true }))
      wrong.push(fieldError.invalid(`${at}.fieldPath`, fieldPath, "must be a valid path"));
    return wrong;
  });
}

/** The schema that a path such as `.spec.names['a.b']` leads to, or why it leads nowhere. */
export function fieldAt(
  path: string,
  root: JSONSchemaProps,
  options: { readonly brackets: boolean },
): { readonly schema: JSONSchemaProps; readonly names: readonly string[] } | { readonly error: string } {
  const names: string[] = [];
  let schema = root;
  const part = /\.([^.[\]]*)|\['((?:[^'\\]|\\.)*)'\]|(.)/gsy;
  for (const [, plain, quoted, other] of path.matchAll(part)) {
    if (other !== undefined && other !== "[") return { error: `expected [ or . but got: ${path.slice(path.indexOf(other)).split(/[.[\]]/, 1)[0] ?? ""}` };
    if (plain === "") return { error: "unexpected end of JSON path" };
    if ((quoted !== undefined || other === "[") && !options.brackets) return { error: "array notation is not allowed" };
    if (other !== undefined) return { error: "unexpected end of JSON path" };
    const name = plain ?? (quoted ?? "").replaceAll(/\\(.)/g, "$1");
    const next = schema.properties === undefined ? schema.additionalProperties : schema.properties[name];
    if (next === undefined || typeof next === "boolean") return { error: "does not refer to a valid field" };
    names.push(name);
    schema = next;
  }
  return { schema, names };
}

/** Errors of a schema and all below it. */
export function schemaErrors(schema: JSONSchemaProps, path: string, place: Place = { isRoot: true, insideMeta: false, noDefaults: undefined }): FieldError[] {
  const { additionalProperties, properties, not, allOf = [], oneOf = [], anyOf = [], items } = schema;
  const inner: Place = { ...place, isRoot: false };
  const holdsMeta = place.isRoot || schema["x-kubernetes-embedded-resource"] === true;
  const inOthers = place.insideMeta ? { ...inner, noDefaults: "inside additionalProperties applying to object metadata" } : inner;
  const isClosed = additionalProperties !== undefined && additionalProperties !== true;
  const placeOf = (name: string): Place =>
    holdsMeta && META.has(name) ? { ...inner, insideMeta: true, noDefaults: place.isRoot ? `in top-level ${name}` : inner.noDefaults } : inner;
  const list = Array.isArray(items) ? items : [];
  return [
    ...wordErrors(schema, path, place),
    ...(isClosed && isSet(properties)
      ? [fieldError.forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive")]
      : []),
    ...(typeof additionalProperties === "object" ? schemaErrors(additionalProperties, `${path}.additionalProperties`, inOthers) : []),
    ...entriesOf(properties).flatMap(([name, child]) => schemaErrors(child, `${path}.properties[${name}]`, placeOf(name))),
    ...(not === undefined ? [] : schemaErrors(not, `${path}.not`, inner)),
    ...allOf.flatMap((nested, at) => schemaErrors(nested, `${path}.allOf[${at}]`, inner)),
    ...oneOf.flatMap((nested, at) => schemaErrors(nested, `${path}.oneOf[${at}]`, inner)),
    ...anyOf.flatMap((nested, at) => schemaErrors(nested, `${path}.anyOf[${at}]`, inner)),
    ...entriesOf(schema.definitions).flatMap(([name, nested]) => schemaErrors(nested, `${path}.definitions[${name}]`, inner)),
    ...(items === undefined || Array.isArray(items) ? [] : schemaErrors(items, `${path}.items`, inner)),
    ...list.flatMap((nested, at) => schemaErrors(nested, `${path}.items[${at}]`, inner)),
    ...extensionErrors(schema, path),
    ...ruleErrors(schema, path),
  ];
}

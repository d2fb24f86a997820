// Whether a schema is structural: everything has a type, and alternatives only narrow what is declared outside of them.
import { fieldError, equal, type Engines, type FieldError } from "#schema";
import type { JSONSchemaProps } from "./v1.types.ts";

type Level = "root" | "item" | "field";

const one = (schema: JSONSchemaProps["items"]): JSONSchemaProps | undefined => (Array.isArray(schema) ? undefined : schema);
const schemaIn = (or: JSONSchemaProps | boolean | undefined): JSONSchemaProps | undefined => (typeof or === "object" ? or : undefined);
export const entriesOf = (properties: JSONSchemaProps["properties"]): [string, JSONSchemaProps][] => Object.entries(properties ?? {});

const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};
const INT_OR_STRING = [{ type: "integer" }, { type: "string" }];

/** The two ways in which alternatives may name types. */
const namesIntOrString = (anyOf: JSONSchemaProps["anyOf"]): boolean => equal(anyOf, INT_OR_STRING);

const FORBIDDEN = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
] as const;

interface Skip {
  /** The first `anyOf` here, or in the first of `allOf`, may name the types integer and string. */
  readonly anyOf?: boolean;
  readonly firstAllOf?: boolean;
}

/** Checks what stands in and below alternatives. */
class Narrowing {
  readonly #engines: Engines;

  constructor(engines: Engines) {
    this.#engines = engines;
  }

  values(schema: JSONSchemaProps, path: string, skip: Skip): FieldError[] {
    const { anyOf = [], allOf = [], oneOf = [], not, pattern = "" } = schema;
    return [
      ...(skip.anyOf === true ? [] : anyOf.flatMap((nested, at) => this.#nested(nested, `${path}.anyOf[${at}]`, {}))),
      ...allOf.flatMap((nested, at) => this.#nested(nested, `${path}.allOf[${at}]`, skip.firstAllOf === true && at === 0 ? { anyOf: true } : {})),
      ...oneOf.flatMap((nested, at) => this.#nested(nested, `${path}.oneOf[${at}]`, {})),
      ...(not === undefined ? [] : this.#nested(not, `${path}.not`, {})),
      ...(pattern === "" ? [] : this.#pattern(pattern, `${path}.pattern`)),
    ];
  }

  #pattern(pattern: string, path: string): FieldError[] {
    try {
      this.#engines.pattern(pattern);
      return [];
    } catch (error) {
      return [fieldError.invalid(path, pattern, `must be a valid regular expression, but isn't: ${(error as Error).message}`)];
    }
  }

  #nested(schema: JSONSchemaProps, path: string, skip: Skip): FieldError[] {
    const items = one(schema.items);
    const set = (value: unknown): boolean => value !== undefined && value !== false && value !== "" && !(Array.isArray(value) && value.length === 0);
    return [
      ...this.values(schema, path, skip),
      ...(items === undefined ? [] : this.#nested(items, `${path}.items`, {})),
      ...entriesOf(schema.properties).flatMap(([name, child]) => this.#nested(child, `${path}.properties[${name}]`, {})),
      ...FORBIDDEN.filter(([name]) => set(schema[name])).map(([name, why]) => fieldError.forbidden(`${path}.${name}`, why)),
      ...(schema.properties?.["metadata"] === undefined
        ? []
        : [fieldError.forbidden(`${path}.properties[metadata]`, "must not be specified in a nested context")]),
    ];
  }
}

function metadataErrors(schema: JSONSchemaProps, path: string, { level, checked }: { level: Level; checked: boolean }): FieldError[] {
  const wrong: FieldError[] = [];
  if (checked && schema.type !== "object") wrong.push(fieldError.invalid(`${path}.type`, schema.type ?? "", "must be object"));
  if (level !== "root") return wrong;
  const { type: _, default: __, properties, ...rest } = schema;
  const onlyNames = Object.keys(properties ?? {}).every((name) => name === "name" || name === "generateName");
  if (!onlyNames || Object.keys(rest).length > 0) {
    wrong.push(fieldError.forbidden(path, "must not specify anything other than name and generateName, but metadata is implicitly specified"));
  }
  return wrong;
}

function typeErrors(schema: JSONSchemaProps, path: string, level: Level): FieldError[] {
  const { type = "", additionalProperties, properties } = schema;
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  const isEither = schema["x-kubernetes-int-or-string"] === true;
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const wrong: FieldError[] = [];
  if (isEither && isOpen)
    wrong.push(fieldError.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, true, "must be false if x-kubernetes-int-or-string is true"));
  if (isEither && isEmbedded)
    wrong.push(fieldError.invalid(`${path}.x-kubernetes-embedded-resource`, true, "must be false if x-kubernetes-int-or-string is true"));
  if (isEmbedded && type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    wrong.push(type === "" ? fieldError.required(`${path}.type`, why) : fieldError.invalid(`${path}.type`, type, why));
  } else if (type === "" && !isEither && !isOpen) wrong.push(fieldError.required(`${path}.type`, EMPTY_TYPE[level]));
  if (isEmbedded && additionalProperties !== undefined)
    wrong.push(fieldError.forbidden(`${path}.additionalProperties`, "must not be used if x-kubernetes-embedded-resource is set"));
  if (level === "root" && type !== "" && type !== "object") wrong.push(fieldError.invalid(`${path}.type`, type, "must be object at the root"));
  if (isEmbedded && !isOpen && Object.keys(properties ?? {}).length === 0) {
    const why = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    wrong.push(fieldError.required(`${path}.properties`, why));
  }
  return wrong;
}

function invariants(schema: JSONSchemaProps, path: string, level: Level, narrowing: Narrowing): FieldError[] {
  const items = one(schema.items);
  const others = schemaIn(schema.additionalProperties);
  const checked = level === "root" || schema["x-kubernetes-embedded-resource"] === true;
  const { kind, apiVersion, metadata } = schema.properties ?? {};
  const text = (name: string, child: JSONSchemaProps | undefined): FieldError[] =>
    child === undefined || !checked || child.type === "string"
      ? []
      : [fieldError.invalid(`${path}.properties[${name}].type`, child.type ?? "", "must be string")];
  return [
    ...(schema.type === "array" && schema.items === undefined ? [fieldError.required(`${path}.items`, "must be specified")] : []),
    ...(items === undefined ? [] : invariants(items, `${path}.items`, "item", narrowing)),
    ...entriesOf(schema.properties).flatMap(([name, child]) => invariants(child, `${path}.properties[${name}]`, "field", narrowing)),
    ...(schema.additionalProperties !== undefined && level === "root"
      ? [fieldError.forbidden(`${path}.additionalProperties`, "must not be used at the root")]
      : []),
    ...(others === undefined ? [] : invariants(others, `${path}.additionalProperties`, "field", narrowing)),
    ...narrowing.values(schema, path, { anyOf: namesIntOrString(schema.anyOf), firstAllOf: namesIntOrString(schema.allOf?.[0]?.anyOf) }),
    ...typeErrors(schema, path, level),
    ...text("kind", kind),
    ...text("apiVersion", apiVersion),
    ...(metadata === undefined ? [] : metadataErrors(metadata, `${path}.properties[metadata]`, { level, checked })),
  ];
}

/** Everything that alternatives speak of is declared outside of them, at the same place. */
function completeness(narrow: JSONSchemaProps, wide: JSONSchemaProps | undefined, paths: { readonly wide: string; readonly narrow: string }): FieldError[] {
  if (wide === undefined) return [fieldError.required(paths.wide, `because it is defined in ${paths.narrow}`)];
  const { allOf = [], anyOf = [], oneOf = [], not, items, properties } = narrow;
  const nested = (schema: JSONSchemaProps, at: string): FieldError[] => completeness(schema, wide, { wide: paths.wide, narrow: `${paths.narrow}.${at}` });
  const inItems = one(items);
  return [
    ...(not === undefined ? [] : nested(not, "not")),
    ...allOf.flatMap((schema, at) => nested(schema, `allOf[${at}]`)),
    ...anyOf.flatMap((schema, at) => nested(schema, `anyOf[${at}]`)),
    ...oneOf.flatMap((schema, at) => nested(schema, `oneOf[${at}]`)),
    ...(narrow === wide || inItems === undefined
      ? []
      : completeness(inItems, one(wide.items), { wide: `${paths.wide}.items`, narrow: `${paths.narrow}.items` })),
    ...(narrow === wide
      ? []
      : entriesOf(properties).flatMap(([name, child]) =>
          completeness(child, wide.properties?.[name], { wide: `${paths.wide}.properties[${name}]`, narrow: `${paths.narrow}.properties[${name}]` }),
        )),
  ];
}

/** In order of their texts, as Kubernetes tells them. */
export function structuralErrors(schema: JSONSchemaProps, path: string, engines: Engines): FieldError[] {
  const found = [...invariants(schema, path, "root", new Narrowing(engines)), ...completeness(schema, schema, { wide: path, narrow: path })];
  const textOf = ({ field, message }: FieldError): string => `${field}: ${message}`;
  return found.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

/** What a schema may not hold to be read at all; undefined for one that can be. */
export function unreadable(schema: JSONSchemaProps): string | undefined {
  const set = (value: object | undefined): boolean => value !== undefined && Object.keys(value).length > 0;
  const words = [
    ["id", (schema.id ?? "") !== ""],
    ["schema", (schema.$schema ?? "") !== ""],
    ["$ref", (schema.$ref ?? "") !== ""],
    ["patternProperties", set(schema.patternProperties)],
    ["dependencies", set(schema.dependencies)],
    ["additionalItems", schema.additionalItems !== undefined],
    ["definitions", set(schema.definitions)],
  ] as const;
  const word = words.find(([, there]) => there)?.[0];
  if (word !== undefined) return `OpenAPIV3Schema '${word}' is not supported`;
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  if (Array.isArray(schema.items)) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  const { allOf = [], anyOf = [], oneOf = [], not, items, properties, additionalProperties } = schema;
  const below = [not, ...allOf, ...anyOf, ...oneOf, items, ...Object.values(properties ?? {}), schemaIn(additionalProperties)];
  for (const child of below) {
    const why = child === undefined ? undefined : unreadable(child);
    if (why !== undefined) return why;
  }
  return undefined;
}

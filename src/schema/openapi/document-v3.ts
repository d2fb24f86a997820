// One group and version in OpenAPI version 3, piece by piece: a whole document is too long for one turn of the event loop.
import { kindDefinitions, refTo, typeDefinition, typesOf, type Descriptions, type Dialect, type Json } from "./definitions.ts";
import { pathsOf, type Operation, type Parameter, type PathOperations, type ServedPaths } from "./operations.ts";

const JSON_TYPES = ["application/json", "application/yaml"];
const PROTOBUF = "application/vnd.kubernetes.protobuf";

function parameterOf({ name, in: where, type, description }: Parameter): Json {
  return { name, in: where, description, ...(where === "path" ? { required: true } : {}), schema: { type, uniqueItems: true } };
}

function contentOf(operation: Operation, schema: Json): Json {
  const types = operation.custom ? JSON_TYPES : [...JSON_TYPES, PROTOBUF];
  const streams = operation.streams ? ["application/json;stream=watch", ...(operation.custom ? [] : [`${PROTOBUF};stream=watch`])] : [];
  return Object.fromEntries([...types, ...streams].sort().map((type) => [type, { schema }]));
}

const STATUS_TEXTS: Readonly<Record<string, string>> = { "200": "OK", "201": "Created", "202": "Accepted" };

function operationOf(operation: Operation, dialect: Dialect): Json {
  const { body, answers } = operation;
  const schemaOf = (definition: string): Json => (definition === "" ? { type: "string" } : refTo(dialect, definition));
  const bodyTypes = body?.patchTypes ?? (operation.custom ? JSON_TYPES : ["*/*"]);
  const responses = Object.entries(answers).map(([status, definition]) => {
    const content = definition === "" ? { "*/*": { schema: schemaOf("") } } : contentOf(operation, schemaOf(definition));
    return [status, { description: STATUS_TEXTS[status], content }];
  });
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.operationId,
    ...(operation.parameters.length === 0 ? {} : { parameters: operation.parameters.map(parameterOf) }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: Object.fromEntries(bodyTypes.toSorted().map((type) => [type, { schema: schemaOf(body.definition) }])),
            ...(body.required ? { required: true } : {}),
          },
        }),
    responses: { ...Object.fromEntries(responses), "401": { description: "Unauthorized" } },
    "x-kubernetes-action": operation.action,
    "x-kubernetes-group-version-kind": operation.kind,
  };
}

function pathOf({ operations, parameters }: PathOperations, dialect: Dialect): Json {
  return { ...Object.fromEntries(operations.map((operation) => [operation.method, operationOf(operation, dialect)])), parameters: parameters.map(parameterOf) };
}

/** A member of an object as text, with the comma that stands before all but the first. */
function* members(entries: Iterable<readonly [string, unknown]>): Generator<string> {
  let comma = "";
  for (const [name, value] of entries) {
    yield `${comma}${JSON.stringify(name)}:${JSON.stringify(value)}`;
    comma = ",";
  }
}

function* definitions(served: readonly ServedPaths[], used: Set<string>, dialect: Dialect): Generator<readonly [string, unknown]> {
  const types = typesOf(served.map(({ kind }) => kind));
  const written = new Set<string>();
  for (const { kind } of served) {
    for (const { name, schema, used: names } of kindDefinitions(kind, dialect)) {
      written.add(name);
      for (const one of names) used.add(one);
      yield [name, schema];
    }
  }
  // A Set that grows while it is walked: types that types refer to come in, too.
  for (const name of used) {
    if (written.has(name)) continue;
    const found = typeDefinition(name, types, dialect);
    if (found === undefined) continue;
    for (const one of found.used) used.add(one);
    yield [name, found.schema];
  }
}

function definitionsIn({ operations }: PathOperations): string[] {
  return operations.flatMap(({ body, answers }) => [...(body === undefined ? [] : [body.definition]), ...Object.values(answers)]).filter((name) => name !== "");
}

/** The document of one group and version as pieces of text; `served` are all its kinds. */
export function* openApiV3(served: readonly ServedPaths[], info: { readonly version: string; readonly descriptions: Descriptions }): Generator<string> {
  const dialect: Dialect = { version: 3, descriptions: info.descriptions };
  const used = new Set<string>();
  yield `{"openapi":"3.0.0","info":${JSON.stringify({ title: "Kubernetes", version: info.version })},"paths":{`;
  const all = served.flatMap(pathsOf).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  for (const path of all) for (const name of definitionsIn(path)) used.add(name);
  yield* members(entriesOf(all, (path) => [path.path, pathOf(path, dialect)]));
  yield `},"components":{"schemas":{`;
  yield* members(definitions(served, used, dialect));
  const scheme = { type: "apiKey", description: "Bearer Token authentication", name: "authorization", in: "header" };
  yield `},"securitySchemes":${JSON.stringify({ BearerToken: scheme })}}}`;
}

function* entriesOf<T>(list: readonly T[], make: (one: T) => readonly [string, unknown]): Generator<readonly [string, unknown]> {
  for (const one of list) yield make(one);
}

export { definitions as definitionEntries, definitionsIn };

// All that is served in OpenAPI version 2 (Swagger), piece by piece, as JSON and as the protobuf messages that kubectl asks for.
import { refTo, type Descriptions, type Dialect, type Json } from "./definitions.ts";
import { definitionEntries, definitionsIn } from "./document-v3.ts";
import { pathsOf, type Operation, type Parameter, type PathOperations, type ServedPaths } from "./operations.ts";
import { documentEnd, documentStart, namedPath, namedSchema } from "./swagger-protobuf.ts";

const TYPES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

function parameterOf({ name, in: where, type, description }: Parameter): Json {
  return { uniqueItems: true, type, description, name, in: where, ...(where === "path" ? { required: true } : {}) };
}

function operationOf(operation: Operation, dialect: Dialect): Json {
  const { body, answers, custom } = operation;
  const types = custom ? TYPES.slice(0, 2) : TYPES;
  const produces = operation.streams
    ? [...types, "application/json;stream=watch", ...(custom ? [] : ["application/vnd.kubernetes.protobuf;stream=watch"])]
    : types;
  const schemaOf = (definition: string): Json => (definition === "" ? { type: "string" } : refTo(dialect, definition));
  const parameters = [
    ...(body === undefined ? [] : [{ name: "body", in: "body", ...(body.required ? { required: true } : {}), schema: schemaOf(body.definition) }]),
    ...operation.parameters.map(parameterOf),
  ];
  const responses = Object.entries(answers).map(([status, definition]) => [status, { description: "OK", schema: schemaOf(definition) }]);
  return {
    description: operation.description,
    consumes: body?.patchTypes ?? (custom ? TYPES.slice(0, 2) : ["*/*"]),
    produces,
    schemes: ["https"],
    tags: [operation.tag],
    operationId: operation.operationId,
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: { ...Object.fromEntries(responses), "401": { description: "Unauthorized" } },
    "x-kubernetes-action": operation.action,
    "x-kubernetes-group-version-kind": operation.kind,
  };
}

function pathOf({ operations, parameters }: PathOperations, dialect: Dialect): Json {
  return { ...Object.fromEntries(operations.map((operation) => [operation.method, operationOf(operation, dialect)])), parameters: parameters.map(parameterOf) };
}

interface Info {
  readonly version: string;
  readonly descriptions: Descriptions;
}

/** Paths and then definitions, one by one. */
function* entries(served: readonly ServedPaths[], { descriptions }: Info): Generator<readonly ["path" | "definition", string, Json]> {
  const dialect: Dialect = { version: 2, descriptions };
  const used = new Set<string>();
  for (const path of served.flatMap(pathsOf).toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    for (const name of definitionsIn(path)) used.add(name);
    yield ["path", path.path, pathOf(path, dialect)];
  }
  for (const [name, schema] of definitionEntries(served, used, dialect)) yield ["definition", name, schema as Json];
}

const title = (version: string): Json => ({ title: "Kubernetes", version });
const SECURITY: Json = { BearerToken: { description: "Bearer Token authentication", type: "apiKey", name: "authorization", in: "header" } };

/** The document as pieces of JSON text. */
export function* openApiV2(served: readonly ServedPaths[], info: Info): Generator<string> {
  yield `{"swagger":"2.0","info":${JSON.stringify(title(info.version))},"paths":{`;
  let comma = "";
  let part = "path";
  for (const [kind, name, value] of entries(served, info)) {
    if (kind !== part) {
      yield `},"definitions":{`;
      [part, comma] = [kind, ""];
    }
    yield `${comma}${JSON.stringify(name)}:${JSON.stringify(value)}`;
    comma = ",";
  }
  if (part === "path") yield `},"definitions":{`;
  yield `},"securityDefinitions":${JSON.stringify(SECURITY)},"security":[{"BearerToken":[]}]}`;
}

/** The same document in the protobuf messages of OpenAPI version 2, as pieces of bytes. */
export function* openApiV2Protobuf(served: readonly ServedPaths[], info: Info): Generator<Uint8Array> {
  yield documentStart(info.version);
  for (const [kind, name, value] of entries(served, info)) yield kind === "path" ? namedPath(name, value) : namedSchema(name, value);
  yield documentEnd();
}

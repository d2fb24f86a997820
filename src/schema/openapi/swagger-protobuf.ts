// Swagger documents in the protobuf messages that the OpenAPI project defines for them. A message may be written in
// several parts, and its readers join them: so every path and every definition is a piece of its own.
import type { Json } from "./definitions.ts";

const LENGTH_DELIMITED = 2;
const encoder = new TextEncoder();

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    out.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...out, rest];
}

function bytesField(number: number, bytes: Uint8Array): Uint8Array {
  return joined([Uint8Array.from([...varint(number * 8 + LENGTH_DELIMITED), ...varint(bytes.length)]), bytes]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A message, field by field; what is undefined is left out. */
class Message {
  readonly #parts: Uint8Array[] = [];

  text(number: number, value: unknown): this {
    if (typeof value === "string" && value !== "") this.#parts.push(bytesField(number, encoder.encode(value)));
    return this;
  }

  texts(number: number, values: unknown): this {
    if (Array.isArray(values)) for (const value of values) this.#parts.push(bytesField(number, encoder.encode(String(value))));
    return this;
  }

  flag(number: number, value: unknown): this {
    if (value === true) this.#parts.push(Uint8Array.from([...varint(number * 8), 1]));
    return this;
  }

  number(number: number, value: unknown): this {
    if (typeof value === "number" && value >= 0) this.#parts.push(Uint8Array.from([...varint(number * 8), ...varint(value)]));
    return this;
  }

  double(number: number, value: unknown): this {
    if (typeof value !== "number") return this;
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.#parts.push(Uint8Array.from(varint(number * 8 + 1)), bytes);
    return this;
  }

  message(number: number, value: Message | undefined): this {
    if (value !== undefined) this.#parts.push(bytesField(number, value.bytes()));
    return this;
  }

  /** Members of an object as messages of a name and a value. */
  named(number: number, members: unknown, make: (value: Json) => Message): this {
    for (const [name, value] of Object.entries((members ?? {}) as Json)) this.message(number, new Message().text(1, name).message(2, make(value as Json)));
    return this;
  }

  /** `x-` members, whose values are YAML; JSON is. */
  extensions(number: number, object: Json): this {
    const own = Object.entries(object).filter(([name]) => name.startsWith("x-"));
    return this.named(number, Object.fromEntries(own), yamlOf);
  }

  bytes(): Uint8Array {
    return joined(this.#parts);
  }
}

const yamlOf = (value: unknown): Message => new Message().text(2, JSON.stringify(value));

function schemaMessage(schema: Json): Message {
  const { properties, items, additionalProperties, type } = schema;
  return new Message()
    .text(1, schema["$ref"])
    .text(2, schema["format"])
    .text(4, schema["description"])
    .double(7, schema["maximum"])
    .double(9, schema["minimum"])
    .number(11, schema["maxLength"])
    .number(12, schema["minLength"])
    .text(13, schema["pattern"])
    .texts(19, schema["required"])
    .message(21, additionalProperties === undefined ? undefined : new Message().message(1, schemaMessage(additionalProperties as Json)))
    .message(22, type === undefined ? undefined : new Message().texts(1, [type]))
    .message(23, items === undefined ? undefined : new Message().message(1, schemaMessage(items as Json)))
    .message(25, properties === undefined ? undefined : new Message().named(1, properties, schemaMessage))
    .extensions(31, schema);
}

function parameterMessage(parameter: Json): Message {
  const body = parameter["in"] === "body";
  if (body) {
    const message = new Message()
      .text(2, parameter["name"])
      .text(3, "body")
      .flag(4, parameter["required"])
      .message(5, schemaMessage(parameter["schema"] as Json));
    return new Message().message(1, new Message().message(1, message));
  }
  const inPath = parameter["in"] === "path";
  const own = new Message().flag(1, parameter["required"]).text(2, parameter["in"]).text(3, parameter["description"]).text(4, parameter["name"]);
  const rest = inPath ? own.text(5, parameter["type"]).flag(19, true) : own.text(6, parameter["type"]).flag(20, true);
  return new Message().message(1, new Message().message(2, new Message().message(inPath ? 4 : 3, rest)));
}

function parameters(message: Message, number: number, list: unknown): Message {
  for (const parameter of (list ?? []) as Json[]) message.message(number, parameterMessage(parameter));
  return message;
}

function responseMessage(response: Json): Message {
  const { schema } = response;
  const own = new Message().text(1, response["description"]);
  return new Message().message(1, schema === undefined ? own : own.message(2, new Message().message(1, schemaMessage(schema as Json))));
}

function operationMessage(operation: Json): Message {
  const message = new Message()
    .texts(1, operation["tags"])
    .text(3, operation["description"])
    .text(5, operation["operationId"])
    .texts(6, operation["produces"])
    .texts(7, operation["consumes"]);
  return parameters(message, 8, operation["parameters"])
    .message(9, new Message().named(1, operation["responses"], responseMessage))
    .texts(10, operation["schemes"])
    .extensions(13, operation);
}

const METHODS = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

/** A path as a part of the document. */
export function namedPath(path: string, item: Json): Uint8Array {
  const message = new Message();
  for (const [method, number] of Object.entries(METHODS)) if (item[method] !== undefined) message.message(number, operationMessage(item[method] as Json));
  parameters(message, 9, item["parameters"]);
  return new Message().message(8, new Message().message(2, new Message().text(1, path).message(2, message))).bytes();
}

/** A definition as a part of the document. */
export function namedSchema(name: string, schema: Json): Uint8Array {
  return new Message().message(9, new Message().message(1, new Message().text(1, name).message(2, schemaMessage(schema)))).bytes();
}

export function documentStart(version: string): Uint8Array {
  return new Message().text(1, "2.0").message(2, new Message().text(1, "Kubernetes").text(2, version)).bytes();
}

export function documentEnd(): Uint8Array {
  const key = new Message().text(1, "apiKey").text(2, "authorization").text(3, "header").text(4, "Bearer Token authentication");
  const scheme = new Message().text(1, "BearerToken").message(2, new Message().message(2, key));
  const requirement = new Message().message(1, new Message().text(1, "BearerToken").message(2, new Message()));
  return new Message().message(12, requirement).message(13, new Message().message(1, scheme)).bytes();
}

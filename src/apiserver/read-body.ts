// The encodings in which a client may send an object: JSON, YAML and protobuf, read into JSON with Kubernetes' complaints.
import { badRequest, isReason } from "#core";
import { duplicateFields, jsonSyntaxError, NumberLiteral, openEnvelope, parseWithLiterals, withExactNumbers } from "#schema";
import { bytesOf, checkType, isRecord, JSON_TYPE, mediaTypeOf, PROTOBUF, tooDeepAt, YAML, type JsonBody } from "./body.ts";
import { kindless, unsupportedMediaType } from "./errors.ts";
import type { Resource } from "./registry.ts";
import { readYaml, YamlError } from "./yaml-body.ts";

/** The media types of objects, as Kubernetes names them when it refuses another. */
const OBJECT_TYPES = [JSON_TYPE, YAML, PROTOBUF];

/** How much of an unreadable body the complaint shows. */
const EXCERPT_BYTES = 30;

/** The start of a body as Go shows it: texts of objects as they are, everything else as hexadecimal digits. */
function excerptOf(bytes: Buffer): string {
  if (bytes.length === 0) return "<empty>";
  const start = bytes.subarray(0, EXCERPT_BYTES);
  return (start[0] === 0x7b ? start.toString() : start.toString("hex")) + (bytes.length > EXCERPT_BYTES ? " ..." : "");
}

function unrecognized(resource: Resource, why: string, body: Buffer): string {
  return `the object provided is unrecognized (must be of type ${resource.kind.kind}): ${why} (${excerptOf(body)})`;
}

/** Runs `read` and puts Kubernetes' words around what it finds wrong. */
function explained<T>(read: () => T, explain: (why: string) => string): T {
  try {
    return read();
  } catch (cause) {
    throw isReason(cause, "BadRequest") ? badRequest(explain(cause.message), { cause }) : cause;
  }
}

/** Go's words for a value that does not say what it is; the reader of a custom kind insists. */
function untyped(resource: Resource, json: unknown, body: Buffer): string | undefined {
  if (json !== null && !isRecord(json)) return kindless(json);
  if (json instanceof NumberLiteral) return kindless(json.toJSON());
  for (const member of ["kind", "apiVersion"]) {
    const said = json?.[member];
    if (said === undefined || said === null || typeof said === "string") continue;
    const what = typeof said === "boolean" ? "bool" : Array.isArray(said) ? "array" : said instanceof NumberLiteral ? "number" : typeof said;
    return `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go struct field .${member} of type string`;
  }
  return resource.kind.custom && !json?.["kind"] ? `Object 'Kind' is missing in '${body.toString()}'` : undefined;
}

/** A value that was read, as the kind's decoder takes it. */
function checked(resource: Resource, json: unknown, body: Buffer): unknown {
  const why = untyped(resource, json, body);
  if (why !== undefined) throw badRequest(unrecognized(resource, why, body));
  const { kind, custom, version } = resource.kind;
  if (!custom) return json ?? {};
  if (isRecord(json) && !json["apiVersion"]) checkType(resource, { kind, apiVersion: "" }, "");
  return explained(
    () => withExactNumbers(json),
    (text) => `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${text}`,
  );
}

function readJson(resource: Resource, body: Buffer): JsonBody {
  const text = body.toString();
  const deep = tooDeepAt(text);
  const refuse = (why: string, cause?: unknown): Error =>
    badRequest(unrecognized(resource, `couldn't get version/kind; json parse error: ${why}`, body), { cause });
  if (deep !== undefined) throw refuse(`invalid character '${deep}' exceeded max depth`);
  let json: unknown;
  try {
    json = parseWithLiterals(text);
  } catch (cause) {
    throw refuse(jsonSyntaxError(text) ?? "invalid JSON", cause);
  }
  return { json: checked(resource, json, body), duplicates: duplicateFields(text), text };
}

function readYamlObject(resource: Resource, body: Buffer): JsonBody {
  try {
    const { value, duplicates } = readYaml(body.toString());
    const problems = duplicates.length === 0 ? [] : [`yaml: unmarshal errors:\n${duplicates.map((line) => `  ${line}`).join("\n")}`];
    return { json: checked(resource, value, body), duplicates: problems };
  } catch (cause) {
    throw cause instanceof YamlError ? badRequest(unrecognized(resource, cause.message, body), { cause }) : cause;
  }
}

function readProtobuf(resource: Resource, body: Buffer): JsonBody {
  const { kind, version } = resource.kind;
  const { protobuf } = resource.compiled;
  // Kubernetes itself breaks off the connection here.
  if (protobuf === undefined) throw unsupportedMediaType(OBJECT_TYPES.slice(0, 2));
  const sent = explained(
    () => openEnvelope(body),
    (why) => unrecognized(resource, why, body),
  );
  checkType(resource, { kind: sent.type.kind || kind, apiVersion: sent.type.apiVersion || resource.apiVersion }, "");
  const json = explained(
    () => protobuf.decode(sent.message),
    (why) => `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`,
  );
  return { json: { apiVersion: resource.apiVersion, kind, ...json }, duplicates: [] };
}

/** Reads an object that is written. Throws 415 for other encodings, 413 for too much and 400 for what cannot be read. */
export function readObject(resource: Resource, contentType: string | undefined, body: Uint8Array | string | undefined): JsonBody {
  const bytes = bytesOf(body);
  switch (mediaTypeOf(contentType)) {
    case JSON_TYPE:
      return readJson(resource, bytes);
    case YAML:
      return readYamlObject(resource, bytes);
    case PROTOBUF:
      return readProtobuf(resource, bytes);
    default:
      throw unsupportedMediaType(OBJECT_TYPES);
  }
}

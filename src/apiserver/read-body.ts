// The encodings in which a client may send an object: JSON, YAML and protobuf, read into JSON with Kubernetes' complaints.
import { badRequest, isReason } from "#core";
import { jsonSyntaxError, lostFields, NumberLiteral, openEnvelope, outlineOf, parseWithLiterals, withExactNumbers, type TypeMeta } from "#schema";
import { bytesOf, checkType, DEPTH_MAX, isRecord, JSON_TYPE, mediaTypeOf, OBJECT_TYPES, PROTOBUF, YAML, type JsonBody } from "./body.ts";
import { kindless, unsupportedMediaType } from "./errors.ts";
import type { Resource } from "./registry.ts";
import { readYaml, YamlError } from "./yaml-body.ts";

/** What a body has to hold, and which kinds are known at all: refusals of the others have words of their own. */
export interface Expected {
  readonly resource: Resource;
  readonly isServed: (type: TypeMeta) => boolean;
}

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

/**
 * Refuses what says that it is of another kind; what it does not say is taken from the URL. Bodies of subresources are
 * kinds of their own, in several versions, and looked at by those who take them.
 */
function checkSaid({ resource, isServed }: Expected, said: TypeMeta): void {
  if (!isServed({ kind: resource.kind.kind, apiVersion: resource.apiVersion })) return;
  const type = { kind: said.kind || resource.kind.kind, apiVersion: said.apiVersion || resource.apiVersion };
  checkType(resource, type, { isServed: isServed(type) });
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
  const version = json?.["apiVersion"];
  if (typeof version === "string" && version.split("/").length > 2) return `unexpected GroupVersion string: ${version}`;
  return resource.kind.custom && !json?.["kind"] ? `Object 'Kind' is missing in '${body.toString()}'` : undefined;
}

/** A value that was read, as the kind's decoder takes it. */
function checked({ resource, isServed }: Expected, json: unknown, body: Buffer): unknown {
  const why = untyped(resource, json, body);
  if (why !== undefined) throw badRequest(unrecognized(resource, why, body));
  const { kind, custom, version } = resource.kind;
  // They are texts if they are there.
  if (!custom && isRecord(json)) checkSaid({ resource, isServed }, { kind: "", apiVersion: "", ...(json as Partial<TypeMeta>) });
  if (!custom) return json ?? {};
  if (isRecord(json) && !json["apiVersion"]) checkType(resource, { kind, apiVersion: "" });
  return explained(
    () => withExactNumbers(json),
    (text) => `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${text}`,
  );
}

function readJson(expected: Expected, body: Buffer): JsonBody {
  const { resource } = expected;
  const text = body.toString();
  const outline = outlineOf(text, DEPTH_MAX);
  const refuse = (why: string, cause?: unknown): Error =>
    badRequest(unrecognized(resource, `couldn't get version/kind; json parse error: ${why}`, body), { cause });
  if (outline.tooDeep !== undefined) throw refuse(`invalid character '${outline.tooDeep}' exceeded max depth`);
  let json: unknown;
  try {
    json = parseWithLiterals(text);
  } catch (cause) {
    throw refuse(jsonSyntaxError(text) ?? "invalid JSON", cause);
  }
  return { json: checked(expected, json, body), duplicates: lostFields(text, outline, json), text };
}

function readYamlObject(expected: Expected, body: Buffer): JsonBody {
  try {
    const { value, duplicates } = readYaml(body.toString());
    const json = checked(expected, value, body);
    if (duplicates.length === 0) return { json, duplicates };
    return { json, duplicates, refusal: `yaml: unmarshal errors:\n${duplicates.map((line) => `  ${line}`).join("\n")}` };
  } catch (cause) {
    throw cause instanceof YamlError ? badRequest(unrecognized(expected.resource, cause.message, body), { cause }) : cause;
  }
}

function readProtobuf(expected: Expected, body: Buffer): JsonBody {
  const { resource } = expected;
  const { kind, version } = resource.kind;
  const { protobuf } = resource.compiled;
  // Kubernetes itself breaks off the connection here.
  if (protobuf === undefined) throw unsupportedMediaType(OBJECT_TYPES.slice(0, 2));
  const sent = explained(
    () => openEnvelope(body),
    (why) => unrecognized(resource, why, body),
  );
  checkSaid(expected, sent.type);
  const json = explained(
    () => protobuf.decode(sent.message),
    (why) => `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`,
  );
  return { json: { apiVersion: resource.apiVersion, kind, ...json }, duplicates: [] };
}

/** Reads an object that is written. Throws 415 for other encodings, 413 for too much and 400 for what cannot be read. */
export function readObject(expected: Expected, contentType: string | undefined, body: Uint8Array | string | undefined): JsonBody {
  const bytes = bytesOf(body);
  switch (mediaTypeOf(contentType)) {
    case JSON_TYPE:
      return readJson(expected, bytes);
    case YAML:
      return readYamlObject(expected, bytes);
    case PROTOBUF:
      return readProtobuf(expected, bytes);
    default:
      throw unsupportedMediaType(OBJECT_TYPES);
  }
}

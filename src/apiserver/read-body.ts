// The encodings in which a client may send an object: JSON and protobuf, read into JSON with Kubernetes' complaints.
import { badRequest, isReason, StatusError } from "#core";
import { duplicateFields, openEnvelope } from "#schema";
import { bytesOf, checkType, isRecord, JSON_TYPE, mediaTypeOf, nesting, PROTOBUF, textOf, type JsonBody } from "./body.ts";
import { unsupportedMediaType } from "./errors.ts";
import type { Resource } from "./registry.ts";

/** The media types of objects, as Kubernetes names them when it refuses another. */
const OBJECT_TYPES = [JSON_TYPE, "application/yaml", PROTOBUF];

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

/** Custom objects say what they are. */
function checkSaid(resource: Resource, json: unknown, { text, body }: { readonly text: string; readonly body: Buffer }): void {
  if (!isRecord(json)) return;
  const missing = (
    [
      ["kind", "Kind"],
      ["apiVersion", "apiVersion"],
    ] as const
  ).find(([name]) => (json[name] ?? "") === "");
  if (missing !== undefined) throw badRequest(unrecognized(resource, `Object '${missing[1]}' is missing in '${text}'`, body));
}

function readJson(resource: Resource, body: Buffer): JsonBody {
  const text = textOf(body);
  try {
    const json = JSON.parse(text) as unknown;
    if (resource.kind.custom) checkSaid(resource, json, { text, body });
    return { json, duplicates: duplicateFields(text) };
  } catch (cause) {
    if (cause instanceof StatusError) throw cause;
    // Go's words for a text that ends too early.
    const why = nesting(text).open || text.trim() === "" ? "unexpected end of JSON input" : "invalid character in JSON text";
    throw badRequest(unrecognized(resource, `couldn't get version/kind; json parse error: ${why}`, body), { cause });
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
  checkType(resource, { kind: sent.type.kind || kind, apiVersion: sent.type.apiVersion || resource.apiVersion });
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
    case PROTOBUF:
      return readProtobuf(resource, bytes);
    default:
      throw unsupportedMediaType(OBJECT_TYPES);
  }
}

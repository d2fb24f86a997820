// From the body of a request to JSON and to an object of the expected kind, with Kubernetes' complaints.
import { badRequest, StatusError } from "#core";
import { outlineOf, type FieldValidation, type Kind, type KubeObject, type ObjectMeta, type TypeMeta } from "#schema";
import { invalid, notRegistered } from "./errors.ts";
import type { Resource } from "./registry.ts";

/** Larger bodies are refused, as Kubernetes does. */
export const BODY_BYTES_MAX = 3 << 20;

/** Deeper texts are refused before they are parsed: no object of any kind is, and everything that reads values recurses. */
export const DEPTH_MAX = 500;

export const JSON_TYPE = "application/json";
export const YAML = "application/yaml";
export const PROTOBUF = "application/vnd.kubernetes.protobuf";

/** The media types of objects, as Kubernetes names them when it refuses another. */
export const OBJECT_TYPES = [JSON_TYPE, YAML, PROTOBUF];

/** A body as JSON, with the fields that its text names twice. */
export interface JsonBody {
  readonly json: unknown;
  readonly duplicates: readonly string[];
  /** How strict validation tells them, where that is another way. */
  readonly refusal?: string;
  /** The text of JSON, in whose order problems are told. */
  readonly text?: string;
}

/** The bytes of a body. Throws 413 for too many. */
export function bytesOf(body: Uint8Array | string | undefined): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (body.length > BODY_BYTES_MAX) {
    throw new StatusError("RequestEntityTooLarge", `Request entity too large: limit is ${BODY_BYTES_MAX}`);
  }
  return typeof body === "string" ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

/** The text of a body of JSON. Throws 413 for one that is too long and 400 for one that is too deep. */
export function textOf(body: Uint8Array | string | undefined): string {
  const text = bytesOf(body).toString();
  const { tooDeep } = outlineOf(text, DEPTH_MAX);
  if (tooDeep !== undefined) throw badRequest(`json parse error: invalid character '${tooDeep}' exceeded max depth`);
  return text;
}

/** The media type without its parameters; JSON when nothing is said. */
export function mediaTypeOf(contentType: string | undefined): string {
  const type = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return type === "" ? JSON_TYPE : type;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function otherKind(kind: Pick<Kind, "group" | "kind">, sent: string, name: string): StatusError {
  const message = `Invalid value: ${JSON.stringify(sent)}: must be ${kind.kind}`;
  return invalid({ group: kind.group, kind: sent }, name, [{ type: "FieldValueInvalid", field: "kind", message }]);
}

/** The refusal of an update with a custom object of another kind. */
export function kindRefusal({ kind }: Resource, json: unknown, name: string): StatusError | undefined {
  const sent = isRecord(json) ? json["kind"] : undefined;
  return kind.custom && typeof sent === "string" && sent !== "" && sent !== kind.kind ? otherKind(kind, sent, name) : undefined;
}

/** Refuses an object of another kind or version. */
export function checkType(
  { kind, apiVersion }: Resource,
  sent: TypeMeta,
  { name = "", isServed = true, isUpdate = false }: { readonly name?: string; readonly isServed?: boolean; readonly isUpdate?: boolean } = {},
): void {
  if (sent.kind === kind.kind && sent.apiVersion === apiVersion) return;
  if (kind.custom && sent.apiVersion !== apiVersion)
    throw badRequest(`the API version in the data (${sent.apiVersion}) does not match the expected API version (${apiVersion})`);
  // Of an update that is told by `kindRefusal`, once the object to be changed is found.
  if (kind.custom && isUpdate) return;
  if (kind.custom) throw otherKind(kind, sent.kind, name);
  const internal = kind.group === "" ? "core" : (kind.group.split(".", 1)[0] ?? "");
  const sentPackage = sent.apiVersion.split("/").at(-1);
  const why = isServed
    ? `converting (${sentPackage}.${sent.kind}) to (${internal}.${kind.kind}): unknown conversion`
    : notRegistered(sent.kind, sent.apiVersion);
  throw badRequest(`${sent.kind} in version ${JSON.stringify(sentPackage)} cannot be handled as a ${kind.kind}: ${why}`);
}

/** The object with its kind and version; what is missing is taken from the URL. */
function withKind(resource: Resource, json: unknown, isUpdate: boolean): Record<string, unknown> {
  const { kind, apiVersion } = resource;
  if (!isRecord(json)) throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): expected a JSON object`);
  const said = (member: string, fallback: string): string => (typeof json[member] === "string" && json[member] !== "" ? json[member] : fallback);
  const { name } = isRecord(json["metadata"]) ? json["metadata"] : {};
  checkType(resource, { kind: said("kind", kind.kind), apiVersion: said("apiVersion", apiVersion) }, { name: typeof name === "string" ? name : "", isUpdate });
  return { ...json, kind: kind.kind, apiVersion };
}

/** An empty list of managedFields says something, too: the reader of the kind has dropped it. */
export function withSentEntries(metadata: ObjectMeta, sent: Readonly<Record<string, unknown>>): ObjectMeta {
  const entries = isRecord(sent["metadata"]) ? sent["metadata"]["managedFields"] : undefined;
  return Array.isArray(entries) && entries.length === 0 ? { ...metadata, managedFields: [] } : metadata;
}

export interface Receiving {
  readonly namespace: string;
  /** The name of the URL, or "" for a new object. */
  readonly name: string;
  readonly fieldValidation: FieldValidation;
  readonly warn: (text: string) => void;
}

/** A sent object: of the right kind, without unknown fields, in the namespace and with the name of the URL. */
export function receive(resource: Resource, { json, duplicates, refusal, text }: JsonBody, receiving: Receiving): KubeObject {
  const { namespace, name, fieldValidation, warn } = receiving;
  const sent = withKind(resource, json, name !== "");
  const { object, warnings } = resource.compiled.decode(sent, {
    fieldValidation,
    duplicates: fieldValidation === "Strict" && refusal !== undefined ? [refusal] : duplicates,
    ...(text === undefined ? {} : { text }),
  });
  warnings.forEach(warn);
  const metadata = { ...object.metadata };
  if (resource.namespaced) {
    if ((metadata.namespace ?? "") !== "" && metadata.namespace !== namespace) {
      throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
    }
    metadata.namespace = namespace;
  } else delete metadata.namespace;
  if (name !== "") {
    if ((metadata.name ?? "") === "") throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
    if (metadata.name !== name) throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  return { ...object, metadata: withSentEntries(metadata, sent) };
}

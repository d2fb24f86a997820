// Deleting: options from body and query, preconditions, and the steps until an object is gone.
import { badRequest, conflict, notFound, StatusError, unknownFailure } from "#core";
import { jsonSyntaxError, messages, openEnvelope, typedDecoder, type KubeObject, type Node } from "#schema";
import { bytesOf, isRecord, JSON_TYPE, mediaTypeOf, OBJECT_TYPES, PROTOBUF, textOf, YAML } from "./body.ts";
import { deletionStep, isRemovable, type Propagation } from "./deletion-state.ts";
import { invalidOptions, kindless, notRegistered, preconditionFailed, type OptionsKind, unsupportedMediaType } from "./errors.ts";
import { decode, keyOf } from "./keys.ts";
import { isSet } from "./request-info.ts";
import { readYaml, YamlError } from "./yaml-body.ts";
import { ATTEMPTS_MAX, commit, erase, type Result, type Target, type WriteContext, type WriteTools } from "./writing.ts";

export interface DeleteOptions {
  readonly propagationPolicy: Propagation | undefined;
  readonly graceSeconds: number | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly dryRun: boolean;
}

/** `gone`: the object was removed by this request; otherwise it stays for now, as `object` shows. */
export interface Deletion extends Result {
  readonly gone: boolean;
}

function unsupported(field: string, message: string): never {
  throw invalidOptions("DeleteOptions", { type: "FieldValueNotSupported", field, message });
}

function policyOf(value: unknown, orphanDependents: unknown): Propagation | undefined {
  if (value !== undefined && value !== null && value !== "" && typeof orphanDependents === "boolean") {
    const message = `Invalid value: ${JSON.stringify(value)}: orphanDependents and deletionPropagation cannot be both set`;
    throw invalidOptions("DeleteOptions", { type: "FieldValueInvalid", field: "propagationPolicy", message });
  }
  if (value === undefined || value === null || value === "")
    return orphanDependents === true ? "Orphan" : orphanDependents === false ? "Background" : undefined;
  if (value === "Background" || value === "Foreground" || value === "Orphan") return value;
  return unsupported("propagationPolicy", `Unsupported value: ${JSON.stringify(value)}: supported values: "Foreground", "Background", "Orphan", "nil"`);
}

/** The number of seconds of a query; Go's words for what is none. */
function secondsOf(value: string | null): number | undefined {
  if (value === null || value === "") return undefined;
  if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return Number(value);
}

/** `dryRun` must be absent or "All". */
export function isDryRun(values: readonly unknown[], options: OptionsKind): boolean {
  if (values.some((value) => value !== "All")) {
    const message = `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`;
    throw invalidOptions(options, { type: "FieldValueNotSupported", field: "dryRun", message });
  }
  return values.length > 0;
}

const text: Node = { type: "string" };
/** The type of the body; fields that it does not have are ignored. */
const decodeOptions = typedDecoder({})({
  type: "object",
  properties: {
    gracePeriodSeconds: { type: "integer", format: "int64" },
    orphanDependents: { type: "boolean" },
    propagationPolicy: text,
    dryRun: { type: "array", items: text },
    preconditions: { type: "object", properties: { uid: text, resourceVersion: text } },
  },
});

interface Body {
  readonly gracePeriodSeconds?: number;
  readonly orphanDependents?: boolean;
  readonly propagationPolicy?: string;
  readonly dryRun?: readonly string[];
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** A body of DeleteOptions of any group, or of nothing said. Throws what Kubernetes meets unprepared: failures without a reason. */
function bodyOf(json: unknown): Body {
  if (json === undefined || json === null) return {};
  if (!isRecord(json)) throw unknownFailure(kindless(json));
  const { kind, apiVersion } = json;
  if (typeof kind === "string" && kind !== "" && kind !== "DeleteOptions")
    throw unknownFailure(notRegistered(kind, typeof apiVersion === "string" ? apiVersion : ""));
  try {
    return decodeOptions(json, { path: "", owner: "DeleteOptions" }, []) as Body;
  } catch (error) {
    throw error instanceof StatusError ? unknownFailure(error.message) : error;
  }
}

/** Options from a parsed body and from the query; a body leaves the query without a say. */
export function deleteOptions(json: unknown, query: URLSearchParams): DeleteOptions {
  const body = bodyOf(json);
  const { uid, resourceVersion } = body.preconditions ?? {};
  const orphans = body.orphanDependents ?? (query.has("orphanDependents") ? isSet(query, "orphanDependents") : undefined);
  return {
    propagationPolicy: policyOf(body.propagationPolicy ?? query.get("propagationPolicy"), orphans),
    graceSeconds: body.gracePeriodSeconds ?? secondsOf(query.get("gracePeriodSeconds")),
    uid,
    resourceVersion,
    dryRun: isDryRun([...(body.dryRun ?? []), ...query.getAll("dryRun")], "DeleteOptions"),
  };
}

/** As `deleteOptions`, from the body of a request in any encoding. */
export function readDeleteOptions(contentType: string | undefined, body: Uint8Array | string | undefined, query: URLSearchParams): DeleteOptions {
  const bytes = bytesOf(body);
  if (bytes.length === 0) return deleteOptions(undefined, query);
  switch (mediaTypeOf(contentType)) {
    case JSON_TYPE:
      return deleteOptions(fromJson(textOf(bytes)), query);
    case YAML:
      return deleteOptions(fromYaml(bytes.toString()), query);
    case PROTOBUF:
      return deleteOptions(fromProtobuf(bytes), query);
    default:
      throw unsupportedMediaType(OBJECT_TYPES);
  }
}

function fromYaml(sent: string): unknown {
  try {
    return readYaml(sent).value;
  } catch (error) {
    throw error instanceof YamlError ? unknownFailure(error.message) : error;
  }
}

function fromProtobuf(bytes: Uint8Array): unknown {
  try {
    const { type, message } = openEnvelope(bytes);
    return { ...type, ...messages.deleteOptions.decode(message) };
  } catch (error) {
    throw error instanceof StatusError ? unknownFailure(error.message) : error;
  }
}

function fromJson(sent: string): unknown {
  try {
    return JSON.parse(sent);
  } catch {
    throw unknownFailure(`couldn't get version/kind; json parse error: ${jsonSyntaxError(sent) ?? "invalid JSON"}`);
  }
}

function checkPreconditions({ resource, name }: Target, { metadata }: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options;
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw preconditionFailed(resource.kind, name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw preconditionFailed(resource.kind, name, why);
  }
}

/** Throws NotFound, and Conflict when a precondition fails. */
export async function remove(tools: WriteTools, target: Target, options: DeleteOptions, context: WriteContext): Promise<Deletion> {
  const { resource, namespace, name } = target;
  const dry = { ...context, dryRun: context.dryRun || options.dryRun };
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const entry = await tools.store.get(keyOf(resource, namespace, name));
    if (entry === undefined) throw notFound(resource.name, name);
    const current = decode(entry.value);
    checkPreconditions(target, current, options);
    if (resource.served.admit !== undefined) {
      const { user, dryRun } = dry;
      const answer = await resource.served.admit({ operation: "DELETE", subresource: "", user, dryRun, object: current, old: current });
      answer.warnings.forEach(context.warn);
    }
    const step = deletionStep(resource, current, { ...options, nowMs: tools.clock.wallMs() });
    if (step.do === "nothing") return { object: current, text: entry.value, gone: false };
    const gone = step.do === "remove";
    const result = gone ? await erase(tools, target, step.object, entry.revision, dry) : await commit(tools, target, step.object, entry.revision, dry);
    if (result === undefined) continue;
    const isDue = !gone && !dry.dryRun && isRemovable(resource, result.object);
    const after = isDue ? await erase(tools, target, result.object, Number(result.object.metadata.resourceVersion), dry) : undefined;
    return after === undefined ? { ...result, gone } : { ...after, gone: true };
  }
  throw conflict(resource.name, name);
}

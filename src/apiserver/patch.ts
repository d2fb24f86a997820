// Patches: which types of patch a resource takes, and the object that one makes of the current one.
import { badRequest, StatusError, unreachable } from "#core";
import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicPatch,
  goText,
  Misfit,
  objectMeta,
  patchInvalid,
  type KubeObject,
  type ObjectMeta,
  type PatchDocument,
  type PatchType,
} from "#schema";
import type { ApplyBody } from "./apply-body.ts";
import { isRecord, withSentEntries, type Receiving } from "./body.ts";
import { kindless, notRegistered, unsupportedMediaType } from "./errors.ts";
import type { Resource } from "./registry.ts";

/** In the order in which Kubernetes names them. */
const TYPES: Readonly<Record<string, PatchType>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
};
const APPLY_PATCH = "application/apply-patch+yaml";

export type Patch = PatchDocument | { readonly type: "apply"; readonly body: ApplyBody };

/** The type that a Content-Type names, to the letter; throws 415 for one that the kind does not take. */
export function patchType(resource: Resource, contentType: string | undefined): PatchType | "apply" {
  const given = (contentType ?? "").split(";", 1)[0] ?? "";
  if (given === APPLY_PATCH) return "apply";
  const type = TYPES[given];
  const { custom } = resource.kind;
  if (type !== undefined && !(custom && type === "strategic")) return type;
  const accepted = [...Object.keys(TYPES).filter((name) => !(custom && TYPES[name] === "strategic")), APPLY_PATCH];
  // Before built-in kinds stands a filter with words of its own; it looks past spaces.
  if (custom || accepted.includes(given.trim())) throw unsupportedMediaType(accepted);
  throw new StatusError("UnsupportedMediaType", "415: Unsupported Media Type", { details: {} });
}

/** What a patch makes, not yet checked. */
export interface Patched {
  readonly json: unknown;
  readonly problems: readonly string[];
  /** What a refusal shows: the result, or of a strategic patch the patch. */
  shown(): string;
  /** A strategic patch cannot change kind and version: what it says of them is not looked at. */
  readonly ofKind: "any" | "same";
}

/** The object as Kubernetes writes it, which refusals show; ours has its resourceVersion at the end of the metadata. */
function written(current: KubeObject): KubeObject {
  const metadata = new Map(Object.entries(current.metadata));
  const names = Object.keys(objectMeta.properties ?? {}).filter((name) => metadata.get(name) !== undefined);
  return { ...current, metadata: Object.fromEntries(names.map((name) => [name, metadata.get(name)])) as unknown as ObjectMeta };
}

/** Throws when the patch cannot be applied. Without a resource a strategic patch is merged as a plain one. */
export function patched(resource: Resource | undefined, { type, json, problems }: PatchDocument, current: KubeObject): Patched {
  const plain = (result: unknown): Patched => ({ json: result, problems, shown: () => JSON.stringify(result), ofKind: "any" });
  switch (type) {
    case "json":
      return plain(applyJsonPatch(written(current), json));
    case "merge":
      return plain(applyMergePatch(written(current), json));
    case "strategic": {
      if (resource === undefined) return plain(applyMergePatch(current, json));
      const shown = (): string => goText(json);
      return { json: restored(resource, applyStrategicPatch(resource.compiled, current, json), shown), problems, shown, ofKind: "same" };
    }
    default:
      return unreachable(type);
  }
}

function restored(resource: Resource, result: unknown, shown: () => string): unknown {
  try {
    return resource.compiled.restore(result);
  } catch (error) {
    if (error instanceof Misfit) throw patchInvalid(shown(), error.message);
    throw error;
  }
}

/** The patched object as one that was sent: of the kind, in the namespace and with the name of the URL. */
export function receivePatched(resource: Resource, { json, problems, shown, ofKind }: Patched, receiving: Receiving): KubeObject {
  const { namespace, name, fieldValidation, warn } = receiving;
  const { kind, apiVersion, compiled } = resource;
  const refuse = (why: string): StatusError => patchInvalid(shown(), why);
  if (!isRecord(json)) {
    throw refuse(kindless(json));
  }
  const said = (member: "kind" | "apiVersion", wanted: string): string => (typeof json[member] === "string" && json[member] !== "" ? json[member] : wanted);
  const [saidKind, saidVersion] = [said("kind", kind.kind), said("apiVersion", apiVersion)];
  if (ofKind === "any" && (saidKind !== kind.kind || saidVersion !== apiVersion)) throw refuse(notRegistered(saidKind, saidVersion));
  const { object, warnings } = compiled.decode({ ...json, kind: kind.kind, apiVersion }, { fieldValidation, duplicates: problems, refuse });
  warnings.forEach(warn);
  const metadata = { ...object.metadata };
  if (!resource.namespaced) delete metadata.namespace;
  else if ((metadata.namespace ?? "") === "") metadata.namespace = namespace;
  if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if ((metadata.name ?? "") === "") throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (metadata.name !== name) throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  return { ...object, metadata: withSentEntries(metadata, json) };
}

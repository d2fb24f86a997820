// Patches: which types of patch a resource takes, and the object that one makes of the current one.
import { StatusError, unreachable } from "#core";
import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicPatch,
  goText,
  Misfit,
  objectMeta,
  patchInvalid,
  sortKeys,
  type FieldError,
  type KubeObject,
  type ObjectMeta,
  type PatchDocument,
  type PatchType,
} from "#schema";
import type { ApplyBody } from "./apply-body.ts";
import { isRecord, withSentEntries, type Receiving } from "./body.ts";
import { invalid, kindless, notRegistered, unsupportedMediaType } from "./errors.ts";
import { placed } from "./placement.ts";
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
  /** Of a custom object nothing but the status is taken: of which kind the rest is does not matter. */
  readonly isStatus?: boolean;
}

/** The object as Kubernetes writes it, which refusals show; ours has its resourceVersion at the end of the metadata. */
function written(resource: Resource | undefined, current: KubeObject): KubeObject {
  if (resource?.kind.custom === true) return sortKeys(current);
  const metadata = new Map(Object.entries(current.metadata));
  const names = Object.keys(objectMeta.properties ?? {}).filter((name) => metadata.get(name) !== undefined);
  return { ...current, metadata: Object.fromEntries(names.map((name) => [name, metadata.get(name)])) as unknown as ObjectMeta };
}

/** Objects of custom kinds have no order of their own. */
function ordered({ kind, compiled }: Resource, current: KubeObject): KubeObject {
  return kind.custom ? current : (compiled.inOrder(current) as KubeObject);
}

/** Throws when the patch cannot be applied. Without a resource a strategic patch is merged as a plain one. */
export function patched(resource: Resource | undefined, { type, json, problems }: PatchDocument, current: KubeObject): Patched {
  // What Kubernetes has read is in the order of its types; that is seen where a refusal shows it, and costs nothing elsewhere.
  const plain = (apply: (document: KubeObject, patch: unknown) => unknown): Patched => ({
    json: apply(written(resource, current), json),
    problems,
    shown: () => JSON.stringify(apply(resource === undefined ? current : written(resource, ordered(resource, current)), json)),
    ofKind: "any",
  });
  switch (type) {
    case "json":
      return plain(applyJsonPatch);
    case "merge":
      return plain(applyMergePatch);
    case "strategic": {
      if (resource === undefined) return plain(applyMergePatch);
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

/** Whether what a patch made says to be of the kind still; that matters to custom kinds only. */
export function isOfKind({ kind, apiVersion }: Resource, { json, ofKind }: Patched): boolean {
  return ofKind === "same" || !kind.custom || (isRecord(json) && json["kind"] === kind.kind && json["apiVersion"] === apiVersion);
}

/** Refuses an object that a patch made one of another kind; built-in and custom kinds have their own words for it. */
function checkKind({ kind, apiVersion }: Resource, json: Record<string, unknown>, refuse: (why: string) => StatusError, made: Patched): void {
  const said = (member: "kind" | "apiVersion"): string => (typeof json[member] === "string" ? json[member] : "");
  const [saidKind, saidVersion] = [said("kind"), said("apiVersion")];
  if (!kind.custom) {
    const other = (saidKind !== "" && saidKind !== kind.kind) || (saidVersion !== "" && saidVersion !== apiVersion);
    if (other) throw refuse(notRegistered(saidKind === "" ? kind.kind : saidKind, saidVersion === "" ? apiVersion : saidVersion));
    return;
  }
  if (saidKind === "") throw refuse(`Object 'Kind' is missing in '${made.shown()}'`);
  if (saidVersion === "") {
    const why = "Object 'apiVersion' is missing in 'object has no apiVersion field'";
    throw new StatusError("InternalError", `Internal error occurred: ${why}`, { details: { causes: [{ message: why }] } });
  }
  if (made.isStatus === true) return;
  const wrong = (field: string, value: string, wanted: string): FieldError[] =>
    value === wanted ? [] : [{ type: "FieldValueInvalid", field, message: `Invalid value: ${JSON.stringify(value)}: must be ${wanted}` }];
  const errors = [...wrong("kind", saidKind, kind.kind), ...wrong("apiVersion", saidVersion, apiVersion)];
  const name = isRecord(json["metadata"]) && typeof json["metadata"]["name"] === "string" ? json["metadata"]["name"] : "";
  const group = saidVersion.includes("/") ? (saidVersion.split("/", 1)[0] ?? "") : "";
  if (errors.length > 0) throw invalid({ group, kind: saidKind }, name, errors);
}

/** The patched object as one that was sent: of the kind, in the namespace and with the name of the URL. */
export function receivePatched(resource: Resource, made: Patched, receiving: Receiving): KubeObject {
  const { json, problems, shown, ofKind } = made;
  const { namespace, name, fieldValidation, warn } = receiving;
  const { kind, apiVersion, compiled } = resource;
  const refuse = (why: string): StatusError => patchInvalid(shown(), why);
  if (!isRecord(json)) throw refuse(kindless(json));
  if (ofKind === "any") checkKind(resource, json, refuse, made);
  const { object, warnings } = compiled.decode({ ...json, kind: kind.kind, apiVersion }, { fieldValidation, duplicates: problems, refuse });
  warnings.forEach(warn);
  const there = placed({ resource, namespace, name }, object);
  return { ...there, metadata: withSentEntries(there.metadata, json) };
}

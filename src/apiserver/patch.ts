// Patches: which kinds of patch a resource takes, and the object that one makes of the current one.
import { StatusError, unreachable } from "#core";
import { applyJsonPatch, applyMergePatch, applyStrategicPatch, type KubeObject } from "#schema";
import { mediaTypeOf } from "./body.ts";
import { unsupportedMediaType } from "./errors.ts";
import type { Resource } from "./registry.ts";

const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const STRATEGIC_PATCH = "application/strategic-merge-patch+json";
/** Named in refusals as Kubernetes names it. */
const APPLY_PATCH = "application/apply-patch+yaml";

export interface Patch {
  readonly type: typeof JSON_PATCH | typeof MERGE_PATCH | typeof STRATEGIC_PATCH;
  readonly json: unknown;
}

/** The JSON of a patch's text. */
export function readPatch(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new StatusError("BadRequest", "error decoding patch: the body is not JSON", { cause });
  }
}

/** A patch of a type that the kind takes; throws 415 otherwise. */
export function patchOf(resource: Resource, contentType: string | undefined, json: unknown): Patch {
  const type = mediaTypeOf(contentType);
  if (type === JSON_PATCH || type === MERGE_PATCH || (type === STRATEGIC_PATCH && !resource.kind.custom)) return { type, json };
  throw unsupportedMediaType([JSON_PATCH, MERGE_PATCH, ...(resource.kind.custom ? [] : [STRATEGIC_PATCH]), ...(type === APPLY_PATCH ? [] : [APPLY_PATCH])]);
}

/** The patched object as JSON, not yet checked. Without a resource a strategic patch is merged as a plain one. */
export function patched(resource: Resource | undefined, { type, json }: Patch, current: KubeObject): unknown {
  switch (type) {
    case JSON_PATCH:
      return applyJsonPatch(current, json);
    case MERGE_PATCH:
      return applyMergePatch(current, json);
    case STRATEGIC_PATCH:
      return resource === undefined ? applyMergePatch(current, json) : applyStrategicPatch(resource.compiled, current, json);
    default:
      return unreachable(type);
  }
}

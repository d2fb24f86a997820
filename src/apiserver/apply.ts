// Server-side apply: the object that a configuration makes of the current one, and who owns what then.
import { badRequest, conflict, StatusError } from "#core";
import { Misfit, objectText, trackApply, type KubeObject, type Tracked } from "#schema";
import type { ApplyBody } from "./apply-body.ts";
import type { Owners } from "./ownership.ts";
import { placed } from "./placement.ts";
import type { Resource } from "./registry.ts";
import type { Target, WriteContext } from "./writing.ts";

/** An applied object, not yet checked. */
export interface Applied {
  readonly object: KubeObject;
  readonly owners: Owners;
  /** Nothing of the object has changed, but perhaps its owners. */
  readonly same: boolean;
}

/** Applied values are moved into the types of a built-in kind one by one, and what does not fit is an error of the server. */
function typed(resource: Resource, object: unknown, config: ApplyBody["config"]): KubeObject {
  const { kind, compiled } = resource;
  const refuse = (why: string): StatusError => {
    const { group, version, kind: name } = kind;
    const into = `${group}/${version}, Kind=${name}`;
    return new StatusError(
      "Unknown",
      `failed to convert new object (${objectText(config)}) to proper version: unable to convert unstructured object to ${into}: ${why}`,
    );
  };
  try {
    if (!kind.custom) return compiled.decode(compiled.restore(object), { fieldValidation: "Ignore", refuse }).object;
    // A custom object is what was applied; its checks say what must not be.
    const { apiVersion, kind: name, metadata, ...body } = object as Record<string, unknown>;
    return { ...compiled.decode({ apiVersion, kind: name, metadata }, { fieldValidation: "Ignore", refuse }).object, ...body };
  } catch (error) {
    throw error instanceof Misfit ? refuse(error.message) : error;
  }
}

function tellProblems(problems: readonly string[], { fieldValidation, warn }: WriteContext): void {
  if (problems.length === 0 || fieldValidation === "Ignore") return;
  if (fieldValidation === "Warn") return problems.forEach(warn);
  const list = problems.map((problem) => `\n  ${problem}`).join("");
  throw badRequest(`error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:${list}`);
}

/** Applies the body to the object, or to nothing. Throws Conflict, and BadRequest for what does not belong to the URL. */
export function applied(target: Target, write: Tracked, body: ApplyBody, current: KubeObject | undefined, context: WriteContext): Applied {
  const { resource, name } = target;
  const { config, problems } = body;
  const { object, entries, same } = trackApply(write, { live: current ?? write.tracking.empty, config, force: context.force });
  tellProblems(problems, context);
  const made = current !== undefined && same ? (object as KubeObject) : typed(resource, object, config);
  const { uid } = made.metadata;
  if (current === undefined && (uid ?? "") !== "") {
    throw conflict(resource.name, name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
  }
  return { object: placed(target, made), owners: entries, same };
}

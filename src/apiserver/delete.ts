// Deleting: options from body and query, preconditions, and the steps until an object is gone.
import { badRequest, conflict, notFound } from "#core";
import type { KubeObject } from "#schema";
import { isRecord, textOf } from "./body.ts";
import { deletionStep, type Propagation } from "./deletion-state.ts";
import { invalidOptions, preconditionFailed } from "./errors.ts";
import { decode, keyOf } from "./keys.ts";
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

function refuse(field: string, message: string): never {
  throw invalidOptions("DeleteOptions", { type: "FieldValueNotSupported", field, message });
}

function policyOf(value: unknown, orphanDependents: unknown): Propagation | undefined {
  if (value === undefined || value === null || value === "")
    return orphanDependents === true ? "Orphan" : orphanDependents === false ? "Background" : undefined;
  if (value === "Background" || value === "Foreground" || value === "Orphan") return value;
  return refuse("propagationPolicy", `Unsupported value: ${JSON.stringify(value)}: supported values: "Foreground", "Background", "Orphan", "nil"`);
}

function secondsOf(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const seconds = Number(value);
  if (!Number.isSafeInteger(seconds)) throw badRequest(`gracePeriodSeconds: ${JSON.stringify(value)} is not a number of seconds`);
  return seconds;
}

/** `dryRun` must be absent or "All". */
export function isDryRun(values: readonly unknown[], options: "DeleteOptions" | "PatchOptions"): boolean {
  const wrong = values.find((value) => value !== "All" && value !== "");
  if (wrong !== undefined) {
    throw invalidOptions(options, {
      type: "FieldValueNotSupported",
      field: "dryRun",
      message: `Unsupported value: ${JSON.stringify([wrong]).slice(1, -1)}: supported values: "All"`,
    });
  }
  return values.includes("All");
}

/** Options from a parsed body (of any group's DeleteOptions, or none) and from the query; the body wins. */
export function deleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  if (body !== undefined && !isRecord(body)) throw badRequest("the body of a deletion must be a DeleteOptions object");
  const { propagationPolicy, gracePeriodSeconds, orphanDependents, preconditions, dryRun } = body ?? {};
  const { uid, resourceVersion } = isRecord(preconditions) ? preconditions : {};
  const orphans = orphanDependents ?? { true: true, false: false }[query.get("orphanDependents") ?? ""];
  return {
    propagationPolicy: policyOf(propagationPolicy ?? query.get("propagationPolicy"), orphans),
    graceSeconds: secondsOf(gracePeriodSeconds ?? query.get("gracePeriodSeconds")),
    uid: typeof uid === "string" ? uid : undefined,
    resourceVersion: typeof resourceVersion === "string" ? resourceVersion : undefined,
    dryRun: isDryRun([...(Array.isArray(dryRun) ? dryRun : []), ...query.getAll("dryRun")], "DeleteOptions"),
  };
}

/** As `deleteOptions`, from the text of a request. */
export function readDeleteOptions(body: Uint8Array | string | undefined, query: URLSearchParams): DeleteOptions {
  const text = textOf(body).trim();
  if (text === "") return deleteOptions(undefined, query);
  try {
    return deleteOptions(JSON.parse(text), query);
  } catch (error) {
    throw error instanceof SyntaxError ? badRequest("couldn't get version/kind; json parse error: the body of the deletion is not JSON") : error;
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
    if (result !== undefined) return { ...result, gone };
  }
  throw conflict(resource.name, name);
}

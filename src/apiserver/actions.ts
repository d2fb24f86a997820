// Subresources that take an object of a kind of their own by POST, and act on the object that it is posted to.
import { badRequest, rfc3339 } from "#core";
import type { KubeObject } from "#schema";
import { receive, type JsonBody } from "./body.ts";
import { deleteOptions, remove } from "./delete.ts";
import { invalid } from "./errors.ts";
import { decode } from "./keys.ts";
import { get } from "./read.ts";
import type { Resource } from "./registry.ts";
import { update } from "./update.ts";
import type { Target, WriteContext, WriteTools } from "./writing.ts";

/** What is told when it is done. */
export const DONE = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 } as const;

/** The kind that the subresource takes, ready to read its objects. */
export interface Action {
  readonly resource: Resource;
  readonly olderVersions: readonly string[];
  /** Without a name it is about the object that it is posted to. */
  readonly mayBeNameless: boolean;
  act(sent: KubeObject): Asked;
}

/** What a sent object asks for: a deletion with these options, a change, or an answer that is made for this object and stored nowhere. */
export type Asked =
  | { readonly deletes: unknown }
  | { readonly changes: (current: KubeObject, now: string) => KubeObject }
  | { readonly answers: (about: KubeObject) => Promise<KubeObject> };

/** An object in an older version is read as one in the version that is served: nothing differs but the name. */
function inServedVersion({ resource, olderVersions }: Action, body: JsonBody): JsonBody {
  const { json } = body;
  const version = (json as { apiVersion?: unknown } | null)?.apiVersion;
  return typeof version === "string" && olderVersions.includes(version) ? { ...body, json: { ...(json as object), apiVersion: resource.apiVersion } } : body;
}

/** Throws BadRequest for an object about another one, and what the deletion, the change or the answer throws. */
export async function perform(
  tools: WriteTools,
  { target, subresource, query }: { readonly target: Target; readonly subresource: string; readonly query: URLSearchParams },
  { action, body }: { readonly action: Action; readonly body: JsonBody },
  context: WriteContext,
): Promise<typeof DONE | KubeObject> {
  const { namespace, name } = target;
  const { kind } = action.resource.kind;
  const sent = receive(action.resource, inServedVersion(action, body), { namespace, name: "", fieldValidation: context.fieldValidation, warn: context.warn });
  const isNameless = (sent.metadata.name ?? "") === "";
  if (sent.metadata.name !== name && !(isNameless && action.mayBeNameless)) throw badRequest(`name in URL does not match name in ${kind} object`);
  const asked = action.act(sent);
  if ("answers" in asked) {
    const errors = action.resource.compiled.validate({ ...sent, metadata: { ...sent.metadata, name } }, undefined, undefined, context.warn);
    if (errors.length > 0) throw invalid(action.resource.kind, sent.metadata.name ?? "", errors);
    return asked.answers(decode(await get(tools, target)));
  }
  if ("deletes" in asked) await remove(tools, target, deleteOptions(asked.deletes, query), context);
  else {
    const wanted = (current: KubeObject): { readonly object: KubeObject } => ({ object: asked.changes(current, rfc3339(tools.clock.wallMs())) });
    await update(tools, target, { subresource, isWhole: false, isAct: true, wanted }, context);
  }
  return DONE;
}

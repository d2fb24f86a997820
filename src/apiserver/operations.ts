// The one path of all verbs on all kinds, shared by HTTP and in-process callers.
import { isReason } from "#core";
import type { FieldValidation, KubeObject } from "#schema";
import { perform as act } from "./actions.ts";
import { answered } from "./answered.ts";
import type { JsonBody } from "./body.ts";
import { patching, replacing } from "./change.ts";
import { create } from "./create.ts";
import { remove, type DeleteOptions } from "./delete.ts";
import { verbsOf } from "./discovery.ts";
import { methodNotAllowed } from "./errors.ts";
import { decode } from "./keys.ts";
import { listRequest, versionOfOne } from "./list-options.ts";
import type { Patch } from "./patch.ts";
import type { Verb } from "./port.ts";
import { get, inOnePiece, list, type Page } from "./read.ts";
import type { ResourceInfo } from "./request-info.ts";
import type { Resource } from "./registry.ts";
import { scaleOf, scalesOf, type Scale } from "./scale.ts";
import { update, type Change } from "./update.ts";
import type { Result, WriteContext, WriteTools } from "./writing.ts";

/** The body of a call, read in the way that its verb needs. */
export interface Payload {
  object(resource: Resource): JsonBody;
  patch(resource: Resource, fieldValidation: FieldValidation): Patch;
  /** The patch says what an object is to be, and may make it. */
  isApply(resource: Resource): boolean;
  deleteOptions(query: URLSearchParams): DeleteOptions;
}

/** What a verb came to. `scale` is an object of that kind, `made` one of the given kind that is stored nowhere; `plain`, a Status, is never shown as a table. */
export type Outcome =
  | { readonly as: "object"; readonly status: number; readonly result: Result }
  | { readonly as: "text"; readonly status: number; readonly text: string }
  | { readonly as: "page"; readonly status: number; readonly page: Page }
  | { readonly as: "made"; readonly status: number; readonly resource: Resource; readonly object: KubeObject }
  | { readonly as: "scale"; readonly status: number; readonly scale: Scale }
  | { readonly as: "plain"; readonly status: number; readonly body: object };

export interface Call extends ResourceInfo {
  readonly query: URLSearchParams;
}

function verbsOfSubresource(resource: Resource, subresource: string): readonly Verb[] {
  const { kind, served } = resource;
  const declared = subresource === "status" ? kind.subresources.status === true : subresource === "scale" && kind.subresources.scale !== undefined;
  if (declared) return ["get", "update", "patch"];
  if (served.parts?.[subresource] !== undefined) return served.partVerbs?.[subresource] ?? ["update"];
  if (resource.actions[subresource] !== undefined) return ["create"];
  return served.subresources?.[subresource]?.verbs ?? [];
}

/** Throws 405 for what the kind does not offer. */
export function checkVerb({ resource, verb, subresource }: ResourceInfo): void {
  const offered = subresource === "" ? verbsOf(resource) : verbsOfSubresource(resource, subresource);
  if (verb === undefined || !offered.includes(verb)) throw methodNotAllowed();
}

/** Runs any verb but `watch`, and any subresource but those with handlers of their own. */
export async function perform(tools: WriteTools, call: Call, payload: Payload, context: WriteContext): Promise<Outcome> {
  const { resource, namespace, name, query } = call;
  switch (call.verb) {
    case "get": {
      const text = await get(tools, { resource, namespace, name }, versionOfOne(query));
      return call.subresource === "scale" ? scaled(resource, decode(text)) : { as: "text", status: 200, text };
    }
    case "list":
      return { as: "page", status: 200, page: await list(tools, listRequest(call, query)) };
    case "create": {
      const action = resource.actions[call.subresource];
      if (action !== undefined) return acted(tools, call, { action, body: payload.object(action.resource) }, context);
      const { answer } = resource.served;
      if (answer !== undefined)
        return { as: "made", status: 201, resource, object: await answered(tools, call, { body: payload.object(resource), answer }, context) };
      return { as: "object", status: 201, result: await create(tools, { resource, namespace }, payload.object(resource), context) };
    }
    case "update":
      return change(tools, call, replacing(tools, call, payload.object(writtenAs(call)), context), context);
    case "patch":
      return change(tools, call, patching(tools, call, await readPatch(tools, call, payload, context), context), context);
    case "delete":
      return deletion(tools, call, payload.deleteOptions(query), context);
    case "deletecollection":
      return collectionDeletion(tools, call, payload.deleteOptions(query), context);
    default:
      throw methodNotAllowed();
  }
}

async function acted(tools: WriteTools, call: Call, asked: Parameters<typeof act>[2], context: WriteContext): Promise<Outcome> {
  const { resource, namespace, name, subresource, query } = call;
  const done = await act(tools, { target: { resource, namespace, name }, subresource, query }, asked, context);
  if ("code" in done) return { as: "plain", status: done.code, body: done };
  return { as: "made", status: 201, resource: asked.action.resource, object: done };
}

/** The resource whose objects a PUT sends: a Scale is one of its own. */
function writtenAs({ resource, subresource }: Call): Resource {
  return subresource === "scale" && resource.kind.subresources.scale !== undefined ? scalesOf(resource) : resource;
}

function scaled(resource: Resource, object: KubeObject): Outcome {
  const paths = resource.kind.subresources.scale;
  if (paths === undefined) throw methodNotAllowed();
  return { as: "scale", status: 200, scale: scaleOf(object, paths) };
}

/** The patch of a call; one that cannot be read is complained about only where there is something to patch. */
async function readPatch(tools: WriteTools, { resource, namespace, name }: Call, payload: Payload, { fieldValidation }: WriteContext): Promise<Patch> {
  try {
    return payload.patch(resource, fieldValidation);
  } catch (error) {
    if (isReason(error, "BadRequest") && !payload.isApply(resource)) await get(tools, { resource, namespace, name });
    throw error;
  }
}

async function change(tools: WriteTools, call: Call, wish: Pick<Change, "wanted" | "created">, context: WriteContext): Promise<Outcome> {
  const { resource, namespace, name, subresource } = call;
  const result = await update(tools, { resource, namespace, name }, { ...wish, subresource, isWhole: call.verb === "update" }, context);
  return subresource === "scale" ? scaled(resource, result.object) : { as: "object", status: result.isNew ? 201 : 200, result };
}

async function deletion(tools: WriteTools, { resource, namespace, name }: Call, options: DeleteOptions, context: WriteContext): Promise<Outcome> {
  const { gone, ...result } = await remove(tools, { resource, namespace, name }, options, context);
  if (!gone || resource.served.returnsDeleted === true) return { as: "object", status: 200, result };
  const { group, resource: kind } = resource.name;
  const details = { name, ...(group === "" ? {} : { group }), kind, uid: result.object.metadata.uid };
  return { as: "plain", status: 200, body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details } };
}

/** Deletes what the selectors match, one by one; what others delete meanwhile is fine. The answer shows what was there before. */
async function collectionDeletion(tools: WriteTools, call: Call, options: DeleteOptions, context: WriteContext): Promise<Outcome> {
  const { resource, query } = call;
  const page = await list(tools, listRequest(call, query));
  const texts: string[] = [];
  for await (const piece of page.pieces) {
    for (const text of piece) {
      const { metadata } = decode(text);
      const target = { resource, namespace: metadata.namespace ?? "", name: metadata.name };
      await remove(tools, target, options, context).catch(unlessGone);
      texts.push(text);
    }
  }
  return { as: "page", status: 200, page: { ...page, pieces: inOnePiece(texts) } };
}

function unlessGone(error: unknown): undefined {
  if (!isReason(error, "NotFound")) throw error;
}

// Creating an object: name, namespace, what the server owns of the metadata, admission, and the first write.
import { alreadyExists, nameSuffix, notFound, rfc3339, StatusError, unknownFailure, uuid } from "#core";
import type { KubeObject, ObjectMeta } from "#schema";
import { receive, type JsonBody } from "./body.ts";
import { invalid, terminating } from "./errors.ts";
import { keyOf } from "./keys.ts";
import { withOwnersOnce } from "./owners-once.ts";
import { asSent, ownersAfter, trackedWrite, type Owners } from "./ownership.ts";
import type { Resource } from "./registry.ts";
import { admitted, commit, type Result, type Target, type WriteContext, type WriteTools } from "./writing.ts";

/** Generated names are cut so that the suffix fits into a DNS label. */
const GENERATED_PREFIX_MAX = 58;
const GENERATED_ATTEMPTS = 8;

/** Throws NotFound for a namespace that is not there and Forbidden for one that is going away. */
async function checkNamespace(tools: WriteTools, resource: Resource, namespace: string, name: string): Promise<void> {
  const { namespaces } = tools;
  if (!resource.namespaced || namespaces === undefined) return;
  const entry = await tools.store.get(keyOf(namespaces, "", namespace));
  if (entry === undefined) throw notFound(namespaces.name, namespace);
  if (tools.parsed.of(entry.value).metadata.deletionTimestamp !== undefined) throw terminating(resource.name, name, namespace);
}

/** The sent metadata with all that the server owns. */
function newMeta(tools: WriteTools, resource: Resource, sent: ObjectMeta, { name, dryRun }: { readonly name: string; readonly dryRun: boolean }): ObjectMeta {
  const { labels, annotations, ownerReferences, finalizers, generateName, namespace } = sent;
  const { resourceVersion = "" } = sent as Partial<ObjectMeta>;
  const generation = resource.kind.hasGeneration ? 1 : sent.generation;
  // It gets its resourceVersion when it is stored; a dry run shows what was sent.
  const meta: Omit<ObjectMeta, "resourceVersion"> = {
    name,
    ...(generateName === undefined || generateName === "" ? {} : { generateName }),
    ...(namespace === undefined ? {} : { namespace }),
    uid: uuid(tools.rng),
    ...(dryRun && resourceVersion !== "" ? { resourceVersion } : {}),
    ...(generation === undefined || generation === 0 ? {} : { generation }),
    creationTimestamp: rfc3339(tools.clock.wallMs()),
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
    ...(finalizers === undefined ? {} : { finalizers }),
  };
  return meta as ObjectMeta;
}

/** The object with the status that every new one has: clients may not set it. */
function withFirstStatus(resource: Resource, object: KubeObject): KubeObject {
  if (resource.kind.subresources.status !== true) return object;
  if (resource.kind.statusAtCreation === true && "status" in object) return object;
  const { status: _status, ...rest } = object as KubeObject & { status?: unknown };
  const { status } = resource.compiled.empty as KubeObject & { status?: unknown };
  return status === undefined ? rest : ({ ...rest, status } as KubeObject);
}

/** No generated name was free: the client may try again. */
function noNameFree(resource: Resource, name: string): StatusError {
  const { message, details } = alreadyExists(resource.name, name);
  const why = `${message}, the server was not able to generate a unique name for the object`;
  return new StatusError("AlreadyExists", why, { details: { ...details, retryAfterSeconds: 1 } });
}

/** An object to be created, and who owns its fields where that is known already. */
export interface NewObject {
  readonly object: KubeObject;
  readonly owners?: { readonly entries: Owners };
  /** The JSON that the object was read from, where a client sent it whole. */
  readonly json?: unknown;
  /** What is wrong with it, told only when it is to change an object in the state that it names. */
  readonly refusal?: StatusError;
}

/** Throws AlreadyExists, also when no generated name is free. */
export async function createObject(
  tools: WriteTools,
  place: { readonly resource: Resource; readonly namespace: string },
  { object: sent, owners, json }: NewObject,
  context: WriteContext,
): Promise<Result> {
  const { resource, namespace } = place;
  const base = sent.metadata.generateName ?? "";
  const given = sent.metadata.name ?? "";
  if (given === "" && base === "") {
    throw invalid(resource.kind, "", [{ type: "FieldValueRequired", field: "metadata.name", message: "Required value: name or generateName is required" }]);
  }
  const seen = tools.store.revision;
  await checkNamespace(tools, resource, namespace, given);
  const filled = resource.compiled.applyDefaults(withFirstStatus(resource, sent));
  const entries = owners === undefined ? ownersAfter(trackedWrite(resource, "", context, tools.clock), undefined, asSent(filled, json)) : owners.entries;
  let name = given;
  for (let attempt = 0; attempt < (given === "" ? GENERATED_ATTEMPTS : 1); attempt++) {
    if (given === "") name = base.slice(0, GENERATED_PREFIX_MAX) + nameSuffix(tools.rng);
    const named = { ...filled, metadata: { ...filled.metadata, name } };
    const prepared = resource.kind.prepareNew?.(named) ?? named;
    const draft = { ...prepared, metadata: newMeta(tools, resource, prepared.metadata, { name, dryRun: context.dryRun }) };
    const object = await admitted(resource, draft, entries, { operation: "CREATE", subresource: "", old: undefined }, context);
    const target = { resource, namespace, name };
    if (context.dryRun && (await tools.store.get(keyOf(resource, namespace, name))) !== undefined) continue;
    // It may have gone while the object was admitted: nobody would empty it again.
    if (tools.store.revision !== seen) await checkNamespace(tools, resource, namespace, name);
    const result = await commit(tools, target, object, "absent", context);
    if (result !== undefined) return result;
  }
  throw given === "" ? noNameFree(resource, name) : await taken(tools, { resource, namespace, name });
}

/** Of a name that is taken; whoever waits for its object to go is told that it is going. */
async function taken(tools: WriteTools, { resource, namespace, name }: Target): Promise<StatusError> {
  const error = alreadyExists(resource.name, name);
  const entry = await tools.store.get(keyOf(resource, namespace, name));
  if (entry === undefined || tools.parsed.of(entry.value).metadata.deletionTimestamp === undefined) return error;
  return new StatusError(error.reason, `object is being deleted: ${error.message}`, error.details === undefined ? {} : { details: error.details });
}

/** What the server owns of the metadata counts for nothing in an object that is new. */
function withoutSystemFields(object: KubeObject): KubeObject {
  const { uid: _uid, creationTimestamp: _created, deletionTimestamp: _deleted, deletionGracePeriodSeconds: _grace, ...metadata } = object.metadata;
  return { ...object, metadata: metadata as ObjectMeta };
}

/** Creates what a POST sends. */
export async function create(
  tools: WriteTools,
  place: { readonly resource: Resource; readonly namespace: string },
  body: JsonBody,
  context: WriteContext,
): Promise<Result> {
  const { fieldValidation, warn } = context;
  const object = receive(place.resource, body, { namespace: place.namespace, name: "", fieldValidation, warn });
  // It is the store that minds, and a dry run does not come to it.
  if (!context.dryRun && !/^0*$/.test(object.metadata.resourceVersion ?? ""))
    throw unknownFailure("resourceVersion should not be set on objects to be created");
  return createObject(tools, place, { object: withOwnersOnce(withoutSystemFields(object), warn), json: body.json }, context);
}

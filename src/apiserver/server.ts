// Puts the API server together and answers requests: who is it, what do they want, may they, do it, show it.
import { readPatch, type TypeMeta, type UserInfo } from "#schema";
import { authorizePath, authorizeResource } from "./authorization.ts";
import { readApply } from "./apply-body.ts";
import { PROTOBUF, textOf } from "./body.ts";
import { BodySpace } from "./body-space.ts";
import { readDeleteOptions } from "./delete.ts";
import { createDiscovery } from "./discovery.ts";
import { unauthorized } from "./errors.ts";
import { encoded, type ClosableBody } from "./encode.ts";
import { checkForm, includeObjectOf, shownOutcome } from "./forms.ts";
import { SharedFrames } from "./frames.ts";
import { decode } from "./keys.ts";
import { listen } from "./listen.ts";
import { listRequest, watchRequest } from "./list-options.ts";
import { errorEncoding, negotiate } from "./negotiate.ts";
import { createOpenApi } from "./openapi.ts";
import { checkVerb, perform, type Call, type Payload } from "./operations.ts";
import { patchType } from "./patch.ts";
import { ParsedObjects } from "./parsed-objects.ts";
import { OWN_SLICE_MS, Turns } from "./pause.ts";
import { passesOn, proxyOf } from "./passing-on.ts";
import { answerPath, OPEN_PATHS, type PathParts } from "./path-handlers.ts";
import type { ApiRequest, ApiResponse, ApiServer, ApiServerOptions } from "./port.ts";
import { get } from "./read.ts";
import { readObject } from "./read-body.ts";
import { createRequestMetrics, unmeasured, type RequestMetrics } from "./request-metrics.ts";
import { createRegistry, listKindOf, type Registry, type Resource } from "./registry.ts";
import { requestInfo, type ResourceInfo } from "./request-info.ts";
import { asPrivate, asStatusError, encodedResponse, errorResponse, tooManyRequests } from "./responses.ts";
import { COLLECTION_LIMITS, REQUEST_LIMITS, Seats } from "./seats.ts";
import { storeFor } from "./stored-form.ts";
import { createTransport } from "./transport.ts";
import { watchBody } from "./watch-body.ts";
import { watchFrames, type WatchTools } from "./watch.ts";
import { managerOf, NO_OPTIONS, writeOptions } from "./write-options.ts";
import type { WriteContext, WriteTools } from "./writing.ts";

interface Parts {
  readonly options: ApiServerOptions;
  readonly registry: Registry;
  readonly writeTools: WriteTools;
  readonly watchTools: WatchTools;
  readonly ownTurns: Turns;
  readonly metrics: RequestMetrics;
  readonly seats: { readonly requests: Seats; readonly collections: Seats };
}

function payloadOf({ registry }: Parts, request: ApiRequest): Payload {
  const contentType = request.headers["content-type"];
  const isServed = (type: TypeMeta): boolean =>
    registry.resources.some((one) => one.apiVersion === type.apiVersion && (one.kind.kind === type.kind || listKindOf(one) === type.kind));
  return {
    object: (resource) => readObject({ resource, isServed }, contentType, request.body),
    patch(resource, fieldValidation) {
      const type = patchType(resource, contentType);
      const text = textOf(request.body);
      return type === "apply" ? { type, body: readApply(text) } : readPatch(type, text, fieldValidation);
    },
    isApply: (resource) => patchType(resource, contentType) === "apply",
    deleteOptions: (query) => readDeleteOptions(contentType, request.body, query),
  };
}

function contextOf(parts: Parts, request: ApiRequest, call: Call, { user, warnings }: { readonly user: UserInfo; readonly warnings: string[] }): WriteContext {
  const { verb, resource, query } = call;
  const isApply = verb === "patch" && patchType(resource, request.headers["content-type"]) === "apply";
  const isWrite = verb === "create" || verb === "update" || verb === "patch";
  const { fieldManager, ...options } = isWrite ? writeOptions(isApply ? "apply" : verb, query) : NO_OPTIONS;
  return {
    ...options,
    user,
    durability: "durable",
    manager: managerOf(fieldManager, request.headers["user-agent"]),
    checkCreate: () => authorizeResource(parts.options.authorize, user, { ...call, verb: "create" }),
    warn: (text) => warnings.push(text),
  };
}

async function answerResource(parts: Parts, request: ApiRequest, call: Call, user: UserInfo): Promise<ApiResponse> {
  const { options, writeTools, watchTools } = parts;
  const { resource, verb, namespace, name, subresource, query } = call;
  const store = storeFor(options.store, resource);
  const handler = resource.served.subresources?.[subresource];
  const signal = request.signal ?? new AbortController().signal;
  if (handler !== undefined && verb !== undefined) {
    const proxy = handler.passesOn === true ? proxyOf(request, call) : undefined;
    const object = decode(await get({ ...writeTools, store }, { resource, namespace, name: proxy?.target.name ?? name }));
    const passed = proxy === undefined ? {} : { proxy };
    return asPrivate(await handler.handle({ verb, namespace, name, object, query, body: request.body, user, signal, http: request, ...passed }));
  }
  const asking = { headers: request.headers, query };
  const presentation = negotiate(asking, { custom: resource.kind.custom, verb });
  const rendering = { resource, form: presentation.form, includeObject: includeObjectOf(query), nowMs: options.clock.wallMs() };
  const warnings: string[] = resource.served.warning === undefined ? [] : [resource.served.warning];
  try {
    // What is wrong with the options of a list is told before what is wrong with its form.
    if (verb === "list") listRequest(call, query);
    checkForm(rendering, verb);
    if (verb === "watch") {
      const watch = { resource, ...watchRequest(call, query), visibility: "durable" } as const;
      const frames = counted(parts, resource, watchFrames({ ...watchTools, store }, watch, signal));
      const body = watchBody(rendering, presentation, frames, options);
      return encodedResponse(200, body, presentation.type === PROTOBUF ? `${PROTOBUF};stream=watch` : presentation.type, warnings);
    }
    const outcome = await perform({ ...writeTools, store }, call, payloadOf(parts, request), contextOf(parts, request, call, { user, warnings }));
    const body = await encoded(shownOutcome(rendering, outcome), presentation, writeTools.turns);
    return { ...encodedResponse(outcome.status, body, presentation.type, warnings), isDocument: true };
  } catch (error) {
    return errorResponse(asStatusError(error, options.logger), warnings, errorEncoding(asking));
  }
}

function queryOf({ target }: ApiRequest): URLSearchParams {
  const at = target.indexOf("?");
  return new URLSearchParams(at < 0 ? "" : target.slice(at + 1));
}

/** The same batches; how many events they hold is counted. */
async function* counted({ metrics }: Parts, resource: Resource, batches: ReturnType<typeof watchFrames>): ReturnType<typeof watchFrames> {
  for await (const frames of batches) {
    metrics.watchEvents(resource, frames.length);
    yield frames;
  }
}

async function answer(parts: Parts, pathParts: PathParts, request: ApiRequest): Promise<ApiResponse> {
  const { options, registry } = parts;
  const queryAt = request.target.indexOf("?");
  const path = queryAt < 0 ? request.target : request.target.slice(0, queryAt);
  const query = queryOf(request);
  if (OPEN_PATHS.has(path)) return answerPath(options, pathParts, { request, path, query });
  const found = options.authenticate(request);
  const user = found instanceof Promise ? await found : found;
  if (user === undefined) throw unauthorized();
  const info = requestInfo(registry, request.method, path, query);
  if (info === undefined) {
    authorizePath(options.authorize, user, request.method, path);
    const { method, body, signal = new AbortController().signal } = request;
    const endpoint = options.endpoints?.[path];
    if (endpoint !== undefined) return asPrivate(await endpoint({ method, query, body, user, signal }));
    return answerPath(options, pathParts, { request, path, query });
  }
  checkVerb(info);
  authorizeResource(options.authorize, user, info);
  return seated(parts, request, { info, user }, () => answerResource(parts, request, { ...info, query }, user));
}

/** Works once there is a seat for the request, and keeps it until the answer is sent. Streams without an end and urgent kinds need none. */
async function seated(
  { seats }: Parts,
  request: ApiRequest,
  { info, user }: { readonly info: ResourceInfo; readonly user: UserInfo },
  work: () => Promise<ApiResponse>,
): Promise<ApiResponse> {
  const { resource, verb, subresource } = info;
  if (verb === "watch" || resource.served.urgent === true || resource.served.subresources?.[subresource] !== undefined) return work();
  const signal = request.signal ?? new AbortController().signal;
  const client = `${user.name} ${request.headers["user-agent"] ?? ""}`;
  const giveBack = await (verb === "list" || verb === "deletecollection" ? seats.collections : seats.requests).take(client, signal);
  if (giveBack === undefined) return tooManyRequests();
  let isStreamed = false;
  try {
    const answered = await work();
    const { body } = answered;
    if (typeof body === "string" || body instanceof Uint8Array) return answered;
    isStreamed = true;
    return { ...answered, body: untilSent(body as ClosableBody, signal, giveBack) };
  } finally {
    if (!isStreamed) giveBack();
  }
}

/** The same body; once it is read, given up, or the client has gone, `onEnd` is called. */
function untilSent(body: ClosableBody, signal: AbortSignal, onEnd: () => void): AsyncIterable<string> {
  const end = async (): Promise<void> => {
    onEnd();
    await body.return();
  };
  if (signal.aborted) void end();
  signal.addEventListener("abort", () => void end(), { once: true });
  return {
    async *[Symbol.asyncIterator]() {
      try {
        yield* body;
      } finally {
        await end();
      }
    },
  };
}

/** The API server over a store. It keeps no state of its own but caches; several may share one store in a process. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { store, clock, rng, namespaceKind } = options;
  const registry = createRegistry(options.kinds, options.engines);
  const namespaces = registry.resources.find(({ kind }) => kind.group === namespaceKind?.group && kind.plural === namespaceKind.plural);
  const parsed = new ParsedObjects();
  const turns = new Turns(clock);
  const metrics = options.metrics === undefined ? unmeasured : createRequestMetrics(options.metrics, { registry, clock, store });
  const refusal = (request: ApiRequest, error: unknown): ApiResponse =>
    errorResponse(asStatusError(error, options.logger), [], errorEncoding({ headers: request.headers, query: queryOf(request) }));
  const parts = {
    options,
    registry,
    metrics,
    writeTools: { store, clock, rng, namespaces, parsed, turns },
    ownTurns: new Turns(clock, OWN_SLICE_MS),
    seats: { requests: new Seats(clock, REQUEST_LIMITS), collections: new Seats(clock, COLLECTION_LIMITS) },
    watchTools: { store, clock, rng, frames: new SharedFrames(parsed), turns },
  };
  const discovery = createDiscovery(registry);
  const { version, descriptions = {} } = options;
  const pathParts = { registry, discovery, metrics, openApi: createOpenApi(registry, discovery, { version, descriptions, turns }) };
  const handle = async (request: ApiRequest): Promise<ApiResponse> => {
    try {
      return await parts.metrics.measured(request, () => answer(parts, pathParts, request).catch((error: unknown) => refusal(request, error)));
    } catch (error) {
      return refusal(request, error);
    }
  };
  return {
    handle,
    transportFor: (user) => createTransport(options, parts, user),
    serveCustom: (kinds) => registry.replaceCustom(kinds),
    listen: (listenOptions) =>
      listen({ handle, passesOn: (request) => passesOn(registry, request), logger: options.logger, clock, bodies: new BodySpace() }, listenOptions),
  };
}

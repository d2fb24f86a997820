// Calls from within the process: objects in, objects out, no HTTP and no text where none is needed.
import { unreachable } from "#core";
import type { KubeObject, UserInfo } from "#schema";
import { authorizeResource } from "./authorization.ts";
import { isRecord } from "./body.ts";
import { deleteOptions, isDryRun } from "./delete.ts";
import { methodNotAllowed } from "./errors.ts";
import { decode } from "./keys.ts";
import { watchRequest } from "./list-options.ts";
import { checkVerb, perform, type Outcome, type Payload } from "./operations.ts";
import { patchType } from "./patch.ts";
import type { Turns } from "./pause.ts";
import { listMeta, type Page } from "./read.ts";
import type { ApiServerOptions, InProcessCall, InProcessTransport, InProcessWatchEvent } from "./port.ts";
import { listKindOf, type Registry, type Resource } from "./registry.ts";
import { storeFor } from "./stored-form.ts";
import { watchFrames, type WatchTools } from "./watch.ts";
import type { WriteTools } from "./writing.ts";

/** Longer lists would push out what is used again and again. */
const SHARED_MAX = 100;

/** A copy without undefined members: what the object would be as JSON. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : plain(item)));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  // Who owns what comes from the server and is long; nobody changes it.
  return Object.fromEntries(members.map(([key, member]) => [key, key === "managedFields" ? member : plain(member)]));
}

function payloadOf(call: InProcessCall): Payload {
  return {
    object: () => ({ json: plain(call.body), duplicates: [] }),
    patch(resource) {
      const type = patchType(resource, call.contentType);
      const json = plain(call.body);
      return type === "apply" ? { type, body: { config: isRecord(json) ? json : {}, problems: [] } } : { type, json, problems: [] };
    },
    isApply: (resource) => patchType(resource, call.contentType) === "apply",
    deleteOptions: (query) => deleteOptions(plain(call.body), query),
  };
}

async function listOf(resource: Resource, page: Page, { parsed, turns }: WriteTools): Promise<object> {
  const items: KubeObject[] = [];
  for await (const texts of page.pieces) {
    for (const text of texts) {
      if (turns.isOver) await turns.next();
      items.push(items.length + texts.length > SHARED_MAX ? decode(text) : parsed.of(text));
    }
  }
  return { kind: listKindOf(resource), apiVersion: resource.apiVersion, metadata: listMeta(page), items };
}

async function answerOf(resource: Resource, outcome: Outcome, tools: WriteTools): Promise<unknown> {
  switch (outcome.as) {
    case "object":
      return outcome.result.object;
    case "text":
      return tools.parsed.of(outcome.text);
    case "scale":
      return outcome.scale;
    case "made":
      return outcome.object;
    case "plain":
      return outcome.body;
    case "page":
      return listOf(resource, outcome.page, tools);
    default:
      return unreachable(outcome);
  }
}

/** The transport of one identity; see `InProcessTransport`. */
export function createTransport(
  options: Pick<ApiServerOptions, "authorize">,
  parts: { readonly registry: Registry; readonly writeTools: WriteTools; readonly watchTools: WatchTools; readonly ownTurns: Turns },
  user: UserInfo,
): InProcessTransport {
  const { registry, writeTools, watchTools, ownTurns } = parts;
  return {
    async send(call) {
      if (ownTurns.isOver) await ownTurns.next();
      const resource = registry.of(call.kind);
      const query = new URLSearchParams(call.query);
      const info = { resource, verb: call.verb, namespace: call.namespace, name: call.name ?? "", subresource: call.subresource ?? "" };
      checkVerb(info);
      // Handlers of kinds answer HTTP; our own parts have shorter ways to what stands behind them.
      if (resource.served.subresources?.[info.subresource] !== undefined) throw methodNotAllowed();
      authorizeResource(options.authorize, user, info);
      const context = {
        user,
        durability: "rebuildable",
        dryRun: isDryRun(query.getAll("dryRun"), "PatchOptions"),
        fieldValidation: "Ignore",
        manager: query.get("fieldManager") ?? "",
        force: query.get("force") === "true",
        checkCreate: () => authorizeResource(options.authorize, user, { ...info, verb: "create" }),
        warn: () => {},
      } as const;
      return answerOf(
        resource,
        await perform({ ...writeTools, store: storeFor(writeTools.store, resource) }, { ...info, query }, payloadOf(call), context),
        writeTools,
      );
    },
    async *watch(call, signal): AsyncGenerator<InProcessWatchEvent, void, void> {
      const resource = registry.of(call.kind);
      const query = new URLSearchParams(call.query);
      authorizeResource(options.authorize, user, { resource, verb: "watch", namespace: call.namespace, name: "", subresource: "" });
      const request = { resource, ...watchRequest({ resource, namespace: call.namespace, name: "" }, query), visibility: "immediate" } as const;
      for await (const frames of watchFrames({ ...watchTools, store: storeFor(watchTools.store, resource) }, request, signal)) {
        for (const frame of frames) yield { type: frame.type, object: frame.object() };
      }
    },
  };
}

// A Client over any transport: the verbs in the terms of kinds and objects.
import { isReason } from "#core";
import { apiVersionOf, type Draft, type Kind, type KubeObject } from "#schema";
import type { ApiCall, ApplyOptions, Client, DeleteQuery, ListQuery, ObjectList, PatchType, Transport, WatchEvent, WatchQuery } from "./port.ts";

/** What a list answers on the wire; items of built-in kinds come without apiVersion and kind. */
interface WireList {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly KubeObject[] | null;
}

function queryOf(query: ListQuery): Record<string, string> {
  const out: Record<string, string> = {};
  if (query.labelSelector !== undefined) out.labelSelector = query.labelSelector;
  if (query.fieldSelector !== undefined) out.fieldSelector = query.fieldSelector;
  if (query.limit !== undefined) out.limit = String(query.limit);
  if (query.continue !== undefined) out.continue = query.continue;
  return out;
}

function watchQueryOf(query: WatchQuery): Record<string, string> {
  const start =
    query.initialEvents === true
      ? { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" }
      : query.resourceVersion === undefined
        ? {}
        : { resourceVersion: query.resourceVersion };
  return { ...queryOf(query), ...start, allowWatchBookmarks: "true" };
}

function named<O extends KubeObject>(kind: Kind<O>, item: KubeObject): O {
  const whole = item.kind === undefined || item.apiVersion === undefined ? { ...item, apiVersion: apiVersionOf(kind), kind: kind.kind } : item;
  return whole as O;
}

export interface ClientOptions {
  /** In whose name written fields are managed; without it the server makes a name of the user agent. */
  readonly fieldManager?: string;
}

/** Makes a Client; it keeps nothing, so one transport can serve many. */
export function createClient(transport: Transport, { fieldManager: manager }: ClientOptions = {}): Client {
  const managed = manager === undefined ? {} : { query: { fieldManager: manager } };
  const send = async <O>(call: ApiCall): Promise<O> => (await transport.send(call)) as O;

  const write = <O extends KubeObject>(verb: "create" | "update", target: { readonly kind: Kind<O>; readonly subresource?: string }, object: O | Draft<O>) => {
    const { kind, subresource } = target;
    return send<O>({
      verb,
      kind,
      namespace: object.metadata.namespace ?? "",
      ...(verb === "update" && object.metadata.name !== undefined ? { name: object.metadata.name } : {}),
      ...(subresource === undefined ? {} : { subresource }),
      ...managed,
      contentType: "application/json",
      body: object,
    });
  };

  const get = <O extends KubeObject>(kind: Kind<O>, namespace: string, name: string): Promise<O> => send<O>({ verb: "get", kind, namespace, name });

  return {
    get,
    async find<O extends KubeObject>(kind: Kind<O>, namespace: string, name: string): Promise<O | undefined> {
      try {
        return await get(kind, namespace, name);
      } catch (error) {
        if (isReason(error, "NotFound")) return undefined;
        throw error;
      }
    },
    async list<O extends KubeObject>(kind: Kind<O>, query: ListQuery = {}): Promise<ObjectList<O>> {
      const list = await send<WireList>({ verb: "list", kind, namespace: query.namespace ?? "", query: queryOf(query) });
      const next = list.metadata.continue;
      return {
        items: (list.items ?? []).map((item) => named(kind, item)),
        resourceVersion: list.metadata.resourceVersion ?? "",
        ...(next === undefined || next === "" ? {} : { continue: next }),
      };
    },
    watch<O extends KubeObject>(kind: Kind<O>, query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent<O>> {
      return transport.watch({ kind, namespace: query.namespace ?? "", query: watchQueryOf(query) }, signal) as AsyncIterable<WatchEvent<O>>;
    },
    create: (kind, object) => write("create", { kind }, object),
    update: (kind, object) => write("update", { kind }, object),
    updateStatus: (kind, object) => write("update", { kind, subresource: "status" }, object),
    patch<O extends KubeObject>(
      kind: Kind<O>,
      target: { readonly namespace: string; readonly name: string; readonly subresource?: "status" | "scale" },
      patch: { readonly type: PatchType; readonly body: unknown },
    ): Promise<O> {
      return send<O>({ verb: "patch", kind, ...target, ...managed, contentType: patch.type, body: patch.body });
    },
    apply<O extends KubeObject>(kind: Kind<O>, object: Draft<O>, { fieldManager, force }: ApplyOptions): Promise<O> {
      const { namespace = "", name } = object.metadata;
      const query = { fieldManager, ...(force === true ? { force: "true" } : {}) };
      const target = { kind, namespace, ...(name === undefined ? {} : { name }), query };
      // JSON is YAML; that is all that a server needs of the type.
      return send<O>({ verb: "patch", ...target, contentType: "application/apply-patch+yaml", body: object });
    },
    async delete<O extends KubeObject>(kind: Kind<O>, target: { readonly namespace: string; readonly name: string }, query: DeleteQuery = {}): Promise<void> {
      const options = { kind: "DeleteOptions", apiVersion: "v1", ...query };
      await send<unknown>({ verb: "delete", kind, ...target, contentType: "application/json", body: options });
    },
  };
}

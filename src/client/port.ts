// What our own programs see of the API: one interface over two transports, in-process and HTTPS.
import type { Draft, Kind, KubeObject } from "#schema";

export interface ListQuery {
  /** Undefined: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
}

export interface ObjectList<O> {
  readonly items: readonly O[];
  readonly resourceVersion: string;
  readonly continue?: string;
}

/** What a watch is asked for: the events after a version, or with `initialEvents` first what exists. */
export interface WatchQuery extends Pick<ListQuery, "namespace" | "labelSelector" | "fieldSelector"> {
  readonly resourceVersion?: string;
  /**
   * Streams a consistent list: what exists as ADDED, then a bookmark for which `endsInitialEvents` holds, then events.
   * Servers that cannot do this refuse (422, 500) or send no such bookmark.
   */
  readonly initialEvents?: true;
}

export type PatchType =
  | "application/json-patch+json"
  | "application/merge-patch+json"
  | "application/strategic-merge-patch+json"
  | "application/apply-patch+yaml";

export interface ApplyOptions {
  /** In whose name the fields of the object are owned. */
  readonly fieldManager: string;
  /** Takes over fields that other managers own; without it they are a `Conflict`. */
  readonly force?: boolean;
}

export type PropagationPolicy = "Background" | "Foreground" | "Orphan";

export interface DeleteQuery {
  readonly propagationPolicy?: PropagationPolicy;
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** `BOOKMARK` carries an object with only a resourceVersion. An expired window is thrown as StatusError `Expired`. */
export interface WatchEvent<O> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: O;
}

export interface Reader {
  /** Throws StatusError `NotFound`. `namespace` is "" for cluster-scoped kinds. */
  get<O extends KubeObject>(kind: Kind<O>, namespace: string, name: string): Promise<O>;
  /** As `get`, with absence as data. */
  find<O extends KubeObject>(kind: Kind<O>, namespace: string, name: string): Promise<O | undefined>;
  list<O extends KubeObject>(kind: Kind<O>, query?: ListQuery): Promise<ObjectList<O>>;
  watch<O extends KubeObject>(kind: Kind<O>, query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent<O>>;
}

/** All writes throw StatusErrors with Kubernetes' reasons. Objects that come back are shared: do not change them. */
export interface Client extends Reader {
  create<O extends KubeObject>(kind: Kind<O>, object: Draft<O>): Promise<O>;
  /** Optimistic when `metadata.resourceVersion` is set. */
  update<O extends KubeObject>(kind: Kind<O>, object: O | Draft<O>): Promise<O>;
  updateStatus<O extends KubeObject>(kind: Kind<O>, object: O | Draft<O>): Promise<O>;
  patch<O extends KubeObject>(
    kind: Kind<O>,
    target: { readonly namespace: string; readonly name: string; readonly subresource?: "status" | "scale" },
    patch: { readonly type: PatchType; readonly body: unknown },
  ): Promise<O>;
  /** Server-side apply: makes the object when it is missing, and owns exactly the fields that are given. */
  apply<O extends KubeObject>(kind: Kind<O>, object: Draft<O>, options: ApplyOptions): Promise<O>;
  delete<O extends KubeObject>(kind: Kind<O>, target: { readonly namespace: string; readonly name: string }, query?: DeleteQuery): Promise<void>;
}

/** One API call in the terms of the protocol; what a transport carries. */
export interface ApiCall {
  readonly verb: "get" | "list" | "create" | "update" | "patch" | "delete" | "deletecollection";
  readonly kind: Kind;
  readonly namespace: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly body?: unknown;
}

/** A watch in the terms of the protocol. */
export interface WatchCall {
  readonly kind: Kind;
  readonly namespace: string;
  readonly query: Readonly<Record<string, string>>;
}

/** Carries calls to an API server: in this process, or over HTTPS. Failures are thrown as StatusErrors. */
export interface Transport {
  send(call: ApiCall): Promise<unknown>;
  watch(call: WatchCall, signal: AbortSignal): AsyncIterable<WatchEvent<KubeObject>>;
}

/** The bookmark after which a watch with `initialEvents` has told everything that existed. */
export function endsInitialEvents({ type, object }: WatchEvent<KubeObject>): boolean {
  return type === "BOOKMARK" && object.metadata.annotations?.["k8s.io/initial-events-end"] === "true";
}

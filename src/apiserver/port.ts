// What main hands to the API server and what it gets: served kinds, requests and responses without sockets.
import type { Duplex } from "node:stream";
import type { Clock, Logger, Rng } from "#core";
import type { Admit, Descriptions, Engines, Kind, KubeObject, UserInfo } from "#schema";
import type { Store } from "#store";
import type { MetricRegistry } from "#telemetry";
import type { Asked } from "./actions.ts";
import type { HealthChecks } from "./health.ts";

/** A verified client certificate. */
export interface Peer {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** One HTTP request without its socket; header names are lower-case. */
export interface ApiRequest {
  readonly method: string;
  /** Path and query as in the request line. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body?: Uint8Array | string;
  readonly peer?: Peer;
  /** The body as it comes, in place of `body`: of requests that are passed on (`ApiServer` says which). */
  readonly upload?: AsyncIterable<Uint8Array>;
  /** Aborts when the client has gone; ends watches and followed logs. */
  readonly signal?: AbortSignal;
}

/** Who is meant by `http:NAME:8080` in the path of a request that is passed on. */
export interface ProxyTarget {
  readonly scheme: "http" | "https";
  readonly name: string;
  /** A number or a name; "" for none. */
  readonly port: string;
}

/** Pieces of a streamed body are flushed one by one; the stream is closed (`return`) when the client has gone. */
export type ApiBody = string | Uint8Array | AsyncIterable<string | Uint8Array>;

export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: ApiBody;
  /** A body in pieces that is one document, a long list: it may be compressed as a whole. */
  readonly isDocument?: true;
  /** With status 101: gets the connection once the head is sent, and ends it. Never rejects; nothing has begun before it is called. */
  readonly takeOver?: (connection: Duplex) => Promise<void>;
}

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** What a request wants to do, as `authorize` sees it. `path` is set for requests that concern no resource. */
export interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path?: string;
}

/** A request for a subresource that only its kind understands, for instance a log. */
export interface SubresourceRequest {
  readonly verb: Verb;
  readonly namespace: string;
  readonly name: string;
  /** The object that the subresource belongs to. */
  readonly object: KubeObject;
  readonly query: URLSearchParams;
  readonly body: Uint8Array | string | undefined;
  readonly user: UserInfo;
  readonly signal: AbortSignal;
  /** The request as it came, for those who answer with another protocol. */
  readonly http: ApiRequest;
  /** Set for handlers that pass on. */
  readonly proxy?: {
    readonly target: ProxyTarget;
    /** What follows the subresource in the URL, with the query: "" or `/…`. */
    readonly path: string;
    /** The URL's path up to there. */
    readonly prefix: string;
  };
}

export interface SubresourceHandler {
  readonly verbs: readonly Verb[];
  /** The kind that discovery names; default: the kind of the object itself. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  /** Its requests have a path of their own below it, and a scheme and a port around the name; their bodies are not read before. */
  readonly passesOn?: true;
  /** Failures are thrown as StatusErrors before the response, or end the stream. */
  handle(request: SubresourceRequest): Promise<ApiResponse>;
}

/** For a kind whose stored texts are not always as they are served: another version of it is stored, or they are older than its schema. */
export interface StoredForm {
  /** Stored texts as this version serves them, in the same order; a text that is fine comes back as it is. */
  read(texts: readonly string[]): readonly string[] | Promise<readonly string[]>;
  /** The text of an object of this version as it is stored; absent when this version is the one that is stored. */
  write?(text: string): string | Promise<string>;
}

/** The objects of a kind that are stored nowhere. */
export interface MadeObjects {
  /** Makes those of a namespace and of a name, "" for all; more than were asked for do not hurt. */
  read(asked: { readonly namespace: string; readonly name: string }): Promise<readonly KubeObject[]>;
}

/** A subresource that takes an object of another kind by POST and acts on the object that it is posted to. */
export interface SubresourceAction {
  readonly kind: Kind;
  /** Other versions (`policy/v1beta1`) in which the object may be sent. */
  readonly olderVersions?: readonly string[];
  /** Without a name it is about the object that it is posted to. */
  readonly mayBeNameless?: boolean;
  /** Throws StatusErrors for what the object may not ask. */
  readonly act: (sent: KubeObject) => Asked;
}

/** A kind as it is served: data from its definition, and what needs context. */
export interface ServedKind<O extends KubeObject = KubeObject> {
  readonly kind: Kind<O>;
  /** Runs on CREATE, UPDATE (main, status, scale) and DELETE, also of in-process callers. */
  readonly admit?: Admit<O>;
  readonly subresources?: Readonly<Record<string, SubresourceHandler>>;
  /** Subresources that take an object of a kind of their own by POST. */
  readonly actions?: Readonly<Record<string, SubresourceAction>>;
  /** Subresources whose PUT and PATCH take over a part of the sent object: name → current object with that part. */
  readonly parts?: Readonly<Record<string, (current: O, sent: O) => O>>;
  /** Verbs of those that offer more than PUT. */
  readonly partVerbs?: Readonly<Record<string, readonly Verb[]>>;
  /** Wall-clock lifetime of an object since its last write. */
  readonly ttlMs?: number;
  /** Seconds between a delete and the removal, given the seconds that the request asks for; 0 removes at once. */
  readonly gracefulDeletion?: (object: O, requested: number | undefined) => number;
  /** A deletion that removes an object answers with it, not with a Status. */
  readonly returnsDeleted?: boolean;
  /** True while an object that is being deleted must stay although it has no finalizers. */
  readonly holdsDeletion?: (object: O) => boolean;
  /** Versions of one kind share their keys; absent when stored texts are served as they are. */
  readonly stored?: StoredForm;
  /** Its objects are made when they are read; it offers `get` and `list`, whatever `without` says. */
  readonly made?: MadeObjects;
  /** Its objects are questions: they are posted and answered, and that is all it offers. Throws StatusErrors. */
  readonly answer?: (sent: O, by: { readonly user: UserInfo; readonly namespace: string }) => Promise<KubeObject>;
  /** Begins a deletion in a way of its own: the object stays, as it comes back, until its finalizers are gone. */
  readonly beginDeletion?: (object: O, nowMs: number) => O;
  /** A `Warning` header of every answer, for instance of a deprecated version. */
  readonly warning?: string;
  /** Requests for it never wait behind others: their senders are taken for lost when they are late (leases). */
  readonly urgent?: boolean;
  /** Verbs that are not offered. */
  readonly without?: readonly Verb[];
}

/** Who is asking: headers (bearer token) and the client certificate. */
export type Credentials = Pick<ApiRequest, "headers" | "peer">;

export interface ApiServerOptions {
  readonly kinds: readonly ServedKind[];
  /** The kind whose objects are the namespaces; without it namespaces are not checked. */
  readonly namespaceKind?: Pick<Kind, "group" | "plural">;
  readonly store: Store;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Patterns and rules of the kinds that come and go; default: V8's patterns, and no rules. */
  readonly engines?: Engines;
  /** As in `/version`, e.g. `v1.34.4+eider.0.1.0`. */
  readonly version: string;
  /** Undefined answers 401. */
  readonly authenticate: (request: Credentials) => UserInfo | undefined | Promise<UserInfo | undefined>;
  /** The reason of a refusal ("" for none to give), or undefined to allow. */
  readonly authorize: (user: UserInfo, attributes: Attributes) => string | undefined;
  /** What types and fields are for, by definition and path; OpenAPI tells it, and so `kubectl explain`. */
  readonly descriptions?: Descriptions;
  /** What `/healthz`, `/livez` and `/readyz` look at beside the store. */
  readonly healthChecks?: Partial<HealthChecks>;
  /** Where requests, watches and objects are counted. */
  readonly metrics?: MetricRegistry;
  /** Prometheus text of `/metrics`. */
  readonly metricsText?: () => string | Promise<string>;
  /** Documents beside the API: path → what a GET answers as JSON; a document that is undefined answers 404. */
  readonly documents?: Readonly<Record<string, (query: URLSearchParams) => unknown>>;
  /** Other endpoints beside the API, by path, with any method; for those whom `authorize` lets. Failures are thrown as StatusErrors. */
  readonly endpoints?: Readonly<Record<string, (request: EndpointRequest) => Promise<ApiResponse>>>;
}

/** A request for an endpoint beside the API. */
export interface EndpointRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly body: Uint8Array | string | undefined;
  readonly user: UserInfo;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** One API call in process; structurally the `ApiCall` of the client room. */
export interface InProcessCall {
  readonly verb: "get" | "list" | "create" | "update" | "patch" | "delete" | "deletecollection";
  readonly kind: Kind;
  readonly namespace: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly body?: unknown;
}

export interface InProcessWatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: KubeObject;
}

/**
 * Calls without HTTP: objects in, objects out (lists as `{ items, metadata }`), failures as StatusErrors.
 * Writes are `rebuildable`, watches `immediate`. Objects that come out are shared: do not change them.
 */
export interface InProcessTransport {
  send(call: InProcessCall): Promise<unknown>;
  watch(
    call: { readonly kind: Kind; readonly namespace: string; readonly query: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): AsyncIterable<InProcessWatchEvent>;
}

export interface ListenOptions {
  /** An inherited listening socket, or an address. Port 0 is any free one. */
  readonly at: { readonly fd: number } | { readonly host: string; readonly port: number };
  /** PEM texts; client certificates are verified against `clientCa`. */
  readonly tls: { readonly key: string; readonly cert: string; readonly clientCa: string };
  /** Connections that may be taken over at once (commands, forwarded ports); default 1,000. One more gets a 429. */
  readonly takenOverMax?: number;
}

export interface Listening {
  /** 0 when the socket has no port. */
  readonly port: number;
  /** New keys and certificates for connections from now on. */
  renew(tls: ListenOptions["tls"]): void;
  /** Stops accepting, ends watches, lets short requests finish for up to a second, then closes every connection. */
  close(): Promise<void>;
}

export interface ApiServer {
  /** Answers one request; never rejects. Streams end when `request.signal` aborts. */
  handle(request: ApiRequest): Promise<ApiResponse>;
  transportFor(user: UserInfo): InProcessTransport;
  /**
   * Replaces the kinds that come and go at run time, beside those of the options. A kind given again as the same
   * object is not touched; the watches of all others end.
   */
  serveCustom(kinds: readonly ServedKind[]): void;
  listen(options: ListenOptions): Promise<Listening>;
}

/** Forgets the type of a kind's objects, so that kinds of all types fit into one list. */
export function served<O extends KubeObject>(kind: ServedKind<O>): ServedKind {
  return kind as unknown as ServedKind;
}

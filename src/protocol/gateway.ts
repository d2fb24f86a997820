// Gateway threads ↔ control thread: what is neither a route nor a line of the keeper.
import type { RouteDelta } from "./routes.ts";

/** What a gateway thread is started with (`workerData`). */
export interface GatewayStart {
  /** Number of this thread, from 0: its column in the in-flight table. */
  readonly thread: number;
  readonly threads: number;
  /** Grows with every start of this thread; load is added up by (thread, epoch). */
  readonly epoch: number;
  /** Inherited file descriptor of the listening socket. */
  readonly listenFd: number;
  /** That of the socket for requests from inside; without it there is none. */
  readonly internalFd?: number;
  /** In-flight counters, a row a pod, made by the gateway's `inFlightBytes`. */
  readonly inFlight: SharedArrayBuffer;
  readonly slots: number;
  /** Folder for the access log and the request log; without one there are none. */
  readonly logFolder?: string;
  /** Port that clients use, for `X-Forwarded-Port` and logs. */
  readonly publicPort: number;
  /** Bells of the threads and since when their requests wait for limited revisions, made by `doorbellBytes`. Needed with more than one thread only. */
  readonly doorbell?: SharedArrayBuffer;
  /** Requests that took their turn, `Int32` a row (`RoutePath.turns`); without it each thread counts for itself. */
  readonly turns?: SharedArrayBuffer;
}

/** Load of one backend over one period, as Knative's activator reports it. */
export interface BackendLoad {
  readonly backend: string;
  /** ∫ in-flight dt / period, waiting requests included. */
  readonly averageConcurrency: number;
  /** Requests that began in the period. */
  readonly requestCount: number;
  /** Requests held right now because no pod had room. */
  readonly waiting: number;
}

/** What one thread measured of requests since it started, by revision; only of those that had any. */
export interface RequestSamples {
  readonly revisions: readonly {
    readonly key: string;
    readonly service: string;
    readonly configuration: string;
    /** Requests right now: without a pod, and on one. */
    readonly queued: number;
    readonly active: number;
    /** Average concurrency of the last period that was reported. */
    readonly concurrency: number;
  }[];
  readonly series: readonly {
    /** Index into `revisions`; -1 stands for all those beyond the limit. */
    readonly revision: number;
    readonly method: string;
    readonly status: number;
    readonly tag: string;
    readonly minor: 0 | 1;
  }[];
  /** A row of numbers for each series, one after the other. */
  readonly values: Float64Array;
}

/** A sampled request that is over: what its spans are made of. Times are milliseconds. */
export interface TracedRequest {
  readonly traceId: string;
  /** Of the client's span; "" when there is none. */
  readonly parentId: string;
  readonly spanId: string;
  /** Of the span that the application's own belong to. */
  readonly upstreamId: string;
  readonly traceState: string;
  /** Wall clock. */
  readonly endMs: number;
  readonly durationMs: number;
  /** Until a place on a pod was granted, or the end. */
  readonly waitedMs: number;
  readonly cold: boolean;
  readonly attempts: number;
  readonly method: string;
  readonly authority: string;
  readonly target: string;
  readonly minor: 0 | 1;
  readonly userAgent: string;
  readonly clientAddress: string;
  readonly status: number;
  readonly outcome: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly routeTag: string;
  /** `namespace/revision`. */
  readonly backend: string;
  readonly service: string;
  readonly configuration: string;
  readonly podName: string;
  readonly podHost: string;
  readonly podPort: number;
}

export type GatewayToControl =
  /** Sampled requests that are over. */
  | { readonly type: "traces"; readonly thread: number; readonly requests: readonly TracedRequest[] }
  | { readonly type: "listening"; readonly thread: number; readonly epoch: number }
  /** Answer to `areYouThere`. */
  | { readonly type: "here"; readonly thread: number }
  /** All deltas up to `generation` are in force. */
  | { readonly type: "ack"; readonly thread: number; readonly generation: number }
  /** A request waits and the backend has no ready pod; repeated at most once a second while it is so. */
  | { readonly type: "wake"; readonly thread: number; readonly backend: string }
  /** Once a second; only backends with load now or in the report before. */
  | {
      readonly type: "load";
      readonly thread: number;
      readonly epoch: number;
      /** End of the period on the thread's own monotonic clock: a message that was long on its way counts for its own time. */
      readonly atMs: number;
      readonly periodMs: number;
      readonly backends: readonly BackendLoad[];
    }
  /** A connection to a `starting` pod succeeded. */
  | { readonly type: "podReady"; readonly thread: number; readonly backend: string; readonly pod: string }
  /** The first answer since the `wake` has begun: nobody waits for the start any more. */
  | { readonly type: "answered"; readonly thread: number; readonly backend: string }
  /** A pod that was taken out of the table has no request of this thread left. */
  | {
      readonly type: "podDrained";
      readonly thread: number;
      readonly pod: string;
      /** Generation that took the pod out: an answer to an older removal says nothing about a newer one. */
      readonly generation: number;
    }
  | {
      readonly type: "log";
      readonly thread: number;
      readonly level: "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  /** Answer to `metrics`: counters as Prometheus-ready samples. */
  | {
      readonly type: "metrics";
      readonly thread: number;
      readonly id: number;
      readonly counters: Readonly<Record<string, number>>;
      readonly requests: RequestSamples;
    };

/** What all requests of a gateway have in common; from ConfigMaps. */
/** How connections of clients are treated. */
export interface ClientSettings {
  /** `required`: every connection from outside begins with a PROXY header (version 1 or 2) of a trusted peer. */
  readonly proxyProtocol: "off" | "required";
  /** Longest pause of a client within the body of its request; 0: no limit of its own. */
  readonly bodyIdleMs: number;
  /** Connections of clients, of all threads together; more are refused. */
  readonly connectionsMax: number;
}

export const DEFAULT_CLIENTS: ClientSettings = { proxyProtocol: "off", bodyIdleMs: 0, connectionsMax: 50_000 };

export interface GatewaySettings {
  /** Address ranges (CIDR) of peers whose forwarding headers, and PROXY headers, are believed. */
  readonly trustedProxies: readonly string[];
  /** Without: `DEFAULT_CLIENTS`. */
  readonly clients?: ClientSettings;
  /** Knative's request log; undefined: off. */
  readonly requestLog: { readonly template: string; readonly probes: boolean } | undefined;
  /** A line a request, to a file of this name in the log folder or to `stdout`; default: none. */
  readonly accessLog?: { readonly file: string; readonly format: "json" | "common" } | undefined;
  /** Share of requests that are traced, 0 … 1; default: none. */
  readonly tracing?: { readonly rate: number } | undefined;
}

export type ControlToGateway =
  | RouteDelta
  /** In force from the next request on; sent before the first routes and after each change. */
  | { readonly type: "settings"; readonly settings: GatewaySettings }
  /** How a pod came up, for receipts; milliseconds before this message, NaN where not known. */
  | { readonly type: "started"; readonly pod: string; readonly wokenAgoMs: number; readonly createdAgoMs: number; readonly spawnedAgoMs: number }
  | { readonly type: "metrics"; readonly id: number }
  /** Answered with `here`: the thread takes messages. */
  | { readonly type: "areYouThere" }
  /** Listens for a thread that has died, too, until told that its successor does: connections wait there. */
  | { readonly type: "standIn"; readonly thread: number; readonly listenFd: number; readonly internalFd?: number }
  | { readonly type: "standInEnds"; readonly thread: number }
  /**
   * Stop accepting, finish what runs within `graceMs`, then end. Idle connections are closed once they were quiet for `idleMs`,
   * since a request may be under way on them. A second one may shorten both.
   */
  | { readonly type: "drain"; readonly graceMs: number; readonly idleMs?: number };

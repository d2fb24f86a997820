// Control thread → gateway threads: the routing table in batches with a generation (decision 4).

/** One share of a path's traffic. */
export interface RouteSplit {
  /** Key of a backend. */
  readonly backend: string;
  /** Absent: a revision. `service`: pods that others look after. `gateway`: back to this gateway, with the path's `rewriteHost`; there is no backend. */
  readonly to?: "service" | "gateway";
  /** 1 … 100; the splits of a path sum to 100. */
  readonly percent: number;
  readonly appendHeaders: readonly (readonly [name: string, value: string])[];
}

/** A path of a host: the longest matching prefix wins, among equals the first whose headers all match exactly. */
export interface RoutePath {
  readonly prefix: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly rewriteHost?: string;
  readonly appendHeaders: readonly (readonly [name: string, value: string])[];
  readonly splits: readonly RouteSplit[];
  /** Row of its turns in the shared table; only with more than one share. */
  readonly turns?: number;
  /** Not for requests from outside, though its host is. */
  readonly isLocal?: true;
}

export interface RouteHost {
  /** Lower case, without port. */
  readonly host: string;
  /** `ClusterLocal` hosts are not found by requests from outside. */
  readonly visibility: "ExternalIP" | "ClusterLocal";
  readonly redirectToHttps: boolean;
  /** What `K-Network-Hash: override` is answered with by a network probe. */
  readonly probeHash?: string;
  /** Most content of a request's body; more is answered with 413. */
  readonly bodyBytesMax?: number;
  /** Most requests at a time, of all threads together; more are answered with 503. */
  readonly requestsMax?: number;
  readonly paths: readonly RoutePath[];
}

export interface BackendPod {
  /** The pod's uid; for an endpoint of a Service unlike any other, too. */
  readonly id: string;
  /** Its name, for logs and traces. */
  readonly name?: string;
  /** Row of the pod in the shared in-flight table. */
  readonly slot: number;
  readonly address: string;
  readonly port: number;
  /**
   * `ready`: may get requests. `starting`: its process runs and a TCP connection would prove it ready;
   * a gateway with waiters may try, and tells with `podReady` when it succeeded.
   */
  readonly state: "ready" | "starting";
}

/** Rows of the table of waiters for each slot of a pod: one in use, and one of which a thread has yet to hear that it is not. */
export const QUEUE_ROWS_PER_SLOT = 2;

/** How a pod is chosen among those with a free place. */
export type LoadBalancing = "least-requests" | "round-robin" | "first-available" | "random-two";

/** A revision as the gateway sees it, or the endpoints of a Service. */
export interface Backend {
  /** `namespace/revision`, or `namespace/service:port`. */
  readonly key: string;
  /** Absent: a revision, whose requests are counted and may wait for a pod. `service`: without an endpoint there is nobody to wait for. */
  readonly kind?: "service";
  readonly protocol: "http1" | "h2c";
  /** 0: no limit. */
  readonly containerConcurrency: number;
  readonly timeoutMs: number;
  /** 0: off. */
  readonly responseStartTimeoutMs: number;
  /** 0: off. */
  readonly idleTimeoutMs: number;
  /** Responses tell where their time went (`Server-Timing`). */
  readonly serverTiming: boolean;
  /** Browsers get a page while it is at zero. */
  readonly waitingPage?: boolean;
  /** Default: `least-requests`. */
  readonly loadBalancing?: LoadBalancing;
  /** Row of the revision in the shared table of waiters; only with a limit, while it has pods. */
  readonly queue?: number;
  /** Names of the Service and of the Configuration that it belongs to, for metrics, logs and traces. */
  readonly service?: string;
  readonly configuration?: string;
  readonly pods: readonly BackendPod[];
}

/** A batch of changes. Entries replace those of the same host or key as a whole. */
export interface RouteDelta {
  readonly type: "routes";
  /** Grows with each batch; acknowledged once the batch is in force. */
  readonly generation: number;
  /** The first batch after a thread's start: what is not in it does not exist. */
  readonly reset: boolean;
  readonly hosts: readonly RouteHost[];
  readonly hostsRemoved: readonly string[];
  readonly backends: readonly Backend[];
  readonly backendsRemoved: readonly string[];
}

// A pod as this thread knows it.
import { ResponseHeads } from "../http/response-head.ts";
import type { PodConnection } from "./pod-connection.ts";

/** Something that outlasts requests. */
export interface OnPod {
  /** The pod is out of the table: come to an end before long. */
  podLeaves(): void;
}

export class Pod {
  readonly id: string;
  /** "" when not told. */
  readonly name: string;
  readonly slot: number;
  readonly address: { readonly host: string; readonly port: number };
  /** `host:port` as Go prints it. */
  readonly authority: string;
  /** containerConcurrency; 0 is no limit. */
  readonly limit: number;
  ready: boolean;
  /** Requests of this thread on it. */
  inUse = 0;
  /** Idle connections; the last one is used first. */
  readonly idle: PodConnection[] = [];
  readonly heads = new ResponseHeads();
  /** Upgraded connections. */
  tunnels: Set<OnPod> | undefined = undefined;
  /** What lines of the access log say of it; made with the first one. */
  logged: Uint8Array | undefined = undefined;
  /** The generation that took it out of the table; 0 while it is in. */
  removedIn = 0;
  /** Whether connection attempts run to prove it ready. */
  proving = false;
  /** A connection to it was refused though control calls it ready: it gets no request until an attempt succeeds. */
  suspect = false;
  /** When the first such attempt began and one succeeded; monotonic milliseconds. */
  triedMs = NaN;
  connectedMs = NaN;

  constructor(pod: {
    readonly id: string;
    readonly name?: string;
    readonly slot: number;
    readonly host: string;
    readonly port: number;
    readonly limit: number;
    readonly ready: boolean;
  }) {
    this.id = pod.id;
    this.name = pod.name ?? "";
    this.slot = pod.slot;
    this.address = { host: pod.host, port: pod.port };
    this.authority = pod.host.includes(":") ? `[${pod.host}]:${pod.port}` : `${pod.host}:${pod.port}`;
    this.limit = pod.limit;
    this.ready = pod.ready;
  }

  closeIdle(): void {
    while (this.idle.length > 0) this.idle.pop()?.destroy();
  }
}

// The kubelet of the embedded platform: pods of its node run as host processes.
import type { Client } from "#client";
import type { Clock, Logger, Rng } from "#core";
import type { ImageStore } from "#images";
import type { KeeperClient } from "./keeper-client.ts";
import type { LogQuery } from "./pod-logs.ts";

export interface ProcessRuntimeOptions {
  readonly client: Client;
  readonly keeper: KeeperClient;
  readonly images: ImageStore;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Pods' folders and logs go below it: `pods/`, `logs/`. */
  readonly dataDir: string;
  /** Pods with this `spec.nodeName` are ours. */
  readonly nodeName: string;
  /** The Node binary for images with base `node26`. */
  readonly nodePath: string;
  /** PATH of the pods. */
  readonly path: string;
  /** Started as root: every namespace gets its own uid. */
  readonly asRoot: boolean;
  /** Resolves when all gateways have acknowledged the pod's removal and its requests have drained. */
  readonly beforeStop: (pod: { readonly namespace: string; readonly name: string; readonly uid: string }, signal: AbortSignal) => Promise<void>;
}

export interface ProcessRuntime {
  /** Watches and runs pods until the signal aborts; running pods are left to their keeper. */
  run(signal: AbortSignal): Promise<void>;
  /** A gateway connected to a starting pod: as good as a passed tcpSocket probe. */
  podReady(uid: string): void;
  /** Chunks of output. Throws StatusError NotFound or BadRequest as the kubelet words it. */
  openLogs(pod: { readonly namespace: string; readonly name: string; readonly uid?: string }, query: LogQuery, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export declare function createProcessRuntime(options: ProcessRuntimeOptions): ProcessRuntime;

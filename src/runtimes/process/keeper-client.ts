// The platform's end of the keeper's Unix socket.
import type { Clock, Logger } from "#core";
import type { KeeperNotice, KeeperRequest, KeeperAnswer } from "#protocol";

export interface KeeperClient {
  /** Sends one request; rejects when the keeper refuses it or is gone. */
  call(request: KeeperRequest): Promise<KeeperAnswer & { readonly ok: true }>;
  /** Notices since the connection was made; ends with the connection. */
  notices(signal: AbortSignal): AsyncIterable<KeeperNotice>;
  /** Resolves when the connection is lost. */
  readonly closed: Promise<void>;
  close(): void;
}

/** Connects to `<dataDir>/keeper.sock` and says hello; retries for a moment, since a keeper may just be starting. */
export declare function connectKeeper(options: { dataDir: string; clock: Clock; logger: Logger }, signal: AbortSignal): Promise<KeeperClient>;

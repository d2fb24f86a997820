// The platform's end of the IPC channel: notices the keeper's death, receives replaced sockets.

export interface KeeperLink {
  /** Resolves when the keeper is gone. */
  readonly keeperGone: Promise<void>;
  /** Resolves with the file descriptor of the socket that the keeper sends for `thread` (after request `replaceSocket`). */
  nextSocket(thread: number, signal: AbortSignal): Promise<number>;
}

/** For the platform's main thread only; `parent` is `process`. */
export declare function joinKeeper(parent: NodeJS.Process): KeeperLink;

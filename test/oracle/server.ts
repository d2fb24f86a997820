// The two servers as the replay sees them: requests in, answers out as they come, and time that passes.

export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface Answering {
  readonly status: number;
  /** Lower-case names; a list when a header came more than once. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Server {
  readonly name: "real" | "ours";
  /** Resolves with the head of the answer; the body ends when `signal` aborts. */
  ask(asked: Asked, signal: AbortSignal): Promise<Answering>;
  /** Awaits something of the server's while time passes for it. Throws after a while: `what` did not come. */
  patiently<T>(promise: Promise<T>, what: string): Promise<T>;
  /** A moment between two tries. */
  pause(): Promise<void>;
  /** Forgets history, as etcd's compaction does. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

/** Tokens by user; both servers know the same. Nobody but `admin` may do anything beyond discovery. */
export const TOKENS: Readonly<Record<string, string>> = { admin: "admin-token", user: "user-token", dev: "dev-token", stranger: "unknown-token" };

/** As both servers call themselves. */
export const VERSION = "v1.34.4";

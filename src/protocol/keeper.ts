// Platform ↔ keeper: one JSON object a line over a Unix socket in the data folder, with a version.

export const KEEPER_PROTOCOL_VERSION = 1;
/** A longer line is an error and closes the connection. */
export const KEEPER_LINE_BYTES_MAX = 1 << 20;

/** How a process is known again after a restart: a pid alone may have been given to somebody else. */
export interface ProcessIdentity {
  readonly bootId: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, clock ticks since boot. */
  readonly startTime: string;
  /** The numeric user that it runs as. */
  readonly uid: number;
}

/** One process to start; the keeper knows nothing about pods but this. */
export interface ProcessSpec {
  /** `<pod uid>/<container>`; unique while the process or its record exists. */
  readonly id: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Run as this user and group; only root may choose. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** File that stdout and stderr are appended to. */
  readonly outputFile: string;
  /** When the output file is larger it becomes `<file>.1` and starts anew. */
  readonly outputBytesMax: number;
}

export interface ProcessState {
  readonly id: string;
  readonly identity: ProcessIdentity;
  readonly running: boolean;
  /** Set when not running; null when the process ended out of the keeper's sight (adopted). */
  readonly exit?: ProcessExit | null;
}

export interface ProcessExit {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly atWallMs: number;
}

export type KeeperRequest =
  | { readonly do: "hello"; readonly version: number }
  | { readonly do: "start"; readonly process: ProcessSpec }
  | { readonly do: "signal"; readonly id: string; readonly signal: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT" }
  /** Forgets an ended process. */
  | { readonly do: "forget"; readonly id: string }
  | { readonly do: "list" }
  /** The platform is ready: the keeper prints its line and resets the restart backoff. */
  | { readonly do: "ready"; readonly line: string }
  /** A gateway thread died and its listening socket with it: make and send a new one. */
  | { readonly do: "replaceSocket"; readonly thread: number }
  /** End the platform, all processes within `graceMs`, and the keeper. */
  | { readonly do: "shutdown"; readonly graceMs: number };

/** Requests carry a number that their answer repeats. */
export type KeeperCall = { readonly id: number } & KeeperRequest;

export type KeeperAnswer =
  | { readonly id: number; readonly ok: true; readonly pid?: number; readonly identity?: ProcessIdentity; readonly processes?: readonly ProcessState[]; readonly keeperPid?: number }
  | { readonly id: number; readonly ok: false; readonly error: string };

/** Sent without being asked, to every connection that said hello. */
export type KeeperNotice = { readonly notice: "exited"; readonly process: string; readonly exit: ProcessExit | null };

export type KeeperLine = KeeperAnswer | KeeperNotice;

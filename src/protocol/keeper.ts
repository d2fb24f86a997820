// Platform ↔ keeper: one JSON object a line over a Unix socket in the data folder, with a version.
import { join, relative } from "node:path";

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
  /** Words before `argv`, of a program that becomes the one of `argv` and takes its user on by itself: it starts as the keeper's. */
  readonly through?: readonly string[];
  /** Run as this user and group; only root may choose. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** File, or FIFO with a reader, that stdout and stderr are appended to. */
  readonly outputFile: string;
  /** A FIFO that stdin is read from; without one stdin is at its end. */
  readonly input?: ProcessInput;
  /** A FIFO with a reader for stderr alone. */
  readonly errorFifo?: string;
  /** Where the keeper notes when output came: lines of `<bytes of the output file> <wall milliseconds>`. */
  readonly timesFile?: string;
  /** When the output file is larger it becomes `<file>.1` and starts anew. */
  readonly outputBytesMax: number;
}

export interface ProcessInput {
  readonly fifo: string;
  /** Never at its end: the process holds the writing side, too. */
  readonly endless: boolean;
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

/** What a platform is started from; settings and environment stay the keeper's. */
export interface PlatformProgramSpec {
  readonly execPath: string;
  readonly execArgv: readonly string[];
}

export type KeeperRequest =
  | { readonly do: "hello"; readonly version: number }
  | { readonly do: "start"; readonly process: ProcessSpec }
  | { readonly do: "signal"; readonly process: string; readonly signal: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT" }
  /** Forgets an ended process. */
  | { readonly do: "forget"; readonly process: string }
  | { readonly do: "list" }
  /** The platform is ready: the keeper prints its line and resets the restart backoff. */
  | { readonly do: "ready"; readonly line: string }
  /** A gateway thread died and its listening socket with it: make and send a new one. */
  | { readonly do: "replaceSocket"; readonly thread: number }
  /** The platform that started this keeper has let go of the store and drains: the next one may start. */
  | { readonly do: "released"; readonly pid: number }
  /** Start this program as the next platform beside the one that serves, and let it take over; answers with its `ready` line. */
  | { readonly do: "takeOver"; readonly program: PlatformProgramSpec }
  /** End the platform, all processes within `graceMs`, and the keeper. */
  | { readonly do: "shutdown"; readonly graceMs: number };

/** Requests carry a number that their answer repeats. */
export type KeeperCall = { readonly id: number } & KeeperRequest;

export type KeeperAnswer =
  | {
      readonly id: number;
      readonly ok: true;
      readonly pid?: number;
      readonly identity?: ProcessIdentity;
      readonly processes?: readonly ProcessState[];
      readonly keeperPid?: number;
      readonly line?: string;
    }
  | { readonly id: number; readonly ok: false; readonly error: string };

/** Sent without being asked, to every connection that said hello. */
export type KeeperNotice = { readonly notice: "exited"; readonly process: string; readonly exit: ProcessExit | null };

export type KeeperLine = KeeperAnswer | KeeperNotice;

/** File name of the keeper's Unix socket below the data folder. */
export const KEEPER_SOCKET_FILE = "keeper.sock";

/** Unix socket paths end at 107 bytes (`sun_path`); some systems stop at 103. */
const SOCKET_PATH_BYTES_MAX = 103;

/** How a process with the working folder `cwd` names the keeper's socket; undefined when no name is short enough. */
export function keeperSocketPath(dataDir: string, cwd: string): string | undefined {
  const absolute = join(dataDir, KEEPER_SOCKET_FILE);
  return [absolute, relative(cwd, absolute)].find((path) => Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX);
}

/** Cuts a byte stream into lines. A line above the limit throws a RangeError: the connection is of no use any more. */
export class LineSplitter {
  readonly #bytesMax: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(bytesMax: number = KEEPER_LINE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  /** The lines that `chunk` completes, without their line feeds. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, end));
      lines.push(Buffer.concat(this.#parts).toString("utf8"));
      this.#parts = [];
      this.#bytes = 0;
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
    return lines;
  }

  #keep(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#bytesMax) throw new RangeError(`a line is longer than ${this.#bytesMax} bytes`);
    if (part.length > 0) this.#parts.push(part.slice());
  }
}

/** One message as it goes over the wire. */
export function encodeLine(message: KeeperCall | KeeperLine): string {
  return `${JSON.stringify(message)}\n`;
}

/** A call as a keeper reads it; undefined when the line is not one (its members are checked where they are used). */
export function decodeCall(line: string): KeeperCall | undefined {
  const value = decodeObject(line);
  return value !== undefined && typeof value["id"] === "number" && typeof value["do"] === "string" ? (value as unknown as KeeperCall) : undefined;
}

/** An answer or a notice as a platform reads it; undefined when the line is neither. */
export function decodeKeeperLine(line: string): KeeperLine | undefined {
  const value = decodeObject(line);
  if (value === undefined || (typeof value["id"] !== "number" && typeof value["notice"] !== "string")) return undefined;
  return value as unknown as KeeperLine;
}

function decodeObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

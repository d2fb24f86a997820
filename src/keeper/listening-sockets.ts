// The listening sockets: bound and kept open here, listened on by the platform only.
import type { ChildProcess } from "node:child_process";
import type { SocketNumbers } from "./start-args.ts";

export interface SocketsWanted {
  /** Numeric IP address. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly httpPort: number;
  readonly apiPort: number;
  /** Gateway threads: as many SO_REUSEPORT sockets are bound to the HTTP port. */
  readonly threads: number;
}

export interface ListeningSockets {
  readonly numbers: SocketNumbers;
  /** File descriptors in the order in which `stdio` hands them on: HTTP sockets, then the API's. */
  readonly fds: readonly number[];
  /** Sends the socket of `thread` once more over the child's IPC channel; connections that wait on it stay. */
  resend(child: ChildProcess, thread: number): void;
}

/** A port is in use; `holder` is `name (pid 123)` when it could be found. */
export class PortTakenError extends Error {
  readonly port: number;
  readonly holder: string | undefined;
  constructor(port: number, holder: string | undefined) {
    super(`port ${port} is in use${holder === undefined ? "" : ` by ${holder}`}`);
    this.name = "PortTakenError";
    this.port = port;
    this.holder = holder;
  }
}

/** Binds all sockets. Throws PortTakenError. */
export declare function openListeningSockets(wanted: SocketsWanted): Promise<ListeningSockets>;
/** Takes over sockets that `stdio` handed on. */
export declare function inheritSockets(numbers: SocketNumbers): ListeningSockets;
/** The process that listens on a TCP port of this machine, as far as /proc tells us. */
export declare function holderOfPort(port: number): string | undefined;

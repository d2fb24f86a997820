// The listening sockets: bound and kept open here, listened on by the platform only (docs: decision 3).
import type { ChildProcess, SendHandle } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { BoundSocket, createServer, type Server } from "node:net";
import * as net from "node:net";
import { socketFds, type SocketNumbers } from "./start-args.ts";

/** Requests from inside come from this machine. */
const LOOPBACK = "127.0.0.1";

export interface SocketsWanted {
  /** Numeric IP address. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly httpPort: number;
  readonly internalPort: number;
  readonly apiPort: number;
  /** Undefined: there is no registry. */
  readonly registryPort?: number | undefined;
  /** Default: loopback. */
  readonly registryHost?: string | undefined;
  /** Gateway threads: as many SO_REUSEPORT sockets are bound to the HTTP port, and to the internal one. */
  readonly threads: number;
}

export interface ListeningSockets {
  readonly numbers: SocketNumbers;
  /** File descriptors in the order in which `stdio` hands them on. */
  readonly fds: readonly number[];
  /** Sends both sockets of `thread` once more over the child's IPC channel; connections that wait on them stay. */
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

/**
 * Binds all sockets. Throws PortTakenError. Each port is first taken in the ordinary way and let go again: a bind with
 * SO_REUSEPORT beside another platform's sockets would succeed and split its traffic. Sockets that nobody listens on yet
 * do not show in that way: a claim on the port, which ends with this process, keeps two keepers that start apart.
 */
export async function openListeningSockets(wanted: SocketsWanted): Promise<ListeningSockets> {
  const { host, threads } = wanted;
  const taken: (Server | BoundSocket)[] = [];
  const claimed = async (at: string, port: number): Promise<number> => {
    const free = await provenFree(at, port);
    const claim = await claimPort(at, free);
    if (claim !== undefined) taken.push(claim);
    return free;
  };
  const shared = (at: string, port: number): number[] => {
    const sockets = Array.from({ length: threads }, () => new BoundSocket({ host: at, port, reusePort: true }));
    taken.push(...sockets);
    return sockets.map((socket) => socket.fd());
  };
  try {
    const httpPort = await claimed(host, wanted.httpPort);
    const httpFds = shared(host, httpPort);
    const internalPort = await claimed(LOOPBACK, wanted.internalPort);
    const internalFds = shared(LOOPBACK, internalPort);
    const apiPort = await claimed(host, wanted.apiPort);
    const api = new BoundSocket({ host, port: apiPort });
    taken.push(api);
    const numbers = { host, httpFds, httpPort, internalFds, internalPort, apiFd: api.fd(), apiPort };
    if (wanted.registryPort === undefined) return holding(numbers, taken);
    const { registryHost = LOOPBACK } = wanted;
    const registryPort = await claimed(registryHost, wanted.registryPort);
    const registry = new BoundSocket({ host: registryHost, port: registryPort });
    return holding({ ...numbers, registryFd: registry.fd(), registryPort }, [...taken, registry]);
  } catch (error) {
    for (const each of taken) each.close();
    throw error;
  }
}

/** Linux' abstract Unix sockets: a name for one holder, without a file. Other systems go without. */
async function claimPort(host: string, port: number): Promise<Server | undefined> {
  if (process.platform !== "linux") return undefined;
  const claim = createServer((socket) => socket.destroy());
  claim.unref();
  try {
    await new Promise<void>((resolve, reject) => {
      claim.once("error", reject);
      claim.listen({ path: `\0eider-port-${host}:${port}` }, resolve);
    });
    return claim;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") throw new PortTakenError(port, holderOfPort(port) ?? "a platform that is starting");
    throw error;
  }
}

/** Takes over sockets that `stdio` handed on: plain descriptors, which nothing closes before the process ends. */
export function inheritSockets(numbers: SocketNumbers): ListeningSockets {
  return holding(numbers, []);
}

/** `owners` are kept referenced: a collected BoundSocket would close its descriptor. */
function holding(numbers: SocketNumbers, owners: readonly (BoundSocket | Server)[]): ListeningSockets {
  const kept = { owners, wraps: new Map<number, unknown>() };
  return {
    numbers,
    fds: socketFds(numbers),
    resend(child, thread) {
      for (const listener of ["public", "internal"] as const) {
        const fd = (listener === "public" ? numbers.httpFds : numbers.internalFds)[thread];
        if (fd === undefined) throw new RangeError(`no ${listener} socket for gateway thread ${thread}`);
        const wrap = kept.wraps.get(fd) ?? wrapOf(fd);
        kept.wraps.set(fd, wrap);
        child.send({ socketOfThread: thread, listener }, wrap as SendHandle);
      }
    },
  };
}

/**
 * A handle on an open socket that does not listen. `net._createServerHandle` is undocumented; it is the only way to send
 * a socket over IPC without listening on it here, and this is its only use.
 */
function wrapOf(fd: number): unknown {
  const create = (net as unknown as Record<string, (address: null, port: undefined, type: undefined, fd: number) => unknown>)["_createServerHandle"];
  const handle = create?.(null, undefined, undefined, fd);
  if (typeof handle !== "object") throw new Error(`descriptor ${fd} cannot be sent as a socket (code ${JSON.stringify(handle)})`);
  return handle;
}

async function provenFree(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    return await listenOnce(server, host, port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") throw new PortTakenError(port, holderOfPort(port));
    throw error;
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

function listenOnce(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

const LISTEN_STATE = "0A";

/** The process that listens on a TCP port of this machine, as far as /proc tells us. */
export function holderOfPort(port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const inodes = new Set(
    ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
      linesOf(file)
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === LISTEN_STATE)
        .map((fields) => `socket:[${fields[9]}]`),
    ),
  );
  if (inodes.size === 0) return undefined;
  for (const pid of entriesOf("/proc").filter((name) => /^\d+$/.test(name))) {
    if (!entriesOf(`/proc/${pid}/fd`).some((fd) => inodes.has(linkOf(`/proc/${pid}/fd/${fd}`)))) continue;
    return `${linesOf(`/proc/${pid}/comm`)[0] ?? "process"} (pid ${pid})`;
  }
  return undefined;
}

/** Processes come and go while we look, and some are not ours to read: what cannot be read is empty. */
function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

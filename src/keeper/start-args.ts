// What a keeper and a platform are started with: one JSON argument each, so that no environment variable leaks into pods.

import type { ProcessIdentity } from "#protocol";

/** The listening sockets as inherited file descriptors, bound and open; listened on by nobody but the platform. */
export interface SocketNumbers {
  readonly host: string;
  /** One SO_REUSEPORT socket a gateway thread. */
  readonly httpFds: readonly number[];
  readonly httpPort: number;
  /** As many for requests from inside, on loopback whatever the host. */
  readonly internalFds: readonly number[];
  readonly internalPort: number;
  readonly apiFd: number;
  readonly apiPort: number;
  /** Both or none; keepers of older versions have none. */
  readonly registryFd?: number;
  readonly registryPort?: number;
}

/** File descriptors of what one gateway thread listens on. */
export interface ThreadSockets {
  readonly listenFd: number;
  /** Without it there is no listener for requests from inside. */
  readonly internalFd?: number;
}

/** By gateway thread. */
export function threadSockets({ httpFds, internalFds }: SocketNumbers): ThreadSockets[] {
  return httpFds.map((listenFd, thread) => {
    const internalFd = internalFds[thread];
    return internalFd === undefined ? { listenFd } : { listenFd, internalFd };
  });
}

/** The descriptors in the order in which `stdio` hands them on. */
export function socketFds({ httpFds, internalFds, apiFd, registryFd }: SocketNumbers): readonly number[] {
  return [...httpFds, ...internalFds, apiFd, ...(registryFd === undefined ? [] : [registryFd])];
}

/** The same sockets as a child sees them that got them by `stdio` from descriptor `first` on. */
export function renumbered(sockets: SocketNumbers, first: number): SocketNumbers {
  const { httpFds, internalFds } = sockets;
  const internalFirst = first + httpFds.length;
  return {
    ...sockets,
    httpFds: httpFds.map((_, index) => first + index),
    internalFds: internalFds.map((_, index) => internalFirst + index),
    apiFd: internalFirst + internalFds.length,
    ...(sockets.registryFd === undefined ? {} : { registryFd: internalFirst + internalFds.length + 1 }),
  };
}

/** Start of the platform's main process; `argv` is what the composition root wants to hand through. */
export interface PlatformStart {
  readonly dataDir: string;
  readonly sockets: SocketNumbers;
  /** The same once more, for the next keeper: a gateway thread that dies closes those that it listened on. Older keepers send none. */
  readonly kept?: SocketNumbers;
  /** Grows with each platform that this keeper starts, from 0. */
  readonly epoch: number;
  readonly argv: readonly string[];
  /** Another platform serves: this one tells when it is `prepared`, and touches nothing before it is told to `go`. */
  readonly handOver?: true;
}

/** Start of a keeper that takes over the sockets of one that died. */
export interface KeeperStart {
  readonly dataDir: string;
  readonly sockets: SocketNumbers;
  readonly orphanGraceMs: number;
  /** The platform that starts it: the new one is started once that has `released` the store or has ended. */
  readonly previousPlatform: ProcessIdentity;
  /** Handed through to the platform. */
  readonly argv: readonly string[];
}

const PLATFORM = "--eider-platform=";
const KEEPER = "--eider-keeper=";

function findJson(argv: readonly string[], prefix: string): unknown {
  const found = argv.find((argument) => argument.startsWith(prefix));
  return found === undefined ? undefined : JSON.parse(found.slice(prefix.length));
}

export function platformArgs(start: PlatformStart): string[] {
  return [`${PLATFORM}${JSON.stringify(start)}`];
}

/** Undefined when the process was not started by a keeper. */
export function parsePlatformArgs(argv: readonly string[]): PlatformStart | undefined {
  return findJson(argv, PLATFORM) as PlatformStart | undefined;
}

export function keeperArgs(start: KeeperStart): string[] {
  return [`${KEEPER}${JSON.stringify(start)}`];
}

/** Undefined for a keeper that was started by a person and opens its sockets itself. */
export function parseKeeperArgs(argv: readonly string[]): KeeperStart | undefined {
  return findJson(argv, KEEPER) as KeeperStart | undefined;
}

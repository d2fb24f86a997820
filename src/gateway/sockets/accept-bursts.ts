// Accepting all that waits: the event loop accepts one connection of a listener each time it comes to it, and between two times it serves
// all that is ready. With thousands of requests under way that is a tenth of a second and more: who comes anew would wait for minutes.
import { closeSync } from "node:fs";
import type { Server } from "node:net";

/** Connections that are accepted at once; those who are served already have their turn before the next. */
const BURST_MAX = 256;

/** SOCK_NONBLOCK and SOCK_CLOEXEC of Linux. */
const FLAGS = 0o2004000;
/** A handle that is a connection, and no listener. */
const CONNECTION = 0;

/** The system's side of a socket. */
interface Handle {
  readonly fd: number;
  readonly constructor: new (kind: number) => Handle;
  /** 0 when the handle is that of `fd` now. */
  open(fd: number): number;
  /** One that is not closed stays for ever. */
  close(): void;
}

interface Listener extends Handle {
  onconnection: (this: Listener, status: number, client: Handle | undefined) => void;
}

type Accept = (fd: number, address: bigint, length: bigint, flags: number) => number;

/** The system's call; undefined where this Node cannot make it. */
const accept4: Accept | undefined = (() => {
  if (process.platform !== "linux") return undefined;
  try {
    const call = { arguments: ["int32", "pointer", "pointer", "int32"], return: "int32" } as const;
    // Its descriptor is the program itself, which has the C library in it.
    return process.getBuiltinModule("node:ffi")?.dlopen(null, { accept4: call }).functions.accept4 as Accept | undefined;
  } catch {
    return undefined;
  }
})();

/**
 * From now on `server`, which listens, accepts up to `most` connections when one comes. Node has no way to do that, so what waits is accepted
 * by the system's own call (`node:ffi`, experimental) and told as Node tells of its own, which is undocumented (decision 55). Where this
 * Node is built in another way, connections come one by one. True when they need not.
 */
export function acceptBursts(server: Server, most = BURST_MAX): boolean {
  const listener = (server as unknown as Readonly<Record<"_handle", Listener | null | undefined>>)["_handle"];
  if (accept4 === undefined || !(listener !== null && listener !== undefined && listener.fd >= 0)) return false;
  const accept = accept4;
  const one = listener.onconnection;
  listener.onconnection = function (status, client) {
    one.call(this, status, client);
    if (status !== 0 || client === undefined) return;
    for (let more = 1; more < most && server.listening; more++) {
      // Also when there are no descriptors left: the event loop finds that out by itself and tells of it.
      const fd = accept(this.fd, 0n, 0n, FLAGS);
      if (fd < 0) return;
      const next = new client.constructor(CONNECTION);
      if (next.open(fd) !== 0) {
        closeSync(fd);
        return next.close();
      }
      one.call(this, 0, next);
    }
  };
  return true;
}

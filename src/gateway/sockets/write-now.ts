// Writing to connected sockets past the streams of Node: a small text that fits needs nothing of what they keep.
import type { Socket } from "node:net";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";

/** Of a handle that is closed. */
const EBADF = -constants.errno.EBADF;

/** A write that the system did not take at once. */
export interface Dispatched {
  oncomplete: (status: number) => void;
}

/**
 * The system's side of a connected socket: of the many things that Node keeps of a socket none is in the cache when its turn comes, so that
 * nothing else is looked at as long as all goes well.
 */
export interface Handle {
  /** 0 when all is written. The socket must have nothing else to send. */
  writeLatin1String(request: null, text: string): number | Dispatched | undefined;
}

/** What is used of a socket. */
export type WrittenTo = Pick<Socket, "connecting" | "destroyed" | "destroy">;

/**
 * Whether this Node makes the request of a write itself, when it needs one: an older one ends the process where it is given none.
 * The way past the streams is undocumented (decision 28); where it is not there, all is written as streams write.
 */
const canWrite: boolean = (() => {
  const binding = (process as unknown as { readonly binding?: (name: string) => Readonly<Record<string, unknown>> }).binding;
  try {
    return typeof binding === "function" && "kLastWriteErr" in binding("stream_wrap");
  } catch {
    return false;
  }
})();

/** What texts are written to past the stream; undefined where that cannot be done, or not yet. */
export function handleOf(socket: WrittenTo): Handle | undefined {
  const handle = (socket as unknown as Readonly<Record<"_handle", Handle | null | undefined>>)["_handle"];
  return !canWrite || socket.connecting ? undefined : (handle ?? undefined);
}

/**
 * What became of a write to `handle` that was not done at once. True when the system takes the rest later, and `sent` is called after that;
 * otherwise the socket is of no use any more.
 */
export function isLate(socket: WrittenTo, result: number | Dispatched | undefined, sent: () => void): boolean {
  if (typeof result !== "object") {
    if (!socket.destroyed) socket.destroy(writeError(result ?? EBADF));
    return false;
  }
  result.oncomplete = (status) => {
    sent();
    if (status < 0 && !socket.destroyed) socket.destroy(writeError(status));
  };
  return true;
}

function writeError(status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: "write" });
}

// Writing to connected sockets past the streams of Node: a small text that fits needs nothing of what they keep.
import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";

/** A write that the system did not take at once. */
interface Dispatched {
  oncomplete: (status: number) => void;
}

interface Handle {
  writeLatin1String(request: null, text: string): number | Dispatched;
}

/** What is used of a socket. */
export type WrittenTo = Pick<Socket, "connecting" | "destroyed" | "destroy" | "writableLength">;

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

/**
 * Writes latin1 text to a socket that has nothing else to send. `false`: it cannot be done so, and nothing was written; `true`: it is
 * done, or the socket was destroyed with the error; otherwise the rest goes out when there is room, and `sent` is called after that.
 */
export function writeNow(socket: WrittenTo, text: string, sent: () => void): boolean | "later" {
  const handle = (socket as unknown as Readonly<Record<"_handle", Handle | null | undefined>>)["_handle"];
  if (!canWrite || handle === null || handle === undefined || socket.connecting || socket.writableLength > 0) return false;
  const result = handle.writeLatin1String(null, text);
  if (result === 0) return true;
  if (typeof result === "number") {
    socket.destroy(writeError(result));
    return true;
  }
  result.oncomplete = (status) => {
    sent();
    if (status < 0 && !socket.destroyed) socket.destroy(writeError(status));
  };
  return "later";
}

function writeError(status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: "write" });
}

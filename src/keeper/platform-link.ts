// The platform's end of the IPC channel: notices the keeper's death, receives replaced sockets.

export interface KeeperLink {
  /** Resolves when the keeper is gone. */
  readonly keeperGone: Promise<void>;
  /** Resolves with the file descriptor of the socket that the keeper sends for `thread` (after request `replaceSocket`). */
  nextSocket(thread: number, signal: AbortSignal): Promise<number>;
}

/** A received native handle. */
interface SocketHandle {
  readonly fd: number;
}

/** For the platform's main thread only; `parent` is `process`. */
export function joinKeeper(parent: NodeJS.Process): KeeperLink {
  // A collected handle would close the descriptor under the thread that listens on it, so each one stays for good.
  const received: SocketHandle[] = [];
  const waiting = new Map<number, (fd: number) => void>();
  parent.on("message", (message: unknown, handle: unknown) => {
    const thread = (message as { socketOfThread?: unknown } | null)?.socketOfThread;
    if (typeof thread !== "number" || !isSocketHandle(handle)) return;
    received.push(handle);
    waiting.get(thread)?.(handle.fd);
  });
  const keeperGone = new Promise<void>((resolve) => {
    if (!parent.connected) resolve();
    else parent.once("disconnect", () => resolve());
  });
  return {
    keeperGone,
    nextSocket(thread, signal) {
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiting.delete(thread);
          reject(signal.reason as Error);
        };
        if (signal.aborted) return onAbort();
        signal.addEventListener("abort", onAbort, { once: true });
        waiting.set(thread, (fd) => {
          waiting.delete(thread);
          signal.removeEventListener("abort", onAbort);
          resolve(fd);
        });
      });
    },
  };
}

function isSocketHandle(handle: unknown): handle is SocketHandle {
  return typeof handle === "object" && handle !== null && typeof (handle as { fd?: unknown }).fd === "number";
}

// The platform's end of the IPC channel: notices the keeper's death, receives replaced sockets.
import type { ThreadSockets } from "./start-args.ts";

/** Steps of a hand-over. To the old platform: `release`; to the new one: `go`. From the old: `released`; from the new: `prepared`. */
export type HandOverStep = "release" | "released" | "prepared" | "go";

export interface KeeperLink {
  /** Resolves when the keeper asks for this step; steps that came before are not forgotten. */
  step(step: "release" | "go"): Promise<void>;
  /** Tells the keeper that this step is done. */
  done(step: "released" | "prepared"): void;
  /** Resolves when the keeper is gone. */
  readonly keeperGone: Promise<void>;
  /** Resolves with the sockets that the keeper sends for `thread` (after request `replaceSocket`). */
  nextSockets(thread: number, signal: AbortSignal): Promise<ThreadSockets>;
}

/** A received native handle. */
interface SocketHandle {
  readonly fd: number;
}

/** For the platform's main thread only; `parent` is `process`. */
export function joinKeeper(parent: NodeJS.Process): KeeperLink {
  // A collected handle would close the descriptor under the thread that listens on it, so each one stays for good.
  const received: SocketHandle[] = [];
  const waiting = new Map<number, (sockets: ThreadSockets) => void>();
  /** By thread: the public socket, which comes first. */
  const halves = new Map<number, number>();
  const steps = { release: Promise.withResolvers<void>(), go: Promise.withResolvers<void>() };
  parent.on("message", (message: unknown, handle: unknown) => {
    const step = stepOf(message);
    if (step === "release" || step === "go") steps[step].resolve();
    const { socketOfThread: thread, listener } = (message ?? {}) as { readonly socketOfThread?: unknown; readonly listener?: unknown };
    if (typeof thread !== "number" || !isSocketHandle(handle)) return;
    received.push(handle);
    const listenFd = halves.get(thread);
    if (listener === "public") halves.set(thread, handle.fd);
    else if (listenFd !== undefined) waiting.get(thread)?.({ listenFd, internalFd: handle.fd });
  });
  const keeperGone = new Promise<void>((resolve) => {
    if (!parent.connected) resolve();
    else parent.once("disconnect", () => resolve());
  });
  return {
    keeperGone,
    step: (step) => steps[step].promise,
    done: (step) => void (parent.connected && parent.send?.({ handOver: step })),
    nextSockets(thread, signal) {
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiting.delete(thread);
          reject(signal.reason as Error);
        };
        if (signal.aborted) return onAbort();
        signal.addEventListener("abort", onAbort, { once: true });
        waiting.set(thread, (sockets) => {
          waiting.delete(thread);
          signal.removeEventListener("abort", onAbort);
          resolve(sockets);
        });
      });
    },
  };
}

/** The step that a message of the IPC channel tells; undefined for other messages. */
export function stepOf(message: unknown): HandOverStep | undefined {
  const step = (message as { readonly handOver?: unknown } | null)?.handOver;
  return step === "release" || step === "released" || step === "prepared" || step === "go" ? step : undefined;
}

function isSocketHandle(handle: unknown): handle is SocketHandle {
  return typeof handle === "object" && handle !== null && typeof (handle as { fd?: unknown }).fd === "number";
}

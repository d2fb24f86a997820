// Listeners of threads that have died and have no successor yet: connections to them are served by this thread meanwhile.
import type { Server } from "node:net";

export interface StandInsOptions {
  readonly serverFor: (isInside: boolean) => Server;
  /** Rejects when it cannot be listened on. */
  readonly listen: (server: Server, at: { readonly fd: number }) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

export class StandIns {
  readonly #options: StandInsOptions;
  /** By thread. */
  readonly #servers = new Map<number, readonly Server[]>();

  constructor(options: StandInsOptions) {
    this.#options = options;
  }

  begin({ thread, listenFd, internalFd }: { readonly thread: number; readonly listenFd: number; readonly internalFd?: number }): void {
    this.end(thread);
    const { serverFor, listen, failed } = this.#options;
    const listeners = [{ fd: listenFd, server: serverFor(false) }, ...(internalFd === undefined ? [] : [{ fd: internalFd, server: serverFor(true) }])];
    this.#servers.set(
      thread,
      listeners.map(({ server }) => server),
    );
    for (const { fd, server } of listeners) listen(server, { fd }).catch(failed);
  }

  /** What waits from now on is its successor's. */
  end(thread: number): void {
    for (const server of this.#servers.get(thread) ?? []) server.close();
    this.#servers.delete(thread);
  }

  endAll(): void {
    for (const thread of this.#servers.keys()) this.end(thread);
  }
}

// The registry's listener.
import { createServer, type Server } from "node:http";
import type { Logger } from "#core";
import type { ImageStore } from "../image-store.ts";
import type { Access } from "./access.ts";
import { handle } from "./handle.ts";

/** Clients open a handful each. */
const CONNECTIONS_MAX = 256;
/** A connection on which nothing moves for so long is closed. */
const IDLE_MS = 120_000;
/** Node looks for slow heads at this interval, at rest, too: never. The idle limit does the same by connection. */
const NEVER_MS = 2 ** 31 - 1;

export interface RegistryOptions {
  readonly store: ImageStore;
  /** A listening socket that is bound already, or an address. */
  readonly at: { readonly fd: number } | { readonly host: string; readonly port: number };
  readonly logger: Logger;
  readonly changed: () => void;
  /** Undefined: everybody may do everything. */
  readonly access?: Access | undefined;
}

export interface ServedRegistry {
  readonly port: number;
  /** Nothing is accepted any more; connections without a request are closed, requests under way go on. */
  stop(): void;
  /** Ends the requests under way, too. */
  close(): Promise<void>;
}

export async function serveRegistry({ store, at, logger, changed, access }: RegistryOptions): Promise<ServedRegistry> {
  const failed = (err: unknown, { method, path }: { readonly method: string; readonly path: string }): void =>
    logger.error("a request of the registry failed", { err, method, path });
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, connectionsCheckingInterval: NEVER_MS }, (request, response) => {
    void handle(request, response, { store, changed, failed, access });
  });
  server.timeout = IDLE_MS;
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, at);
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    stop() {
      server.close();
      server.closeIdleConnections();
    },
    async close() {
      // Also called when it was stopped: then that is an error which says nothing.
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, at: RegistryOptions["at"]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, () => resolve());
  });
}

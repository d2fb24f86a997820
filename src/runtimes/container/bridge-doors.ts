// Doors for pods: the machine's own address on the daemon's bridge leads to what listens on its loopback, and nothing else does.
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Logger } from "#core";

export interface Door {
  /** On the bridge. */
  readonly port: number;
  /** On the loopback. */
  readonly to: number;
}

export interface BridgeDoors {
  /** Opens those that are not open; again and again is fine. Until the bridge is there nobody can listen on it. */
  open(): Promise<void>;
  close(): void;
}

const CONNECTIONS_MAX = 1_024;
const LOOPBACK = "127.0.0.1";

export function bridgeDoors(address: string, doors: readonly Door[], logger: Logger): BridgeDoors {
  const open = new Map<Door, Server>();
  const complained = new Set<Door>();
  let opening: Promise<void> = Promise.resolve();
  const openAll = async (): Promise<void> => {
    for (const door of doors) {
      if (open.has(door)) continue;
      try {
        open.set(door, await listen(address, door));
      } catch (err) {
        // Somebody else has it (a platform that is asked to listen everywhere does so here, too), or it is only root's.
        if (!complained.has(door)) logger.info("pods do not reach a port of the machine by its own address", { address, port: door.port, err });
        complained.add(door);
      }
    }
  };
  return {
    open: () => (opening = opening.then(openAll)),
    close: () => open.forEach((server) => server.close()),
  };
}

function listen(address: string, { port, to }: Door): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (inside) => pass(inside, to));
  server.maxConnections = CONNECTIONS_MAX;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port }, () => {
      server.off("error", reject);
      server.on("error", () => undefined);
      resolve(server);
    });
  });
}

function pass(inside: Socket, to: number): void {
  const outside = connect({ host: LOOPBACK, port: to, allowHalfOpen: true, noDelay: true });
  inside.setNoDelay(true);
  inside.pipe(outside).pipe(inside);
  const both = [inside, outside] as const;
  for (const [one, other] of [both, both.toReversed() as [Socket, Socket]]) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}

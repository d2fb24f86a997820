// Our servers of one run, each booted when the first scenario needs it.
import type { Scenario } from "./corpus.ts";
import { bootOurs, bootOursOverHttps } from "./own-server.ts";
import type { Server } from "./server.ts";

export interface Ours {
  serverFor(scenario: Pick<Scenario, "over">): Promise<Server>;
  close(): Promise<void>;
}

export function createOurs(): Ours {
  const servers = new Map<string, Promise<Server>>();
  return {
    serverFor({ over = "nothing" }) {
      const server = servers.get(over) ?? (over === "https" ? bootOursOverHttps() : bootOurs());
      servers.set(over, server);
      return server;
    },
    async close() {
      for (const server of servers.values()) await (await server).close();
    },
  };
}

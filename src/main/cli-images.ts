// The image commands' hands: the store of a data folder, and what the platform on it needs.
import { join } from "node:path";
import { CliError, type Connection, type ImageCommands } from "#cli";
import { systemClock } from "#host";
import { collectGarbage, ImageError, openImageStore, type ImageStore } from "#images";
import { dataFolder } from "./data-folder.ts";
import { neededImages } from "./image-garbage.ts";

export function imageCommands(data: string, connect: (kubeconfig: string) => Promise<Connection>): ImageCommands {
  const opened = (): Promise<ImageStore> => openImageStore(dataFolder(data).images).catch(failed);
  return {
    async list() {
      const store = await opened();
      const [own, pulled] = await Promise.all([store.list(), store.pulled.list()]);
      const rows = [...own.map((each) => ({ ...each, pulled: false })), ...pulled.map((each) => ({ ...each, pulled: true }))];
      return Promise.all(rows.map(async (row) => ({ ...row, size: await store.sizeOf(row.digest) })));
    },
    remove: async (name) => (await opened()).remove(name).catch(failed),
    async prune({ all, graceMs }) {
      const store = await opened();
      const connection = await connect(join(data, "kubeconfig"));
      try {
        const needed = await neededImages(connection.client);
        return await collectGarbage(store, { needed, nowMs: systemClock.wallMs(), graceMs, pulledToo: all });
      } finally {
        connection.close();
      }
    },
  };
}

function failed(error: unknown): never {
  if (!(error instanceof ImageError)) throw error;
  throw new CliError(error.reason === "NotFound" ? "notFound" : "failed", error.message, {
    cause: error,
    ...(error.reason === "NotFound" ? { hint: "eider image list" } : {}),
  });
}

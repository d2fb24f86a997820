// The engine `sandbox`, where this machine lets us have it.
import { LayerFolders } from "#images";
import { findSandboxHost, sandboxEngine, type EngineFactory, type SandboxEngineOptions } from "#runtimes";

type Options = Omit<SandboxEngineOptions, "host" | "layers"> & {
  readonly imagesDir: string;
  readonly bootId: string | undefined;
};

/** Empty, with a line in the log, where sandboxes cannot be made. */
export async function sandboxes({ imagesDir, bootId, ...options }: Options): Promise<readonly EngineFactory[]> {
  const { dataDir, path, logger, images } = options;
  const asRoot = process.getuid?.() === 0;
  const host = await findSandboxHost({ dataDir, path, asRoot, logger });
  if (typeof host === "string") {
    logger.info("the runtime sandbox is not available", { reason: host });
    return [];
  }
  const layers = new LayerFolders({ dir: imagesDir, source: images, bootId: bootId ?? "boot", owners: asRoot });
  await layers.prepare();
  logger.info("the runtime sandbox is available", { how: host.text });
  return [sandboxEngine({ ...options, host, layers })];
}

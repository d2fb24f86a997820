// The engine `sandbox`, where this machine lets us have it.
import type { Logger } from "#core";
import { LayerFolders } from "#images";
import { bridgeDoors, findSandboxHost, sandboxEngine, type BridgeDoors, type EngineFactory, type SandboxEngineOptions } from "#runtimes";
import { platformDoors, type PlatformPorts } from "./platform-doors.ts";

/** At the machine's own address on a bridge of sandboxes, as for containers: the API, both listeners of the gateways, and the inner one where programs look for web servers. */
function sandboxDoors(ports: PlatformPorts, logger: Logger): { open(address: string): Promise<void>; close(): void } {
  const doors = new Map<string, BridgeDoors>();
  const all = platformDoors(ports);
  return {
    open(address) {
      const known = doors.get(address) ?? bridgeDoors(address, all, logger);
      doors.set(address, known);
      return known.open();
    },
    close: () => doors.forEach((each) => each.close()),
  };
}

type Options = Omit<SandboxEngineOptions, "host" | "layers" | "onBridge"> & {
  readonly sockets: PlatformPorts;
  readonly imagesDir: string;
  readonly bootId: string | undefined;
};

/** No engine, with a line in the log, where sandboxes cannot be made; the text says how they are made, or why not. */
export async function sandboxes({
  imagesDir,
  bootId,
  sockets,
  signal,
  ...options
}: Options): Promise<{ readonly engines: readonly EngineFactory[]; readonly text: string }> {
  const { dataDir, path, logger, images } = options;
  const asRoot = process.getuid?.() === 0;
  const host = await findSandboxHost({ dataDir, path, asRoot, logger });
  if (typeof host === "string") {
    logger.info("the runtime sandbox is not available", { reason: host });
    return { engines: [], text: `not here: ${host}` };
  }
  const layers = new LayerFolders({ dir: imagesDir, source: images, bootId: bootId ?? "boot", owners: asRoot });
  await layers.prepare();
  logger.info("the runtime sandbox is available", { how: host.text });
  const doors = sandboxDoors(sockets, logger);
  signal.addEventListener("abort", () => doors.close(), { once: true });
  return { engines: [sandboxEngine({ ...options, signal, onBridge: doors.open, host, layers })], text: host.text };
}

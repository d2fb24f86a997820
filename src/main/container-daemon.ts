// The runtime `container`, where a Docker-compatible daemon is found.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Logger } from "#core";
import { bridgeDoors, findDaemon, placeOf, removeContainers, removeSentImages, type BridgeDoors, type DaemonFound, type DaemonPlace } from "#runtimes";

export interface ContainerDaemon {
  readonly daemon: DaemonFound;
  readonly place: DaemonPlace;
  /** What this data folder's containers are labelled with. */
  readonly platform: string;
}

export interface DaemonOptions {
  readonly dataDir: string;
  /** `auto`, `off`, or an address like that of DOCKER_HOST. */
  readonly asked: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Undefined where there is none, or none that can be used: what is wrong with it is in the log. */
export async function openContainerDaemon({ dataDir, asked, env, clock, logger }: DaemonOptions): Promise<ContainerDaemon | undefined> {
  try {
    const daemon = await findDaemon({ asked, env, clock, onSilent: (at, err) => logger.warn("container daemon does not answer", { at, err }) });
    if (daemon === undefined) return undefined;
    const place = await placeOf(daemon);
    logger.info("container daemon found", { at: daemon.at, engine: daemon.engine, version: daemon.version, reachable: place.isReachable });
    return { daemon, place, platform: platformId(dataDir) };
  } catch (err) {
    logger.warn("pods do not run in containers: the daemon cannot be used", { asked, err });
    return undefined;
  }
}

/** What pods in containers reach of this machine: the API, both listeners of the gateways, and the inner one where programs look for web servers. */
export function doorsOf(
  { place }: ContainerDaemon,
  ports: { readonly apiPort: number; readonly httpPort: number; readonly internalPort: number },
  logger: Logger,
): BridgeDoors {
  const same = [ports.apiPort, ports.httpPort, ports.internalPort].map((port) => ({ port, to: port }));
  return bridgeDoors(place.gateway, place.isReachable ? [...same, { port: 80, to: ports.internalPort }] : [], logger);
}

/** After the end of a data folder's platform: what it left in the daemon goes, with `purge` also the images that it sent. */
export async function clearContainerDaemon({ dataDir, purge, asked, env, clock }: Omit<DaemonOptions, "logger"> & { readonly purge: boolean }): Promise<void> {
  if (!existsSync(platformFile(dataDir))) return;
  const daemon = await findDaemon({ asked, env, clock });
  if (daemon === undefined) return;
  try {
    await removeContainers(daemon.client, platformId(dataDir));
    if (purge) await removeSentImages(daemon.client);
  } finally {
    daemon.client.close();
  }
}

/** The same for the life of the data folder. */
function platformId(dataDir: string): string {
  const file = platformFile(dataDir);
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const id = randomBytes(8).toString("hex");
  writeFileSync(`${file}.new`, `${id}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  return id;
}

function platformFile(dataDir: string): string {
  return join(dataDir, "container-platform");
}

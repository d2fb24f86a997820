// The runtime `container`: where a Docker-compatible daemon is found, now or later.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Logger } from "#core";
import { bridgeDoors, findDaemon, LateDaemon, removeContainers, removeSentImages, type BridgeDoors, type DaemonThere } from "#runtimes";
import { platformDoors } from "./platform-doors.ts";

export interface ContainerDaemonOptions {
  readonly dataDir: string;
  /** `auto`, `off`, or an address like that of DOCKER_HOST. */
  readonly asked: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ports: { readonly apiPort: number; readonly httpPort: number; readonly internalPort: number };
  /** It came, perhaps long after the platform. */
  readonly onFound: () => void;
}

export class ContainerDaemon {
  readonly late: LateDaemon;
  /** What this data folder's containers are labelled with. */
  readonly platform: string;
  readonly #options: ContainerDaemonOptions;
  #doors: BridgeDoors | undefined;

  constructor(options: ContainerDaemonOptions) {
    this.#options = options;
    this.platform = platformId(options.dataDir);
    this.late = new LateDaemon({
      ...options,
      onFound: (there) => {
        this.#doors = doorsOf(there, options);
        keep(addressFile(options.dataDir), there.daemon.at);
        options.onFound();
      },
    });
  }

  /** The first pod's network is there: pods reach the machine. */
  async openDoors(): Promise<void> {
    await this.#doors?.open();
  }

  closeDoors(): void {
    this.#doors?.close();
  }

  /** For people: which it is, or why there is none. */
  get text(): string {
    const { there, why } = this.late;
    if (there === undefined) return `not here: ${why}`;
    const { engine, version, at } = there.daemon;
    return `${engine} ${version} at ${at}`;
  }

  /** At the platform's end. */
  async removeAll(): Promise<void> {
    const { there } = this.late;
    if (there === undefined) return;
    await removeContainers(there.daemon.client, this.platform).catch((err: unknown) => this.#options.logger.warn("containers are left", { err }));
  }
}

/** What pods in containers reach of this machine: the API, both listeners of the gateways, and the inner one where programs look for web servers. */
function doorsOf({ place }: DaemonThere, { ports, logger }: Pick<ContainerDaemonOptions, "ports" | "logger">): BridgeDoors {
  return bridgeDoors(place.gateway, place.isReachable ? platformDoors(ports) : [], logger);
}

/** After the end of a data folder's platform: what it left in the daemon that it used goes, with `purge` also the images that it sent. */
export async function clearContainerDaemon({
  dataDir,
  purge,
  env,
  clock,
}: Pick<ContainerDaemonOptions, "dataDir" | "env" | "clock"> & { readonly purge: boolean }): Promise<void> {
  const address = kept(addressFile(dataDir));
  if (kept(platformFile(dataDir)) === undefined || address === undefined) return;
  const daemon = await findDaemon({ asked: address, env, clock });
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
  return kept(file) ?? keep(file, randomBytes(8).toString("hex"));
}

function platformFile(dataDir: string): string {
  return join(dataDir, "container-platform");
}

function addressFile(dataDir: string): string {
  return join(dataDir, "container-daemon");
}

function kept(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

function keep(file: string, text: string): string {
  writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  return text;
}

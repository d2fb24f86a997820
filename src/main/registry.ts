// The image registry of the platform: where it listens and what it is called.
import type { Logger } from "#core";
import { serveRegistry, type ImageStore, type ServedRegistry } from "#images";
import type { SocketNumbers } from "#keeper";

export interface RegistryWanted {
  readonly store: ImageStore;
  readonly sockets: SocketNumbers;
  readonly logger: Logger;
  readonly changed: () => void;
}

/** The address as it stands in images' names; undefined without a registry. */
export function registryAddress({ host, registryPort }: SocketNumbers): string | undefined {
  return registryPort === undefined ? undefined : registryNames(host, registryPort)[0];
}

/** Serves on the keeper's socket; undefined when it has none for a registry. */
export async function startRegistry({ store, sockets, logger, changed }: RegistryWanted): Promise<ServedRegistry | undefined> {
  const { host, registryFd, registryPort } = sockets;
  if (registryFd === undefined || registryPort === undefined) {
    await store.own.serveAs([]);
    return undefined;
  }
  await store.own.serveAs(registryNames(host, registryPort));
  return serveRegistry({ store, at: { fd: registryFd }, logger, changed });
}

/** All addresses of this machine under which the registry is asked; the one that is shown first. */
function registryNames(host: string, port: number): string[] {
  const local = ["localhost", "127.0.0.1", "[::1]", "host.containers.internal", "host.docker.internal"];
  const asked = host.includes(":") ? `[${host}]` : host;
  const everywhere = asked === "0.0.0.0" || asked === "[::]";
  return [...new Set([...local, ...(everywhere ? [] : [asked])])].map((name) => `${name}:${port}`);
}

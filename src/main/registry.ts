// The image registry of the platform: where it listens and what it is called.
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Logger } from "#core";
import { serveRegistry, type ImageStore, type ServedRegistry } from "#images";
import type { SocketNumbers } from "#keeper";
import type { RegistryAuth } from "./options.ts";

export interface RegistryWanted {
  readonly store: ImageStore;
  readonly sockets: SocketNumbers;
  readonly logger: Logger;
  readonly changed: () => void;
  readonly auth: RegistryAuth;
  /** The password lies in it. */
  readonly pki: string;
  readonly clock: Clock;
}

const USER = "eider";
const PASSWORD_BYTES = 24;

/** The address as it stands in images' names; undefined without a registry. */
export function registryAddress({ host, registryPort }: SocketNumbers): string | undefined {
  return registryPort === undefined ? undefined : registryNames(host, registryPort)[0];
}

/** Serves on the keeper's socket; undefined when it has none for a registry. */
export async function startRegistry({ store, sockets, logger, changed, auth, pki, clock }: RegistryWanted): Promise<ServedRegistry | undefined> {
  const { host, registryFd, registryPort } = sockets;
  if (registryFd === undefined || registryPort === undefined) {
    await store.own.serveAs([]);
    return undefined;
  }
  await store.own.serveAs(registryNames(host, registryPort));
  const access = auth === "none" ? undefined : { kind: auth, user: USER, password: passwordIn(pki), wallMs: () => clock.wallMs() };
  return serveRegistry({ store, at: { fd: registryFd }, logger, changed, access });
}

/** Made at the first start that asks for it. */
function passwordIn(pki: string): string {
  const file = join(pki, "registry-password");
  try {
    writeFileSync(file, `${randomBytes(PASSWORD_BYTES).toString("base64url")}\n`, { flag: "wx", mode: 0o600, flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFileSync(file, "utf8").trim();
}

/** All addresses of this machine under which the registry is asked; the one that is shown first. */
function registryNames(host: string, port: number): string[] {
  const local = ["localhost", "127.0.0.1", "[::1]", "host.containers.internal", "host.docker.internal"];
  const asked = host.includes(":") ? `[${host}]` : host;
  const everywhere = asked === "0.0.0.0" || asked === "[::]";
  return [...new Set([...local, ...(everywhere ? [] : [asked])])].map((name) => `${name}:${port}`);
}

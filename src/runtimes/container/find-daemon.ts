// Where a Docker-compatible daemon listens: what DOCKER_HOST says, else the usual sockets of Docker, Podman, Docker Desktop and Colima.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "#core";
import { createDaemonClient, DaemonError, type DaemonAddress, type DaemonClient } from "./daemon-client.ts";

export interface DaemonFound {
  /** As DOCKER_HOST would name it: `unix:///run/podman/podman.sock`. */
  readonly at: string;
  readonly client: DaemonClient;
  readonly engine: "docker" | "podman";
  readonly version: string;
  /** Of its containers: `amd64`, `arm64`. */
  readonly architecture: string;
}

export interface DaemonSearch {
  /** `auto`, `off`, or an address like that of DOCKER_HOST. */
  readonly asked: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** A socket is there, and nobody of use behind it. */
  readonly onSilent?: (at: string, error: unknown) => void;
}

/** A daemon that accepts and says nothing is passed over. This machine may be busy, and just starting. */
const ANSWER_MS = 15_000;

/** Sockets in the order in which they are tried. */
export function daemonAddresses({ asked, env }: Pick<DaemonSearch, "asked" | "env">): readonly string[] {
  if (asked === "off") return [];
  if (asked !== "auto" && asked !== "") return [asked];
  const given = env["DOCKER_HOST"] ?? "";
  if (given !== "") return [given];
  const runtimeDir = env["XDG_RUNTIME_DIR"] ?? "";
  const home = env["HOME"] ?? "";
  return [
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    ...(runtimeDir === "" ? [] : [join(runtimeDir, "docker.sock"), join(runtimeDir, "podman/podman.sock")]),
    ...(home === ""
      ? []
      : [".docker/run/docker.sock", ".docker/desktop/docker.sock", ".colima/default/docker.sock", ".colima/docker.sock"].map((path) => join(home, path))),
  ].map((path) => `unix://${path}`);
}

/** Throws an Error for what is no address of a daemon. */
export function parseDaemonAddress(text: string): DaemonAddress {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { socketPath };
  const [, host, port] = /^tcp:\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(text) ?? [];
  if (host !== undefined) return { host: host.replace(/^\[|\]$/g, ""), port: Number(port ?? 2375) };
  throw new Error(`${JSON.stringify(text)} is not an address of a container daemon: unix:///PATH or tcp://HOST:PORT`);
}

/** The first daemon that answers. What was asked for by name and does not answer is an Error; undefined when there is simply none. */
export async function findDaemon(search: DaemonSearch): Promise<DaemonFound | undefined> {
  const addresses = daemonAddresses(search);
  const isAsked = search.asked !== "auto" && search.asked !== "";
  for (const at of addresses) {
    try {
      const address = parseDaemonAddress(at);
      if (!isAsked && "socketPath" in address && !existsSync(address.socketPath)) continue;
      return await greet(at, address, search.clock);
    } catch (error) {
      if (isAsked) throw error;
      search.onSilent?.(at, error);
    }
  }
  return undefined;
}

interface Version {
  readonly Version?: string;
  readonly Arch?: string;
  readonly Components?: readonly { readonly Name?: string }[];
}

async function greet(at: string, address: DaemonAddress, clock: Clock): Promise<DaemonFound> {
  const client = await createDaemonClient(address);
  const late = new AbortController();
  const answered = new AbortController();
  void clock.sleep(ANSWER_MS, answered.signal).then(
    () => late.abort(),
    () => undefined,
  );
  try {
    const said = await client.call<Version | undefined>({ method: "GET", path: "/version" }, late.signal);
    if (said?.Version === undefined) throw new DaemonError(0, `what listens at ${at} is no container daemon`);
    const isPodman = (said.Components ?? []).some(({ Name }) => Name === "Podman Engine");
    return { at, client, engine: isPodman ? "podman" : "docker", version: said.Version, architecture: said.Arch ?? "amd64" };
  } catch (error) {
    client.close();
    throw error;
  } finally {
    answered.abort();
  }
}

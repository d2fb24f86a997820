// Where the daemon's containers are, seen from here: on this machine, whose bridge we reach, or behind a virtual machine.
import { hostname } from "node:os";
import { DaemonError, type DaemonClient } from "./daemon-client.ts";
import type { DaemonFound } from "./find-daemon.ts";

export interface DaemonPlace {
  /** The daemon's default bridge: `bridge`, `podman`. */
  readonly network: string;
  /** The machine's own address on it. */
  readonly gateway: string;
  /** Addresses on the bridge can be connected to from here; else ports are published on this machine's loopback. */
  readonly isReachable: boolean;
  /** Processes in containers are processes of this machine. */
  readonly sharesProcesses: boolean;
}

interface Info {
  readonly Name?: string;
  readonly SecurityOptions?: readonly string[] | null;
}

interface Network {
  readonly IPAM?: { readonly Config?: readonly { readonly Gateway?: string; readonly Subnet?: string }[] | null };
}

/** Docker Desktop, Colima and the like name another machine; rootless daemons keep their bridge to themselves. */
export async function placeOf({ client, engine, at }: Pick<DaemonFound, "client" | "engine" | "at">): Promise<DaemonPlace> {
  const info = await client.call<Info>({ method: "GET", path: "/info" });
  const isHere = process.platform === "linux" && at.startsWith("unix://") && info.Name === hostname();
  const isRootless = (info.SecurityOptions ?? []).some((option) => option.includes("rootless"));
  const network = engine === "podman" ? "podman" : "bridge";
  return { network, gateway: await gatewayOf(client, network), isReachable: isHere && !isRootless, sharesProcesses: isHere };
}

async function gatewayOf(client: DaemonClient, network: string): Promise<string> {
  const { IPAM } = await client.call<Network>({ method: "GET", path: `/networks/${network}` });
  const config = IPAM?.Config?.find(({ Gateway, Subnet }) => !`${Gateway ?? ""}${Subnet ?? ""}`.includes(":"));
  if (config?.Gateway !== undefined && config.Gateway !== "") return config.Gateway;
  // Docker leaves out what follows from the subnet: the first address.
  const [, first] = /^(\d+\.\d+\.\d+)\.\d+\//.exec(config?.Subnet ?? "") ?? [];
  if (first === undefined) throw new DaemonError(500, `the daemon's network ${network} has no address of its own`);
  return `${first}.1`;
}

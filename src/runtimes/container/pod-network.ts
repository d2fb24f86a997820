// What the containers of a pod share: one container that does nothing holds the network (and whatever else is shared) for the pod's life.
// Where hosts and resolver are files of ours (`pod-files.ts`), nothing in it is the pod's own: it may have been made ahead.
import type { Logger } from "#core";
import type { Pod } from "#kinds";
import type { PodPlace } from "../engine.ts";
import { asksForCluster, type PodDns } from "../names/pod-dns.ts";
import { hostnameOf } from "./container-body.ts";
import { DaemonError, type DaemonClient } from "./daemon-client.ts";
import type { DaemonImages } from "./daemon-images.ts";
import { containerName, LABELS, podLabels } from "./labels.ts";
import type { DaemonPlace } from "./daemon-place.ts";
import type { SpareNetworks } from "./spare-networks.ts";

export interface NetworkOptions {
  readonly client: DaemonClient;
  readonly images: DaemonImages;
  readonly logger: Logger;
  readonly platform: string;
  readonly place: DaemonPlace;
  /** Undefined where pods reach no Service by name: the daemon sets up their resolver then. */
  readonly names: { readonly api: string; readonly dns: PodDns } | undefined;
  /** Undefined where a pod's network cannot be one that was made without knowing the pod. */
  readonly spares: Pick<SpareNetworks, "take"> | undefined;
}

/** As much as we read of a container (ContainerInspect). */
export interface ContainerState {
  readonly Id: string;
  readonly State: {
    readonly Running: boolean;
    readonly Paused?: boolean;
    readonly Pid?: number;
    readonly ExitCode: number;
    readonly OOMKilled?: boolean;
    readonly StartedAt?: string;
    readonly FinishedAt?: string;
    readonly Error?: string;
  };
  readonly Config: { readonly Labels?: Readonly<Record<string, string>> | null; readonly Tty?: boolean };
  readonly NetworkSettings?: {
    readonly IPAddress?: string;
    readonly Gateway?: string;
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string; readonly Gateway?: string }>> | null;
    readonly Ports?: Readonly<Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[] | null>> | null;
  };
}

export interface PodNetwork {
  /** Of the container that holds it. */
  readonly id: string;
  readonly place: PodPlace;
  /** Where ports are published on this machine, by container port; empty where the pod's own address is reachable. */
  readonly published: Readonly<Record<string, string>>;
  /** It was there and had ended: whatever was in it before is in it no more. */
  readonly isAnew: boolean;
}

const LOOPBACK = "127.0.0.1";
const SHARED = { IpcMode: "shareable", LogConfig: { Type: "none" }, RestartPolicy: { Name: "no" } };
/** Of the API; its certificate is for the first. */
const API_NAMES = ["kubernetes.default.svc", "kubernetes.default", "kubernetes"];

/**
 * Makes it, or finds the one that an earlier platform (or an attempt that was cut off) has made, and sees that it runs.
 * A pod that starts waits for every word with the daemon: where none is expected (`mayBeThere`), none is asked for first.
 */
export async function openNetwork(options: NetworkOptions, pod: Pod, mayBeThere: boolean): Promise<PodNetwork> {
  const { client } = options;
  const name = networkName(pod);
  let found = (mayBeThere ? await inspect(client, name) : undefined) ?? (await spareFor(options, pod)) ?? (await made(options, pod));
  const isAnew = found?.State.Running === false;
  if (found?.State.Running !== true) {
    await client.call({ method: "POST", path: `/containers/${name}/start` });
    found = await inspect(client, name);
  }
  if (found?.State.Running !== true) throw new Error(`failed to start the container that holds the pod's network: ${found?.State.Error ?? "it ended"}`);
  return { ...networkOf(found, options, pod), isAnew };
}

/** Hosts and resolver are files that we write: the daemon's containers are on this machine, and pods reach Services by name. */
export function givesFiles({ place, names }: Pick<NetworkOptions, "place" | "names">, { spec }: Pod): boolean {
  return place.isReachable && names !== undefined && spec.hostNetwork !== true;
}

async function spareFor(options: NetworkOptions, pod: Pod): Promise<ContainerState | undefined> {
  const isPlain = givesFiles(options, pod) && pod.spec.securityContext?.sysctls === undefined;
  return isPlain ? options.spares?.take(networkName(pod)) : undefined;
}

/** One that runs and is nobody's yet. */
export async function makeSpare({ client, images, platform, place }: Omit<NetworkOptions, "names" | "spares">, name: string): Promise<ContainerState> {
  const body = {
    Labels: { [LABELS.platform]: platform, [LABELS.container]: "" },
    HostConfig: { NetworkMode: place.network, ...SHARED },
  };
  await withPause(images, (image) => client.call({ method: "POST", path: "/containers/create", query: { name }, body: { Image: image, ...body } }));
  await client.call({ method: "POST", path: `/containers/${name}/start` });
  const state = await inspect(client, name);
  if (state?.State.Running !== true) throw new Error("a container that holds a network ended at once");
  return state;
}

/** Somebody may have removed the image. */
async function withPause(images: DaemonImages, make: (image: string) => Promise<unknown>): Promise<void> {
  await make(await images.pause()).catch(async (error: unknown) => {
    if (!(error instanceof DaemonError) || error.status !== 404) throw error;
    await make(await images.pause({ again: true }));
  });
}

/** Undefined when it is new; else the one that has its name. */
async function made(options: NetworkOptions, pod: Pod): Promise<ContainerState | undefined> {
  const { client, images } = options;
  try {
    await withPause(images, (image) => create(options, pod, image));
    return undefined;
  } catch (error) {
    const found = mayBeTaken(error) ? await inspect(client, networkName(pod)) : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

/** Docker answers 409 to a name that is taken, Podman 4 answers 500. */
export function mayBeTaken(error: unknown): boolean {
  return error instanceof DaemonError && (error.status === 409 || error.status === 500);
}

export function networkName(pod: Pod): string {
  return containerName(pod, "network", 0);
}

/** Undefined when there is no such container. */
export async function inspect(client: DaemonClient, id: string): Promise<ContainerState | undefined> {
  try {
    return await client.call<ContainerState>({ method: "GET", path: `/containers/${id}/json` });
  } catch (error) {
    if (error instanceof DaemonError && error.status === 404) return undefined;
    throw error;
  }
}

async function create(options: NetworkOptions, pod: Pod, image: string): Promise<void> {
  const { client, platform, place, names } = options;
  const { spec } = pod;
  const ports = place.isReachable ? [] : portsOf(pod);
  const isHost = spec.hostNetwork === true;
  const body = {
    Image: image,
    ...(isHost ? {} : { Hostname: hostnameOf(pod) }),
    Labels: { ...podLabels(platform, pod), [LABELS.container]: "" },
    ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])) }),
    HostConfig: {
      NetworkMode: isHost ? "host" : place.network,
      ...SHARED,
      ...(ports.length === 0 ? {} : { PortBindings: Object.fromEntries(ports.map((port) => [port, [{ HostIp: LOOPBACK, HostPort: "" }]])) }),
      ...(isHost || givesFiles(options, pod)
        ? {}
        : { ExtraHosts: [...hostAliases(pod), ...API_NAMES.map((name) => `${name}:${names?.api ?? (place.isReachable ? place.gateway : "host-gateway")}`)] }),
      ...(givesFiles(options, pod) || (isHost && !(names !== undefined && asksForCluster(pod))) ? {} : names === undefined ? dnsOf(pod) : dnsBody(names.dns)),
      ...(spec.securityContext?.sysctls === undefined
        ? {}
        : { Sysctls: Object.fromEntries(spec.securityContext.sysctls.map(({ name, value }) => [name, value])) }),
    },
  };
  await client.call({ method: "POST", path: "/containers/create", query: { name: networkName(pod) }, body });
}

function hostAliases({ spec }: Pod): string[] {
  return (spec.hostAliases ?? []).flatMap(({ ip, hostnames = [] }) => hostnames.map((name) => `${name}:${ip}`));
}

function dnsOf({ spec }: Pod): object {
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {};
  return dnsBody({ nameservers, searches, options: options.map(({ name = "", value }) => (value === undefined ? name : `${name}:${value}`)) });
}

function dnsBody({ nameservers, searches, options }: PodDns): object {
  return {
    ...(nameservers.length === 0 ? {} : { Dns: nameservers }),
    ...(searches.length === 0 ? {} : { DnsSearch: searches }),
    ...(options.length === 0 ? {} : { DnsOptions: options }),
  };
}

function portsOf({ spec }: Pod): string[] {
  const all = [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ ports = [] }) => ports);
  return [...new Set(all.filter(({ protocol }) => (protocol ?? "TCP") === "TCP").map(({ containerPort }) => `${containerPort}/tcp`))];
}

function networkOf({ Id: id, NetworkSettings: settings = {} }: ContainerState, { place, names }: NetworkOptions, pod: Pod): Omit<PodNetwork, "isAnew"> {
  const named = Object.values(settings.Networks ?? {}).find(({ IPAddress }) => (IPAddress ?? "") !== "");
  const isHost = pod.spec.hostNetwork === true;
  const podIP = isHost ? LOOPBACK : (settings.IPAddress ?? "") === "" ? (named?.IPAddress ?? "") : (settings.IPAddress ?? "");
  if (podIP === "") throw new Error("the daemon gave the pod no address");
  const hostIP = isHost ? LOOPBACK : place.gateway;
  const loopback = isHost ? { loopback: LOOPBACK } : place.isReachable ? { loopback: names?.api ?? place.gateway } : {};
  const published = Object.entries(settings.Ports ?? {}).flatMap(([port, at]) => {
    const host = at?.find(({ HostPort }) => (HostPort ?? "") !== "");
    return host === undefined ? [] : [[port.replace(/\/.*/, ""), `${LOOPBACK}:${host.HostPort ?? ""}`]];
  });
  return { id, place: { podIP, hostIP, sharesPorts: false, ...loopback }, published: Object.fromEntries(published) as Record<string, string> };
}

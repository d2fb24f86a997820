// All that an engine has to know of a start: variables, mounts, hosts, where output and last words go.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Client } from "#client";
import type { CoreContainer, Pod } from "#kinds";
import { parseAddress } from "../addresses.ts";
import { ContainerConfigError, type ContainerStart, type PodPlace } from "../engine.ts";
import { environmentOf, expand } from "./environment.ts";
import type { OpenedPod, PodEngine } from "./pod-engine.ts";
import type { NodeResources } from "./pod-fields.ts";
import { serviceLinks, serviceVariables } from "./service-links.ts";
import { PodVolumes, type VolumeTools } from "./volumes/pod-volumes.ts";
import { VolumeError } from "./volumes/volume-files.ts";

export interface StartTools extends VolumeTools {
  readonly client: Client;
  readonly node: NodeResources;
  /** Where the API listens on the machine's loopback; undefined: pods are not told. */
  readonly apiPort?: number | undefined;
  readonly outputFile: (podUid: string, container: string, restarts: number) => string;
}

const LAST_WORDS_BYTES_MAX = 4096;

export class ContainerStarts {
  readonly #tools: StartTools;
  readonly #engine: PodEngine;
  readonly volumes: PodVolumes;

  constructor(tools: StartTools, engine: PodEngine, pod: Pod) {
    this.#tools = tools;
    this.#engine = engine;
    this.volumes = new PodVolumes(tools, pod);
  }

  /** Throws ContainerConfigError, or VolumeError for the whole pod. */
  async of(
    pod: Pod,
    container: CoreContainer,
    { engine, place, restarts, imageDigest }: OpenedPod & Pick<ContainerStart, "restarts" | "imageDigest">,
  ): Promise<ContainerStart> {
    const { uid } = pod.metadata;
    const mountsFiles = engine.withoutMounts !== true;
    if (mountsFiles) await this.volumes.prepare(pod, place);
    const given = place.sharesPorts ? this.givenPort(container) : undefined;
    const { client, node } = this.#tools;
    const api = mountsFiles ? apiFor(place, this.#tools.apiPort) : undefined;
    const around = { ...(await serviceLinks(client, pod)), ...api?.env };
    const resolved = await environmentOf(client, { pod, container, place, node, around });
    const env = { ...resolved, ...(given === undefined ? {} : { PORT: String(given) }) };
    const aliases = (pod.spec.hostAliases ?? []).map(({ ip, hostnames }) => ({ ip, names: hostnames ?? [] }));
    return {
      id: `${uid}/${container.name}`,
      pod,
      container,
      restarts,
      imageDigest,
      env,
      mounts: mountsFiles ? await this.#mounts(container, env) : [],
      place,
      addresses: this.#engine.addresses,
      hosts: [...(api?.hosts ?? []), ...aliases],
      ...(mountsFiles ? { terminationFile: this.terminationFile(uid, container.name, restarts) } : {}),
      outputFile: this.#tools.outputFile(uid, container.name, restarts),
    };
  }

  /** The reachable port that stands for the serving port; undefined for a container without ports. */
  givenPort({ ports }: CoreContainer): number | undefined {
    return ports?.[0] === undefined ? undefined : parseAddress(this.#engine.addresses[String(ports[0].containerPort)] ?? "")?.port;
  }

  /** Where the n-th start leaves its last words; the name is none that a volume can have. */
  terminationFile(podUid: string, container: string, restarts: number): string {
    return join(this.#tools.volumesDir, podUid, ".termination", `${container}-${restarts}`);
  }

  /** What it wrote to its termination message path, cut as the kubelet does; empty when it wrote nothing, or could not. */
  async lastWords(podUid: string, container: string, restarts: number): Promise<string> {
    const handle = await open(this.terminationFile(podUid, container, restarts), "r").catch(() => undefined);
    if (handle === undefined) return "";
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(LAST_WORDS_BYTES_MAX), 0, LAST_WORDS_BYTES_MAX, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await handle.close();
    }
  }

  /** For a container that is about to start: there, empty, and everybody's to write. */
  prepare({ terminationFile }: ContainerStart): void {
    if (terminationFile === undefined) return;
    mkdirSync(dirname(terminationFile), { recursive: true, mode: 0o711 });
    writeFileSync(terminationFile, "");
    chmodSync(terminationFile, 0o666);
  }

  async #mounts(container: CoreContainer, env: Readonly<Record<string, string>>) {
    try {
      return await this.volumes.mountsOf(container, (text) => expand(text, env));
    } catch (error) {
      throw error instanceof VolumeError ? new ContainerConfigError(error.message) : error;
    }
  }
}

/** Its certificate is for these names; an address of the pod's own network is none of them. */
const API_NAMES = ["kubernetes.default.svc", "kubernetes.default", "kubernetes"];
const MACHINE_LOOPBACK = "127.0.0.1";

function apiFor({ loopback }: PodPlace, port: number | undefined) {
  if (loopback === undefined || port === undefined) return undefined;
  const isOwn = loopback === MACHINE_LOOPBACK;
  const [name = ""] = API_NAMES;
  return {
    env: serviceVariables([{ name: "kubernetes", host: isOwn ? loopback : name, ports: [{ name: "https", port }] }]),
    hosts: isOwn ? [] : [{ ip: loopback, names: API_NAMES }],
  };
}

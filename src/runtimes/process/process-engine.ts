// The engine `process`: containers are host processes of the keeper, without isolation (decision 12).
import type { ImageStore } from "#images";
import type { Logger, Rng } from "#core";
import type { CoreContainer, Pod } from "#kinds";
import type { ProcessSpec } from "#protocol";
import { recordedAddresses } from "../addresses.ts";
import {
  ContainerConfigError,
  ContainerCreateError,
  OUTPUT_BYTES_MAX,
  type ContainerEngine,
  type ContainerStart,
  type EngineFactory,
  type EngineTools,
  type PodAddresses,
  type PodPlace,
  type RunningContainer,
  type RunningIdentity,
} from "../engine.ts";
import { containerUsage } from "../keeper/container-usage.ts";
import { ContainerInputs } from "../keeper/container-inputs.ts";
import type { KeeperClient } from "../keeper/keeper-client.ts";
import { KeeperCommands } from "../keeper/keeper-commands.ts";
import { KeeperContainers } from "../keeper/keeper-containers.ts";
import type { PodUsers } from "../keeper/pod-users.ts";
import { timesFileOf } from "../pod/log-times.ts";
import type { PodNames } from "../names/pod-names.ts";
import type { PodImages } from "../pod-images.ts";
import { isFree } from "../keeper/free-port.ts";
import { isThere, throughNames } from "./enter-names.ts";
import { launchSpec, searchPath } from "./launch.ts";
import { notHonoured } from "./not-honoured.ts";
import { processFolders, type ProcessFolders } from "./process-folders.ts";

export interface ProcessEngineOptions {
  readonly keeper: KeeperClient;
  readonly images: ImageStore;
  readonly podImages: PodImages;
  readonly users: PodUsers;
  readonly names: Pick<PodNames, "open" | "viewFor">;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Pods' folders go below it: `pods/`. */
  readonly dataDir: string;
  /** The platform's PATH; pods get its part of the host (`searchPath`). */
  readonly path: string;
}

const LOOPBACK = "127.0.0.1";
const PLACE: PodPlace = { podIP: LOOPBACK, hostIP: LOOPBACK, sharesPorts: true, loopback: LOOPBACK };

export function processEngine(options: ProcessEngineOptions): EngineFactory {
  return (tools) => new ProcessEngine(options, tools);
}

class ProcessEngine implements ContainerEngine {
  readonly name = "process";
  readonly withoutMounts = true;
  readonly notHonoured = notHonoured;
  readonly #options: ProcessEngineOptions;
  readonly #tools: EngineTools;
  readonly #folders: ProcessFolders;
  readonly #containers: KeeperContainers;
  readonly #commands: KeeperCommands;
  readonly #path: string;
  readonly #usage: ReturnType<typeof containerUsage>;
  /** Host ports of all pods, by pod. */
  readonly #ports = new Map<string, Set<number>>();
  readonly #inputs = new Map<string, ContainerInputs>();

  constructor(options: ProcessEngineOptions, tools: EngineTools) {
    const { clock } = tools;
    this.#options = options;
    this.#tools = tools;
    this.#folders = processFolders(options);
    this.#containers = new KeeperContainers({ ...options, runtime: "process" });
    this.#commands = new KeeperCommands({ ...options, containers: this.#containers, clock });
    this.#path = searchPath(options.path);
    this.#usage = containerUsage(clock);
  }

  list = () => this.#containers.list();
  sweep = (podUids: ReadonlySet<string>) => this.#containers.sweep(podUids);
  signal = (id: string, signal: "SIGTERM" | "SIGKILL") => this.#containers.signal(id, signal);
  exitOf = (id: string) => this.#containers.exitOf(id);
  forget = (id: string) => this.#containers.forget(id);

  open(pod: Pod): Promise<PodPlace> {
    // By the time that the first one has its image, they are there.
    void this.#options.names.open();
    this.#take(pod, recordedAddresses(pod));
    return Promise.resolve(PLACE);
  }

  image(pod: Pod, container: CoreContainer, signal: AbortSignal) {
    const tell = (message: string): void => this.#tools.imageProgress(pod.metadata.uid, container.name, message);
    return this.#options.podImages.ensure(pod, container, { tell, signal });
  }

  /** Whoever took a port since it was recorded (after a reboot, say) keeps it. */
  addresses(pod: Pod, _place: PodPlace, recorded: PodAddresses): PodAddresses {
    const { uid } = pod.metadata;
    const taken = new Set([...this.#ports.values()].flatMap((ports) => [...ports]).concat(Object.values(recorded).map(portOf)));
    const result: Record<string, string> = {};
    for (const { name, ports = [] } of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
      const holds = this.#containers.holds(`${uid}/${name}`);
      for (const { containerPort } of ports) {
        const known = recorded[String(containerPort)];
        const port = known !== undefined && (holds || isFree(portOf(known))) ? portOf(known) : this.#folders.freePort(taken);
        taken.add(port);
        result[String(containerPort)] = `${LOOPBACK}:${port}`;
      }
    }
    this.#take(pod, result);
    return result;
  }

  async start(start: ContainerStart) {
    const { pod, container } = start;
    const mount = container.volumeMounts?.find((each) => !each.mountPath.startsWith("/var/run/secrets/kubernetes.io/"));
    if (mount !== undefined)
      throw new ContainerConfigError(`the runtime "process" cannot mount volume "${mount.name}" at ${mount.mountPath}: a host process sees the host's files`);
    const made = async () => {
      const spec = await this.#launch(start);
      return { spec, input: await this.#inputsOf(pod).make(container, spec.user) };
    };
    const { spec, input } = await made().catch((error: unknown) => {
      throw new ContainerCreateError((error as Error).message, error);
    });
    return this.#containers.start({ ...spec, timesFile: timesFileOf(start.outputFile), ...(input === undefined ? {} : { input }) });
  }

  async exec(at: RunningContainer, { argv, stdin, tty }: { readonly argv: readonly string[]; readonly stdin: boolean; readonly tty: boolean }) {
    return this.#commands.exec(at, await this.#launch(await at.start(), argv), { stdin, tty });
  }

  async run(at: RunningContainer, argv: readonly string[], limits: { readonly timeoutMs: number; readonly signal: AbortSignal }) {
    return this.#commands.run(at, await this.#launch(await at.start(), argv), limits);
  }

  openInput({ pod, container }: RunningContainer) {
    return Promise.resolve(this.#inputsOf(pod).open(container));
  }

  freeze = (pod: Pod) => this.#signalAll(pod, "SIGSTOP");
  thaw = (pod: Pod) => this.#signalAll(pod, "SIGCONT");

  usage(_pod: Pod, running: readonly RunningIdentity[]) {
    return this.#usage(running);
  }

  async close(pod: Pod): Promise<void> {
    const { uid } = pod.metadata;
    this.#options.podImages.forget(pod);
    this.#ports.delete(uid);
    this.#inputs.get(uid)?.close();
    this.#inputs.delete(uid);
    await this.#folders.remove(uid);
  }

  async #launch({ id, pod, container, imageDigest, env, outputFile }: ContainerStart, argv?: readonly string[]): Promise<ProcessSpec> {
    const { uid, namespace = "" } = pod.metadata;
    const { images, users, names } = this.#options;
    const spec = launchSpec({
      id,
      pod,
      container,
      image: await images.materialize(imageDigest),
      env,
      ...this.#folders.prepare({ uid, namespace }, container.name),
      nodePath: users.nodePath,
      path: this.#path,
      outputFile,
      outputBytesMax: OUTPUT_BYTES_MAX,
      ...(argv === undefined ? {} : { argv }),
    });
    const view = await names.viewFor(pod);
    return view !== undefined && isThere(spec) ? throughNames(spec, view) : spec;
  }

  async #signalAll({ metadata: { uid }, spec }: Pod, signal: "SIGSTOP" | "SIGCONT"): Promise<void> {
    for (const { name } of [...(spec.initContainers ?? []), ...spec.containers]) {
      const id = `${uid}/${name}`;
      if (this.#containers.holds(id)) await this.#containers.signal(id, signal);
    }
  }

  #take({ metadata: { uid } }: Pod, addresses: PodAddresses): void {
    this.#ports.set(uid, new Set(Object.values(addresses).map(portOf)));
  }

  #inputsOf({ metadata: { uid } }: Pod): ContainerInputs {
    const known = this.#inputs.get(uid) ?? new ContainerInputs((container) => this.#folders.inputFifo(uid, container));
    this.#inputs.set(uid, known);
    return known;
  }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

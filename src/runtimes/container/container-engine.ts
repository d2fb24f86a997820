// The engine `container`: pods on a Docker-compatible daemon, by nothing but Docker's API.
import { appendFile } from "node:fs/promises";
import { constants } from "node:os";
import type { Duplex, Writable } from "node:stream";
import { uuid, type Logger, type Rng } from "#core";
import type { ImageStore } from "#images";
import type { CoreContainer, Pod } from "#kinds";
import {
  ContainerCreateError,
  EngineGoneError,
  PlaceLostError,
  type ContainerEngine,
  type ContainerStart,
  type EngineContainer,
  type EngineExit,
  type EngineFactory,
  type EngineIdentity,
  type EngineTools,
  type ImageAnswer,
  type PodAddresses,
  type PodPlace,
  type RunningContainer,
  type RunningIdentity,
} from "../engine.ts";
import { pullPolicyOf, type PodImages } from "../pod-images.ts";
import type { ContainerUsage } from "../port.ts";
import { runCommand, startCommand, type CommandTools } from "./command.ts";
import { containerBody } from "./container-body.ts";
import { DaemonError, type DaemonClient } from "./daemon-client.ts";
import { DaemonImages } from "./daemon-images.ts";
import type { PodDns } from "../names/pod-dns.ts";
import type { PodNames } from "../names/pod-names.ts";
import type { DaemonThere, LateDaemon } from "./late-daemon.ts";
import { setFrozen } from "./freezer.ts";
import { Leftovers } from "./leftovers.ts";
import { heldInput } from "./held-input.ts";
import { isAlone, withAlgorithm } from "./daemon-names.ts";
import { containerName, isSpare, labelFilter, LABELS, podUidOf, spareName, type Named } from "./labels.ts";
import { notHonoured } from "./not-honoured.ts";
import { podFiles } from "./pod-files.ts";
import { givesFiles, inspect, makeSpare, mayBeTaken, openNetwork, type ContainerState, type NetworkOptions, type PodNetwork } from "./pod-network.ts";
import { SpareNetworks } from "./spare-networks.ts";
import { usageOf, type DaemonStats } from "./usage.ts";
import { watchContainer } from "./watch-container.ts";

export interface ContainerEngineOptions {
  readonly daemon: Pick<LateDaemon, "there" | "why" | "mayCome" | "look">;
  readonly images: ImageStore;
  readonly podImages: PodImages;
  readonly logger: Logger;
  /** Of the data folder: what its containers are labelled with. */
  readonly platform: string;
  /** The first pod's network is there: the machine's own address on the bridge can be listened on. */
  readonly onBridge: () => Promise<void>;
  readonly names: PodNames;
  readonly rng: Rng;
  /** Files that we give to pods go below it. */
  readonly dataDir: string;
  /** Ends the following of outputs; containers are left as they are. */
  readonly signal: AbortSignal;
}

interface Listed extends Named {
  readonly Id: string;
  readonly State?: string;
}

export function containerEngine(options: ContainerEngineOptions): EngineFactory {
  return (tools) => new DockerEngine(options, tools);
}

interface OpenNetwork extends PodNetwork {
  /** Of the pod's own resolver file; undefined where the daemon has set up the resolver, and the hosts. */
  readonly dns: PodDns | undefined;
}

interface Known {
  readonly dockerId: string;
  readonly exit: Promise<EngineExit | null>;
  readonly stopSignal: string;
  /** Of its first process, where it is one of this machine. */
  readonly pid: number | undefined;
  /** The one connection to its input, kept open where the container's input outlives those who write. */
  input?: Promise<Duplex>;
}

/** All that depends on which daemon it is. */
interface Daemon extends DaemonThere {
  readonly client: DaemonClient;
  readonly images: DaemonImages;
  readonly commands: CommandTools;
}

class DockerEngine implements ContainerEngine {
  readonly name = "container";
  readonly notHonoured = notHonoured;
  readonly #options: ContainerEngineOptions;
  readonly #tools: EngineTools;
  readonly #leftovers: Leftovers;
  readonly #spares: SpareNetworks;
  /** By `<pod uid>/<container>`. */
  readonly #known = new Map<string, Known>();
  /** By pod uid. */
  readonly #networks = new Map<string, OpenNetwork>();
  #daemon: Daemon | undefined;
  #looking: Promise<void> | undefined;
  #listed: readonly Listed[] = [];
  /** Pods of which nothing may be removed, when the daemon was away at the sweep. */
  #owed: ReadonlySet<string> | undefined;

  constructor(options: ContainerEngineOptions, tools: EngineTools) {
    this.#options = options;
    this.#tools = tools;
    const { logger, signal } = options;
    const { clock } = tools;
    this.#leftovers = new Leftovers({ clock, logger, remove: (uid) => this.#removePod(uid) }, signal);
    this.#spares = new SpareNetworks(
      {
        clock,
        logger,
        make: () => this.#told(makeSpare(this.#networkTools, spareName(uuid(options.rng)))),
        list: async () => (await this.#listAll()).filter(isSpare).map(({ Id, State }) => ({ id: Id, isRunning: State === "running" })),
        inspect: (id) => this.#inspect(id),
        rename: (id, name) => this.#ask({ method: "POST", path: `/containers/${id}/rename`, query: { name } }),
        remove: (id) => this.#remove(id),
      },
      signal,
    );
  }

  isHere(): boolean | Promise<boolean> {
    if (this.#daemon !== undefined) return true;
    return this.#options.daemon.mayCome && this.#look().then(() => this.#daemon !== undefined);
  }

  /** One look at a time: to the sweep after the first one, what a pod makes meanwhile would be a stray. */
  async #look(): Promise<void> {
    if (this.#daemon === undefined) this.#looking ??= this.#find().finally(() => (this.#looking = undefined));
    await this.#looking;
  }

  /** The first time it is there, what earlier platforms left with it goes. */
  async #find(): Promise<void> {
    const { daemon: late, logger, images } = this.#options;
    const there = await late.look();
    if (there === undefined) return;
    const { daemon, place } = there;
    const { client } = daemon;
    const commands = { client, clock: this.#tools.clock, logger, sharesProcesses: place.sharesProcesses };
    this.#daemon = { ...there, client, images: new DaemonImages({ client, images, logger, architecture: daemon.architecture }), commands };
    const owed = this.#owed;
    this.#owed = undefined;
    if (owed === undefined) return;
    this.#listed = await this.#listAll().catch(() => []);
    await this.sweep(owed).catch((err: unknown) => logger.warn("containers without a pod were not removed", { err }));
  }

  get #there(): Daemon {
    if (this.#daemon === undefined) throw new EngineGoneError(`no container daemon: ${this.#options.daemon.why}`);
    return this.#daemon;
  }

  /** Of several starts of a container the last one counts; the others are swept. Nothing while the daemon is away. */
  async list(): Promise<readonly EngineContainer[]> {
    await this.#look();
    if (this.#daemon === undefined) return [];
    this.#listed = await this.#listAll();
    const last = new Map<string, Listed>();
    for (const each of this.#listed) {
      const id = idOf(each);
      if (id !== undefined && startOf(each) >= startOf(last.get(id))) last.set(id, each);
    }
    const found = await Promise.all([...last].map(async ([id, { Id }]) => ({ id, state: await this.#inspect(Id) })));
    return found.flatMap(({ id, state }) => (state === undefined ? [] : [this.#adopt(id, state)]));
  }

  async sweep(podUids: ReadonlySet<string>): Promise<void> {
    if (this.#daemon === undefined) {
      this.#owed = podUids;
      return;
    }
    const kept = new Set([...this.#known.values()].map(({ dockerId }) => dockerId));
    for (const each of this.#listed) {
      const uid = podUidOf(each);
      if (podUids.has(uid) && (idOf(each) === undefined || kept.has(each.Id))) continue;
      // Pods start meanwhile: by now it may be one's.
      if (isSpare(each)) continue;
      this.#options.logger.info("container without a pod is removed", { container: each.Id, pod: uid });
      await this.#remove(each.Id);
    }
    this.#listed = [];
    await this.#spares.tidy();
  }

  /** A network that had ended is a new one: what still runs in the old one cannot be reached and is ended. */
  async open(pod: Pod): Promise<PodPlace> {
    await this.#look();
    const { onBridge, names } = this.#options;
    const { uid } = pod.metadata;
    const { place } = this.#there;
    const found = place.isReachable ? await names.open(place.gateway) : undefined;
    const reached = found === undefined ? undefined : { api: found.api, dns: names.dnsFor(pod, pod.spec.hostNetwork !== true) };
    const options = { ...this.#networkTools, names: reached, spares: this.#sparesOf(this.#daemon) };
    const known = [...this.#known.keys()].filter((id) => id.startsWith(`${uid}/`));
    const mayBeThere = known.length > 0 || this.#networks.has(uid);
    const network = await this.#told(openNetwork(options, pod, mayBeThere));
    this.#networks.set(uid, { ...network, dns: givesFiles(options, pod) ? reached?.dns : undefined });
    // Its containers may never start; those that do put it off.
    this.#makeAhead(uid);
    if (network.isAnew) for (const id of known) await this.signal(id, "SIGKILL");
    await onBridge();
    return network.place;
  }

  /** What only the daemon holds is used as it is; everything else comes by way of the image store, so that there is one way to pull. */
  async image(pod: Pod, container: CoreContainer, signal: AbortSignal): Promise<ImageAnswer> {
    const { image = "", imagePullPolicy } = container;
    const { images, podImages } = this.#options;
    if ((await images.resolve(image)) === undefined) {
      await this.#look();
      const found = await this.#told(this.#there.images.find(image));
      if (found !== undefined && (isAlone(found) || pullPolicyOf(image, imagePullPolicy) !== "Always")) return { digest: withAlgorithm(found.Id) };
    }
    const tell = (message: string): void => this.#tools.imageProgress(pod.metadata.uid, container.name, message);
    return podImages.ensure(pod, container, { tell, signal });
  }

  addresses(pod: Pod, { podIP }: PodPlace): PodAddresses {
    const published = this.#networks.get(pod.metadata.uid)?.published ?? {};
    const ports = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap((container) => container.ports ?? []);
    const { isReachable } = this.#there.place;
    return Object.fromEntries(
      ports.map(({ containerPort }) => [String(containerPort), isReachable ? `${podIP}:${containerPort}` : (published[String(containerPort)] ?? "")]),
    );
  }

  async start(start: ContainerStart): Promise<EngineIdentity> {
    const { id, pod, container, restarts } = start;
    const { uid } = pod.metadata;
    // Podman would start it again by itself, with another address.
    if (restarts > 0) await this.#mustHaveNetwork(uid);
    try {
      const dockerId = await this.#run(start, containerName(pod, container.name, restarts));
      const state = await this.#inspect(dockerId);
      if (state === undefined) throw new Error("the daemon started the container and does not have it");
      return this.#adopt(id, state).identity;
    } catch (error) {
      if (error instanceof DaemonError || error instanceof ContainerCreateError) await this.#mustHaveNetwork(uid);
      throw error;
    } finally {
      this.#makeAhead(uid);
    }
  }

  /** Throws PlaceLostError when the container that holds the network has ended or is gone. */
  async #mustHaveNetwork(uid: string): Promise<void> {
    const network = this.#networks.get(uid);
    const state = network === undefined ? undefined : await this.#inspect(network.id);
    if (state?.State.Running === true) return;
    this.#networks.delete(uid);
    throw new PlaceLostError("the container that holds the pod's network has ended");
  }

  /** Creates and starts it; one that does not start is removed. */
  async #run(start: ContainerStart, name: string): Promise<string> {
    const { imageDigest, pod } = start;
    const { daemon, images, place } = this.#there;
    const network = this.#networks.get(pod.metadata.uid);
    if (network === undefined) throw new PlaceLostError("the pod has no network");
    const { name: image, inspected } = await this.#told(images.ready(imageDigest));
    const { platform, dataDir } = this.#options;
    const files = network.dns === undefined ? [] : podFiles(start, { dataDir, dns: network.dns, machine: place.gateway });
    const body = containerBody(start, { platform, engine: daemon.engine, image, inspected, network: network.id, files });
    // A start without a word is a start.
    await appendFile(start.outputFile, "", { mode: 0o600 });
    const dockerId = await this.#create(name, body, imageDigest).catch((error: unknown) => {
      throw error instanceof EngineGoneError ? error : new ContainerCreateError((error as Error).message, error);
    });
    await this.#ask({ method: "POST", path: `/containers/${dockerId}/start` }).catch(async (error: unknown) => {
      if (!(error instanceof EngineGoneError)) await this.#remove(dockerId);
      throw error;
    });
    return dockerId;
  }

  async signal(id: string, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const known = this.#known.get(id);
    if (known === undefined) return;
    // What does not run does not end either, unless it is killed.
    if (known.pid !== undefined) setFrozen({ ...known, pid: known.pid }, false);
    const sent = signal === "SIGTERM" ? known.stopSignal : signal;
    try {
      await this.#ask({ method: "POST", path: `/containers/${known.dockerId}/kill`, query: { signal: sent } });
    } catch (error) {
      // It has ended, or is gone.
      if (!isStatus(error, 404, 409)) throw error;
    }
  }

  exitOf(id: string): Promise<EngineExit | null> {
    return this.#known.get(id)?.exit ?? Promise.resolve(null);
  }

  async forget(id: string): Promise<void> {
    const known = this.#known.get(id);
    if (known === undefined) return;
    void known.input?.then((connection) => connection.destroy()).catch(() => undefined);
    await this.#remove(known.dockerId);
    if (this.#known.get(id) === known) this.#known.delete(id);
  }

  exec({ id, over }: RunningContainer, { argv, stdin, tty }: { readonly argv: readonly string[]; readonly stdin: boolean; readonly tty: boolean }) {
    return startCommand(this.#there.commands, this.#dockerId(id), { argv, stdin, tty }, over);
  }

  run({ id }: RunningContainer, argv: readonly string[], limits: { readonly timeoutMs: number; readonly signal: AbortSignal }) {
    return runCommand(this.#there.commands, this.#dockerId(id), argv, limits);
  }

  /** An input that is to outlive who writes to it is one connection for all of them: Podman ends the input of a container with any connection to it. */
  async openInput({ id, container }: RunningContainer): Promise<Writable | undefined> {
    const known = this.#known.get(id);
    if (container.stdin !== true || known === undefined) return undefined;
    const connect = (): Promise<Duplex> =>
      this.#there.client.takeOver({ method: "POST", path: `/containers/${known.dockerId}/attach`, query: { stream: "1", stdin: "1" } });
    if (container.stdinOnce === true) return connect();
    known.input ??= connect();
    known.input.catch(() => delete known.input);
    return heldInput(await known.input);
  }

  freeze = (pod: Pod) => this.#each(pod, true);
  thaw = (pod: Pod) => this.#each(pod, false);

  async usage({ metadata: { uid } }: Pod, running: readonly RunningIdentity[]): Promise<readonly ContainerUsage[]> {
    const query = { stream: "false", "one-shot": "true" };
    const usages = await Promise.all(
      running.map(async ({ container: name }) => {
        const path = `/containers/${this.#dockerId(`${uid}/${name}`)}/stats`;
        const stats = await this.#ask<DaemonStats>({ method: "GET", path, query }).catch(() => undefined);
        return stats === undefined ? [] : [usageOf(stats, { name, atMs: this.#tools.clock.monotonicMs() })];
      }),
    );
    return usages.flat();
  }

  /** While the daemon is away the pod goes all the same; what it had is removed as soon as the daemon is back. */
  async close(pod: Pod): Promise<void> {
    const { uid } = pod.metadata;
    this.#options.podImages.forget(pod);
    this.#networks.delete(uid);
    for (const id of this.#known.keys()) if (id.startsWith(`${uid}/`)) this.#known.delete(id);
    // A pod that never had a daemon has nothing there, unless an earlier platform made it.
    if (this.#daemon === undefined && this.#owed?.has(uid) !== true) return;
    await this.#removePod(uid).catch((error: unknown) => {
      if (!(error instanceof EngineGoneError)) throw error;
      this.#leftovers.add(uid);
    });
  }

  async #removePod(uid: string): Promise<void> {
    await this.#look();
    const query = { all: "true", filters: labelFilter({ [LABELS.platform]: this.#options.platform }, `_${uid}`) };
    // The one that holds the network goes last: the others name it.
    const all = (await this.#ask<Listed[]>({ method: "GET", path: "/containers/json", query })).toSorted(byRole);
    for (const { Id } of all) await this.#remove(Id);
  }

  /** Only where they would be taken: pods have files of ours instead of the daemon's. */
  #makeAhead(podUid: string): void {
    if (this.#networks.get(podUid)?.dns !== undefined) this.#sparesOf(this.#daemon)?.refill();
  }

  /** Undefined for Docker, whose containers have the hostname of the one that holds their network: that is said when it is made. */
  #sparesOf(daemon: Daemon | undefined): SpareNetworks | undefined {
    return daemon?.daemon.engine === "podman" && daemon.place.isReachable ? this.#spares : undefined;
  }

  get #networkTools(): Omit<NetworkOptions, "names" | "spares"> {
    const { client, images, place } = this.#there;
    const { logger, platform } = this.#options;
    return { client, images, logger, platform, place };
  }

  #listAll(): Promise<Listed[]> {
    const query = { all: "true", filters: labelFilter({ [LABELS.platform]: this.#options.platform }) };
    return this.#ask<Listed[]>({ method: "GET", path: "/containers/json", query });
  }

  #dockerId(id: string): string {
    const known = this.#known.get(id);
    if (known === undefined) throw new Error(`container not found (${JSON.stringify(id)})`);
    return known.dockerId;
  }

  /** A name that is taken is of an attempt that was cut off: what it made is unmade. An image that is gone is sent again. */
  async #create(name: string, body: object, imageDigest: string): Promise<string> {
    const create = () => this.#ask<{ readonly Id: string }>({ method: "POST", path: "/containers/create", query: { name }, body });
    const { Id } = await create().catch(async (error: unknown) => {
      if (mayBeTaken(error) && (await this.#inspect(name)) !== undefined) await this.#remove(name);
      else if (isStatus(error, 404)) {
        const { images } = this.#there;
        images.forget(imageDigest);
        await this.#told(images.ready(imageDigest));
      } else throw error;
      return create();
    });
    return Id;
  }

  #adopt(id: string, state: ContainerState): EngineContainer {
    const { logger, signal } = this.#options;
    const { client, daemon, place } = this.#there;
    const { Id: dockerId, State, Config } = state;
    const labels = Config.Labels ?? {};
    const watched = { client, clock: this.#tools.clock, logger, dockerId, tty: Config.Tty === true, outputFile: labels[LABELS.output] ?? "" };
    const exit = watchContainer(watched, signal);
    const pid = place.sharesProcesses ? State.Pid : undefined;
    this.#known.set(id, { dockerId, exit, stopSignal: signalName(labels[LABELS.stopSignal]), pid: State.Running ? pid : undefined });
    const identity = { containerId: `${daemon.engine}://${dockerId}`, pid };
    return { id, identity, running: State.Running };
  }

  /** Sidecars, too. */
  async #each({ metadata: { uid } }: Pod, frozen: boolean): Promise<void> {
    const all = [...this.#known].flatMap(([id, known]) => (id.startsWith(`${uid}/`) ? [known] : []));
    const turn = async ({ dockerId, pid }: Known): Promise<void> => {
      if (pid !== undefined && setFrozen({ pid, dockerId }, frozen)) return;
      await this.#ask({ method: "POST", path: `/containers/${dockerId}/${frozen ? "pause" : "unpause"}` }).catch((error: unknown) => {
        // It is so already, or has ended.
        if (!isStatus(error, 404, 409, 500)) throw error;
      });
    };
    await Promise.all(all.map(turn));
  }

  async #inspect(dockerId: string): Promise<ContainerState | undefined> {
    return this.#told(inspect(this.#there.client, dockerId));
  }

  async #remove(container: string): Promise<void> {
    try {
      await this.#ask({ method: "DELETE", path: `/containers/${container}`, query: { force: "true", v: "true" } });
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  }

  async #ask<T = unknown>(request: Parameters<DaemonClient["call"]>[0]): Promise<T> {
    return this.#told(this.#there.client.call<T>(request));
  }

  /** A daemon that is away has not refused. */
  #told<T>(answer: Promise<T>): Promise<T> {
    return answer.catch((error: unknown) => {
      throw error instanceof DaemonError && error.isGone ? new EngineGoneError(error.message, error) : error;
    });
  }
}

function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof DaemonError && statuses.includes(error.status);
}

/** Undefined for the one that holds a network. */
function idOf({ Labels: labels }: Listed): string | undefined {
  const container = labels?.[LABELS.container] ?? "";
  return container === "" ? undefined : `${labels?.[LABELS.uid] ?? ""}/${container}`;
}

function startOf(listed: Listed | undefined): number {
  return Number(listed?.Labels?.[LABELS.restarts] ?? -1);
}

function byRole(a: Listed, b: Listed): number {
  return Number(idOf(a) === undefined) - Number(idOf(b) === undefined);
}

/** `15`, `TERM` and `SIGTERM` are the same to daemons. What none of them knows would leave the container without an end. */
function signalName(text = ""): string {
  const name = /^\d+$/.test(text) ? text : `SIG${text.toUpperCase().replace(/^SIG/, "")}`;
  return /^\d+$/.test(name) || name in constants.signals || /^SIGRTM(IN|AX)/.test(name) ? name : "SIGTERM";
}

// The engine `sandbox`: containers are processes of the keeper in namespaces of their own, their roots layers of images on top of one another.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { StatusError, type Logger, type Rng } from "#core";
import type { ImageStore, LayerFolders } from "#images";
import type { CoreContainer, Pod } from "#kinds";
import {
  OUTPUT_BYTES_MAX,
  type ContainerEngine,
  type ContainerStart,
  type EngineExit,
  type EngineFactory,
  type EngineIdentity,
  type EngineTools,
  type PodAddresses,
  type PodPlace,
  type RunningContainer,
  type RunningIdentity,
} from "../engine.ts";
import { containerUsage } from "../keeper/container-usage.ts";
import { freePort, isFree } from "../keeper/free-port.ts";
import { ContainerInputs } from "../keeper/container-inputs.ts";
import type { KeeperClient } from "../keeper/keeper-client.ts";
import { KeeperCommands, type CommandSpec } from "../keeper/keeper-commands.ts";
import { KeeperContainers } from "../keeper/keeper-containers.ts";
import type { PodUsers } from "../keeper/pod-users.ts";
import { Lull } from "../lull.ts";
import { resolvConf } from "../names/pod-dns.ts";
import type { PodNames } from "../names/pod-names.ts";
import type { PodImages } from "../pod-images.ts";
import { timesFileOf } from "../pod/log-times.ts";
import { makeContainerFolder } from "./container-folder.ts";
import { becomes, enters, insideOf, joins, TOOLS, TOOLS_MARK, travelling, type Identity } from "./enter.ts";
import { hostPathOf } from "./host-base.ts";
import { userOf, type ContainerUser } from "./image-user.ts";
import { launchFor, programComplaint } from "./launch.ts";
import { limitsOf } from "./limits.ts";
import { notHonoured } from "./not-honoured.ts";
import { below, firstChild } from "./process-tree.ts";
import { removeFolder } from "./remove-folder.ts";
import { identityFor, isFiltered } from "./privileges.ts";
import { filteredArchitecture, filterToolIn } from "./seccomp-tools.ts";
import { podFolders, unsharing, type SandboxHost } from "./sandbox-host.ts";

export interface SandboxEngineOptions {
  readonly host: SandboxHost;
  readonly keeper: KeeperClient;
  readonly images: ImageStore;
  readonly layers: LayerFolders;
  readonly podImages: PodImages;
  readonly names: PodNames;
  /** Lets pods reach this machine at its own address on their bridge. */
  readonly onBridge: (address: string) => Promise<void>;
  readonly users: PodUsers;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly dataDir: string;
  /** Where `script` is looked for, for terminals. */
  readonly path: string;
  /** Until then networks are made ahead. */
  readonly signal: AbortSignal;
}

const LOOPBACK = "127.0.0.1";
/** Beside those of `process`, below the system's own. */
const PORTS = { first: 12_000, count: 8_000 } as const;
const SHARED: PodPlace = { podIP: LOOPBACK, hostIP: LOOPBACK, sharesPorts: true };
/** A container that was just started has its root after this many looks. */
const ROOT_TRIES = 100;
const ROOT_EVERY_MS = 5;
/** The kernel takes its time to end the last processes of a group. */
const GROUP_TRIES = 200;
const GROUP_EVERY_MS = 10;

export function sandboxEngine(options: SandboxEngineOptions): EngineFactory {
  return (tools) => new SandboxEngine(options, tools);
}

class SandboxEngine implements ContainerEngine {
  readonly name = "sandbox";
  readonly #options: SandboxEngineOptions;
  readonly #tools: EngineTools;
  readonly #containers: KeeperContainers;
  readonly #commands: KeeperCommands;
  readonly #usage: ReturnType<typeof containerUsage>;
  readonly #lull: Lull;
  readonly #inputs = new Map<string, ContainerInputs>();
  /** Leaders of containers: what the keeper started. */
  readonly #pids = new Map<string, number>();
  /** Kills for want of memory before this start. */
  readonly #oomKills = new Map<string, number>();
  readonly #imagesOf = new Map<string, string>();
  /** By pod, where pods share the machine's. */
  readonly #ports = new Map<string, readonly number[]>();

  constructor(options: SandboxEngineOptions, tools: EngineTools) {
    this.#options = options;
    this.#tools = tools;
    this.#lull = new Lull(tools.clock);
    this.#usage = containerUsage(tools.clock);
    this.#containers = new KeeperContainers({ ...options, runtime: "sandbox" });
    this.#commands = new KeeperCommands({ ...options, containers: this.#containers, clock: tools.clock });
  }

  notHonoured = (spec: Pod["spec"], path: string) => notHonoured(spec, path, this.#options.host);
  forget = (id: string) => this.#containers.forget(id);

  async list() {
    const listed = await this.#containers.list();
    for (const { id, identity, running } of listed) {
      if (running && identity.pid !== undefined) this.#pids.set(id, identity.pid);
      const digest = running ? readImage(this.#imageFile(id)) : undefined;
      if (digest !== undefined) this.#imagesOf.set(id, digest);
    }
    return listed;
  }

  async sweep(podUids: ReadonlySet<string>): Promise<void> {
    await this.#containers.sweep(podUids);
    const { networks, groups, dir } = this.#options.host;
    const strays = new Set([...podFolders(dir), ...groups.podUids()].filter((uid) => !podUids.has(uid)));
    for (const uid of strays) await this.#unmake(uid);
    await networks?.sweep(podUids);
  }

  async open(pod: Pod): Promise<PodPlace> {
    const { networks } = this.#options.host;
    if (networks === undefined) return SHARED;
    const { ip, gateway } = await networks.take(pod.metadata.uid);
    // Its containers may never start; those that do put it off.
    this.#makeAhead();
    const { names, onBridge } = this.#options;
    const [place] = await Promise.all([names.open(gateway), onBridge(gateway)]);
    return { podIP: ip, hostIP: gateway, sharesPorts: false, loopback: place?.api ?? gateway };
  }

  image(pod: Pod, container: CoreContainer, signal: AbortSignal) {
    const tell = (message: string): void => this.#tools.imageProgress(pod.metadata.uid, container.name, message);
    return this.#options.podImages.ensure(pod, container, { tell, signal });
  }

  addresses(pod: Pod, { podIP, sharesPorts }: PodPlace, recorded: PodAddresses): PodAddresses {
    if (sharesPorts) return this.#sharedAddresses(pod, recorded);
    const ports = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].flatMap((container) => container.ports ?? []);
    return Object.fromEntries(ports.map(({ containerPort }) => [String(containerPort), `${podIP}:${containerPort}`]));
  }

  /** As for `process`: the machine's ports, which no two pods can share. Whoever took one since it was recorded keeps it. */
  #sharedAddresses({ metadata: { uid }, spec }: Pod, recorded: PodAddresses): PodAddresses {
    const taken = new Set([...this.#ports].flatMap(([pod, ports]) => (pod === uid ? [] : ports)));
    const result: Record<string, string> = {};
    for (const { name, ports = [] } of [...(spec.initContainers ?? []), ...spec.containers])
      for (const { containerPort } of ports) {
        const known = Number(recorded[String(containerPort)]?.split(":").at(-1) ?? 0);
        const port = known > 0 && (this.#containers.holds(`${uid}/${name}`) || isFree(known)) ? known : freePort(PORTS, taken, this.#options.rng);
        taken.add(port);
        result[String(containerPort)] = `${LOOPBACK}:${port}`;
      }
    this.#ports.set(
      uid,
      Object.values(result).map((address) => Number(address.split(":")[1])),
    );
    return result;
  }

  /** What the next pod takes is made once this one's program has had its time. */
  async start(start: ContainerStart): Promise<EngineIdentity> {
    try {
      return await this.#start(start);
    } finally {
      this.#makeAhead();
    }
  }

  #makeAhead(): void {
    const { host, signal } = this.#options;
    this.#lull.disturb();
    void host.networks?.refill(() => this.#lull.come(signal));
  }

  async #start(start: ContainerStart): Promise<EngineIdentity> {
    const { host, layers, logger } = this.#options;
    const { pod, container, id } = start;
    const { uid } = pod.metadata;
    const { image, user, launch } = await this.#launch(start);
    const folder = join(this.#podFolder(uid), container.name, String(start.restarts));
    // Of an attempt that the keeper did not live to make.
    removeFolder(folder);
    const made = makeContainerFolder({
      start,
      image,
      layersDir: layers.dir,
      user,
      cwd: launch.cwd,
      folder,
      deviceFolder: host.deviceFolder,
      toolsFolder: host.toolsFolder,
      groupsFolder: host.groupsFolder,
      groups: host.groups.views(uid, container.name),
      nodePath: this.#options.users.nodePath,
      owners: host.asRoot,
      overlayOptions: host.overlayOptions,
      resolvConf: resolvConf(this.#options.names.dnsFor(pod, host.networks !== undefined)),
    });
    const complaint = programComplaint(launch, made.layers);
    if (complaint !== undefined) throw new Error(complaint);
    const groupFiles = host.groups.make(uid, container.name, limitsOf(container, pod.spec.containers));
    this.#oomKills.set(id, host.groups.oomKills(uid, container.name));
    const { programs } = host;
    const entering = {
      groupFiles,
      hostname: pod.metadata.name,
      hostnameProgram: host.asRoot ? undefined : programs.hostname,
      layersDir: layers.dir,
      ...made,
      mount: programs.path("mount"),
      pivotRoot: programs.path("pivot_root"),
    };
    const variables = travelling(launch.env);
    const identity = this.#identity(start, user);
    const program = { argv: launch.argv, cwd: launch.cwd, identity, variables: Object.keys(variables).length };
    const input = await this.#inputsOf(pod).make(container);
    const started = await this.#containers.start({
      id,
      argv: [...this.#joiningNetwork(uid), ...unsharing(host), programs.path("sh"), "-c", `${enters(entering)}\n${becomes(program)}`],
      env: variables,
      cwd: "/",
      outputFile: start.outputFile,
      outputBytesMax: OUTPUT_BYTES_MAX,
      timesFile: timesFileOf(start.outputFile),
      ...(input === undefined ? {} : { input }),
    });
    this.#imagesOf.set(id, image.digest);
    writeFileSync(this.#imageFile(id), image.digest);
    if (started.pid !== undefined) this.#pids.set(id, started.pid);
    if (start.restarts > 0)
      void this.#remove(join(folder, "..", String(start.restarts - 1))).catch((err: unknown) =>
        logger.warn("files of an earlier start were not removed", { pod: pod.metadata.name, err }),
      );
    return started;
  }

  async signal(id: string, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const first = this.#first(id);
    // The first process of its namespace takes all others along, also those that left its group.
    if (signal === "SIGKILL" && first !== undefined) kill(first, signal);
    await this.#containers.signal(id, signal);
  }

  async exitOf(id: string): Promise<EngineExit | null> {
    const exit = await this.#containers.exitOf(id);
    this.#pids.delete(id);
    const [uid = "", container = ""] = id.split("/");
    const oomKilled = this.#options.host.groups.oomKills(uid, container) > (this.#oomKills.get(id) ?? 0);
    return exit === null ? null : { ...exit, oomKilled };
  }

  async exec(at: RunningContainer, { argv, stdin, tty }: { readonly argv: readonly string[]; readonly stdin: boolean; readonly tty: boolean }) {
    return this.#commands.exec(at, await this.#command(at, argv, tty), { stdin, tty });
  }

  async run(at: RunningContainer, argv: readonly string[], limits: { readonly timeoutMs: number; readonly signal: AbortSignal }) {
    return this.#commands.run(at, await this.#command(at, argv, false), limits);
  }

  openInput({ pod, container }: RunningContainer) {
    return Promise.resolve(this.#inputsOf(pod).open(container));
  }

  freeze(pod: Pod): Promise<void> {
    if (!this.#options.host.groups.freeze(pod.metadata.uid, true)) this.#signalTrees(pod, "SIGSTOP");
    return Promise.resolve();
  }

  thaw(pod: Pod): Promise<void> {
    if (!this.#options.host.groups.freeze(pod.metadata.uid, false)) this.#signalTrees(pod, "SIGCONT");
    return Promise.resolve();
  }

  /** By control groups where there are any: they count what a process tree has lost sight of, too. */
  async usage({ metadata: { uid } }: Pod, running: readonly RunningIdentity[]) {
    const atMs = this.#tools.clock.monotonicMs();
    const rows = running.map(({ container: name }) => ({ name, usage: this.#options.host.groups.usage(uid, name) }));
    if (rows.some(({ usage }) => usage === undefined)) return this.#usage(running);
    return rows.flatMap(({ name, usage }) => (usage === undefined ? [] : [{ name, ...usage, atMs }]));
  }

  async close(pod: Pod): Promise<void> {
    const { uid } = pod.metadata;
    this.#options.podImages.forget(pod);
    this.#inputs.delete(uid);
    this.#ports.delete(uid);
    for (const each of [this.#pids, this.#oomKills, this.#imagesOf]) for (const id of each.keys()) if (id.startsWith(`${uid}/`)) each.delete(id);
    await this.#unmake(uid);
    await this.#prune();
  }

  /** Also what a crash left: processes, groups, network, files. */
  async #unmake(uid: string): Promise<void> {
    const { groups, networks } = this.#options.host;
    const { clock, logger } = { ...this.#tools, ...this.#options };
    const never = new AbortController().signal;
    groups.freeze(uid, false);
    for (let tries = 0; !groups.remove(uid); tries++) {
      for (const pid of groups.pids(uid)) kill(pid, "SIGKILL");
      if (tries >= GROUP_TRIES) {
        logger.warn("a control group was not removed", { pod: uid, pids: groups.pids(uid) });
        break;
      }
      await clock.sleep(GROUP_EVERY_MS, never);
    }
    await networks?.release(uid);
    await this.#remove(this.#podFolder(uid));
  }

  /** Layers of images that are no more, and that nothing runs on. */
  async #prune(): Promise<void> {
    const { images, layers, logger } = this.#options;
    const used = new Set(this.#imagesOf.values());
    const unpacked = await layers.unpacked();
    const kept = unpacked.filter((digest) => used.has(digest) || images.blobs.has(digest));
    if (kept.length === unpacked.length) return;
    await layers.keepOnly(new Set(kept)).catch((err: unknown) => logger.warn("layers of images that are gone were not removed", { err }));
  }

  async #launch(start: ContainerStart, argv?: readonly string[]) {
    const { layers, host, users } = this.#options;
    const image = await layers.layered(start.imageDigest);
    const folders = image.layers.map((name) => join(layers.dir, name));
    const asked = image.config.config?.User ?? "";
    const own = image.base === undefined || asked !== "" ? undefined : users.userOf(start.pod.metadata.namespace ?? "");
    const said = start.container.securityContext?.runAsUser ?? start.pod.spec.securityContext?.runAsUser;
    const user: ContainerUser | undefined = !host.asRoot
      ? undefined
      : own !== undefined && said === undefined
        ? { ...own, groups: [], home: "/home/app" }
        : userOf(start.pod, start.container, asked, folders);
    const hostPath = image.base === undefined ? undefined : hostPathOf(image.base);
    return { image, user, launch: launchFor({ start, config: image.config, user, hostPath, ...(argv === undefined ? {} : { argv }) }) };
  }

  async #command(at: RunningContainer, argv: readonly string[], tty: boolean): Promise<CommandSpec> {
    const { programs, groups } = this.#options.host;
    const start = await at.start();
    const pid = await this.#root(at);
    const { user, launch } = await this.#launch(start, argv);
    const complaint = programComplaint(launch, [insideOf(pid, "")]);
    if (complaint !== undefined) throw new StatusError("InternalError", `error executing command in container: ${complaint}`);
    const variables = travelling({ ...(tty ? { TERM: "xterm" } : {}), ...launch.env });
    const identity = this.#identity(at, user, insideOf(pid, TOOLS));
    const joining = joins(programs.path("nsenter"), pid, { ...launch, identity, variables: Object.keys(variables).length }, this.#options.host.asRoot);
    const [uid = "", name = ""] = at.id.split("/");
    const entering = groups.make(uid, name, {}).map((file) => `echo 0 > '${file}'; `);
    return {
      argv: [programs.path("sh"), "-c", `${entering.join("")}exec "$@"`, "sh", ...joining],
      env: { PATH: this.#options.path, ...variables },
      cwd: "/",
      outputFile: start.outputFile,
    };
  }

  /** For a container that runs `seenTools` is where it has them: a command in it has a filter like the container's own program, or is none. */
  #identity({ pod, container }: Pick<ContainerStart, "pod" | "container">, user: ContainerUser | undefined, seenTools?: string): Identity {
    const identity = identityFor(container, user);
    const architecture = isFiltered(container, pod.spec) ? filteredArchitecture() : undefined;
    if (architecture === undefined) return identity;
    const { toolsFolder } = this.#options.host;
    const filter = filterToolIn({ toolsFolder, seen: seenTools ?? toolsFolder }, architecture, identity.capabilities);
    if (filter === undefined)
      throw new StatusError("InternalError", "error executing command in container: the filter of its seccompProfile cannot be put on it");
    return { ...identity, filter };
  }

  /** Its first process, once that has its root. */
  async #root({ id, over }: RunningContainer): Promise<number> {
    for (let tries = 0; tries < ROOT_TRIES && !over.aborted; tries++) {
      const pid = this.#first(id);
      if (pid !== undefined && existsSync(insideOf(pid, TOOLS_MARK))) return pid;
      await this.#tools.clock.sleep(ROOT_EVERY_MS, over).catch(() => undefined);
    }
    throw new StatusError("InternalError", "error executing command in container: the container does not run");
  }

  #first(id: string): number | undefined {
    const leader = this.#pids.get(id);
    return leader === undefined ? undefined : firstChild(leader);
  }

  #signalTrees({ metadata: { uid } }: Pod, signal: "SIGSTOP" | "SIGCONT"): void {
    for (const [id, leader] of this.#pids) if (id.startsWith(`${uid}/`)) for (const pid of below(leader)) kill(pid, signal);
  }

  #joiningNetwork(uid: string): string[] {
    const network = this.#options.host.networks?.find(uid);
    return network === undefined ? [] : [this.#options.host.programs.path("nsenter"), `--net=${network.netFile}`, `--ipc=${network.ipcFile}`, "--"];
  }

  /** So that the next platform knows whose layers are in use. */
  #imageFile(id: string): string {
    return join(this.#options.host.dir, "pods", id, "image");
  }

  async #remove(folder: string): Promise<void> {
    if (this.#options.host.asRoot) await rm(folder, { recursive: true, force: true });
    else removeFolder(folder);
  }

  #podFolder(uid: string): string {
    return join(this.#options.host.dir, "pods", uid);
  }

  #inputsOf({ metadata: { uid } }: Pod): ContainerInputs {
    const known = this.#inputs.get(uid) ?? new ContainerInputs((container) => join(this.#podFolder(uid), container, "stdin"));
    this.#inputs.set(uid, known);
    return known;
  }
}

function readImage(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

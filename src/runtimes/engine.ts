// The contract between the pod machinery, which knows what a pod is, and an engine, which knows how to run one container.
import type { Writable } from "node:stream";
import type { Clock } from "#core";
import type { CoreContainer, Pod, PodSpec } from "#kinds";
import type { CommandRequest, ContainerUsage, RunningCommand } from "./port.ts";

/** Also what `runtimeClassName` may say, and what `eider.dev/runtime` says on a Pod. */
export const RUNTIME_NAMES = ["process", "sandbox", "container"] as const;
export type RuntimeName = (typeof RUNTIME_NAMES)[number];

/** Where a pod's ports are reached, and what its containers are told of themselves. */
export interface PodPlace {
  readonly podIP: string;
  readonly hostIP: string;
  /** Its ports are the machine's: a program has to listen where `PORT` says, and not on the port that it declares. */
  readonly sharesPorts: boolean;
  /** Address at which its programs reach what listens on the machine's loopback, the API for one; undefined where they do not. */
  readonly loopback?: string;
}

/** By container port: `127.0.0.1:20312` where ports are shared with the host, `10.88.0.7:8080` where the pod has a network of its own. */
export type PodAddresses = Readonly<Record<string, string>>;

export type MountSource =
  /** A file or folder of the host. */
  | { readonly path: string }
  /** Memory, gone with the pod. */
  | { readonly memoryBytesMax: number | undefined };

export interface Mount {
  readonly source: MountSource;
  /** Absolute, inside the container. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** Bytes of a container's output that are kept, twice: the file that is written and the one before it. */
export const OUTPUT_BYTES_MAX = 10 << 20;

/** All that is decided about one start of a container; engines decide nothing about pods. */
export interface ContainerStart {
  /** `<pod uid>/<container>`. */
  readonly id: string;
  readonly pod: Pod;
  readonly container: CoreContainer;
  /** How often it was started before. */
  readonly restarts: number;
  /** What `image` answered. */
  readonly imageDigest: string;
  /** Resolved `env` and `envFrom`, and `PORT` where ports are shared. Does not hold what the image says. */
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly place: PodPlace;
  readonly addresses: PodAddresses;
  /** Lines of `/etc/hosts` beyond localhost and the pod itself. */
  readonly hosts: readonly { readonly ip: string; readonly names: readonly string[] }[];
  /** Host file that the container's `terminationMessagePath` is bound to; undefined where nothing can be bound. */
  readonly terminationFile?: string;
  /** File of the host that its output is appended to; times go to `timesFileOf` it. At most OUTPUT_BYTES_MAX, then it becomes `<file>.1`. */
  readonly outputFile: string;
}

/** How a started container is known again after a restart of the platform. */
export interface EngineIdentity {
  /** `process://4711-8123`, `docker://<id>`: what `containerID` shows. */
  readonly containerId: string;
  /** Of its first process on this host; undefined when the engine's host is another. */
  readonly pid: number | undefined;
}

export interface EngineExit {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly startedAtWallMs?: number;
  readonly atWallMs: number;
}

/** A container that exists, running or ended, perhaps of an earlier platform. */
export interface EngineContainer {
  readonly id: string;
  readonly identity: EngineIdentity;
  readonly running: boolean;
  /** Null when it ended out of everybody's sight. */
  readonly exit?: EngineExit | null;
}

/**
 * The kubelet's reasons: ErrImagePull (the machinery makes ImagePullBackOff of the second in a row), InvalidImageName, ErrImageNeverPull.
 * Who says when to be asked again (monotonic milliseconds) keeps the back-off himself.
 */
export interface ImageWaiting {
  readonly waiting: { readonly reason: string; readonly message: string };
  readonly retryAtMs?: number;
}

export type ImageAnswer = { readonly digest: string } | ImageWaiting;

export interface RunningIdentity {
  readonly container: string;
  readonly identity: EngineIdentity;
}

/** A container that runs, as the machinery sees it: where commands go. */
export interface RunningContainer {
  readonly id: string;
  readonly pod: Pod;
  readonly container: CoreContainer;
  readonly identity: EngineIdentity;
  /** Aborts when it ends. */
  readonly over: AbortSignal;
  /** How it would be started now, for engines that keep nothing of a start. Throws ContainerConfigError. */
  readonly start: () => Promise<ContainerStart>;
}

/** A command that has ended; the exit code is undefined when it was killed because its time was over. */
export interface CommandResult {
  readonly exitCode: number | undefined;
  /** The first RUN_OUTPUT_BYTES_MAX of both streams. */
  readonly output: string;
}

/** As much as the kubelet shows of a probe's output. */
export const RUN_OUTPUT_BYTES_MAX = 10 << 10;

/**
 * Failures to start are Errors whose text is shown on the Pod; a ContainerConfigError makes it wait as CreateContainerConfigError,
 * a ContainerCreateError as CreateContainerError, others as RunContainerError, and after an
 * EngineGoneError nothing is known: it is asked again later.
 */
export interface ContainerEngine {
  readonly name: RuntimeName;
  /** It can mount nothing: volumes are not made for its pods, and what they ask for it refuses itself. */
  readonly withoutMounts?: true;
  /** Whether it can run pods now; asked whenever a pod has none yet. Absent: yes. */
  isHere?(): boolean | Promise<boolean>;
  /** One sentence for each field that is set and not honoured; `path` is where the spec lies, for instance `spec.template.spec`. */
  notHonoured(spec: PodSpec, path: string): readonly string[];
  /** Asked once, before anything else. */
  list(): Promise<readonly EngineContainer[]>;
  /** Once, after `list`: ends and removes whatever does not belong to one of these pods, and commands of an earlier platform. */
  sweep(podUids: ReadonlySet<string>): Promise<void>;
  /** Makes what the pod's containers share: network, folders. Again and again is fine, also for a pod of an earlier platform, whose recorded addresses stay its own. */
  open(pod: Pod): Promise<PodPlace>;
  /** Finds or fetches an image, by the container's pull policy. */
  image(pod: Pod, container: CoreContainer, signal: AbortSignal): Promise<ImageAnswer>;
  /** Before each start; `recorded` is what it answered before, or an earlier platform did. Ports that a running container has stay where they are. */
  addresses(pod: Pod, place: PodPlace, recorded: PodAddresses): PodAddresses;
  start(start: ContainerStart): Promise<EngineIdentity>;
  signal(id: string, signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Resolves with the end of a container that was started or listed; null when it ended out of sight. */
  exitOf(id: string): Promise<EngineExit | null>;
  /** Removes an ended container; its output stays. */
  forget(id: string): Promise<void>;
  /** A command in a running container; it ends with it. */
  exec(at: RunningContainer, request: Omit<CommandRequest, "container">): Promise<RunningCommand>;
  /** A short command to its end, killed after `timeoutMs`; rejects when it cannot be started. */
  run(at: RunningContainer, argv: readonly string[], limits: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<CommandResult>;
  /** Writes to the input of a running container that asks for one (`stdin`); undefined when it has none, or no more. */
  openInput(at: RunningContainer): Promise<Writable | undefined>;
  /** Stops all processes of the pod where they are, without their notice. */
  freeze(pod: Pod): Promise<void>;
  thaw(pod: Pod): Promise<void>;
  /** A row for each running container, looked at now; undefined where nobody can tell. */
  usage(pod: Pod, running: readonly RunningIdentity[]): Promise<readonly ContainerUsage[] | undefined>;
  /** Unmakes all that `open` made. Its containers have ended. Again and again is fine. */
  close(pod: Pod): Promise<void>;
}

/** Output lies in files of the host for every engine: `<n>.log` of the n-th start, with a file of times beside it. */
export interface EngineTools {
  readonly clock: Clock;
  outputFile(podUid: string, container: string, restarts: number): string;
  /** What has come of a container's image by now, shown while it waits. */
  imageProgress(podUid: string, container: string, message: string): void;
}

export type EngineFactory = (tools: EngineTools) => ContainerEngine;

/** The container cannot be configured; the kubelet's reason is CreateContainerConfigError, the message its own. */
export class ContainerConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ContainerConfigError";
  }
}

/** The container could not be made; the kubelet's reason is CreateContainerError. One that was made and does not run is any other Error: RunContainerError. */
export class ContainerCreateError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ContainerCreateError";
  }
}

/** What `open` made for the pod is no more: it has to be opened again, and its containers started anew. */
export class PlaceLostError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PlaceLostError";
  }
}

/** Nobody is there to answer, and what was asked for may have happened or not. */
export class EngineGoneError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "EngineGoneError";
  }
}

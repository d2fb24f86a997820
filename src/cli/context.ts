// What commands run with: the terminal, the clock, and ways to reach platforms. Handed in by `main`.
import type { Client } from "#client";
import type { Clock } from "#core";

/** A connection to an API server. */
export interface Connection {
  readonly client: Client;
  /** Namespace of the kubeconfig's context. */
  readonly namespace: string;
  /** Streams a text answer, for instance a pod's log; with a body, that of a POST. */
  openText(path: string, signal: AbortSignal, body?: string): AsyncIterable<string>;
  close(): void;
}

export interface UpOptions {
  readonly data: string;
  /** Undefined: the default port, or a free one when it is taken. 0: any free one. */
  readonly apiPort: number | undefined;
  readonly httpPort: number | undefined;
  readonly internalPort: number | undefined;
  readonly registryPort: number | "none" | undefined;
  readonly registryAuth: "none" | "basic" | "token";
  readonly host: string;
  readonly domain: string;
  readonly externalPort: number | undefined;
  readonly detach: boolean;
  readonly format: "text" | "json";
  readonly orphanGraceMs: number;
  /** Bytes that the data folder may have; undefined: as many as the disk. */
  readonly diskBudget: number | undefined;
  /** `auto`, `off`, or an address like that of DOCKER_HOST. */
  readonly containerHost: string;
  /** Also from a platform of the same version. */
  readonly takeOver: boolean;
}

export interface ControllersOptions {
  readonly kubeconfig: string;
  readonly context: string | undefined;
  /** Of Knative Serving's own objects. */
  readonly namespace: string;
  readonly domain: string;
  readonly ingressClass: string | undefined;
  /** Also what a kube-controller-manager does. */
  readonly workloads: boolean;
  readonly webhooks: boolean;
  readonly webhookHost: string;
  readonly webhookPort: number;
  readonly webhookUrl: string | undefined;
  /** Takes over what other programs have applied. */
  readonly force: boolean;
}

/** What a running platform says of itself. */
export interface PlatformState {
  readonly api: string;
  readonly http: string;
  readonly internal: string;
  /** `localhost:5000`, as it stands in images' names; undefined without a registry. */
  readonly registry?: string;
  /** Bytes by what they are for; only in the answer of `status`. */
  readonly disk?: Readonly<Record<string, number>>;
  readonly diskBudget?: number;
  /** What pods run on here, and why not on the others. */
  readonly runtimes?: Readonly<Record<string, string>>;
  readonly kubeconfig: string;
  readonly pid: number;
  readonly keeperPid: number;
  readonly readyMs: number;
  readonly version: string;
}

/** The image store of a data folder. Everything may throw CliError. */
export interface ImageCommands {
  list(): Promise<readonly { readonly name: string; readonly digest: string; readonly size: number; readonly pulled: boolean }[]>;
  remove(name: string): Promise<void>;
  /** Needs the platform on the folder to run: only it knows what its objects need. */
  prune(options: { readonly all: boolean; readonly graceMs: number }): Promise<{ readonly blobs: number; readonly bytes: number; readonly freshBytes: number }>;
}

export interface CliContext {
  /** The command line without node and script. */
  readonly argv: readonly string[];
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Colours only on a terminal, and not under NO_COLOR. */
  readonly colour: boolean;
  /** The same for what is printed, not said of errors. */
  readonly outColour?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly clock: Clock;
  readonly version: string;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** How a person reads a platform's state. */
  describe(state: PlatformState): string;
  exists(path: string): boolean;
  /** `-` is standard input. */
  readText(path: string): Promise<string>;
  /** Makes or replaces a file. */
  writeText(path: string, text: string): Promise<void>;
  /** A new id of no meaning. */
  newId(): string;
  /** Sends a request to any URL; rejects with StatusError when nobody is there. */
  post(
    url: string,
    message: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: string }>;
  connect(kubeconfig: string): Promise<Connection>;
  /** Foreground: never returns but by failing (the process becomes the keeper). Detached: returns once it is ready. */
  up(options: UpOptions): Promise<PlatformState>;
  /** Never returns but by failing (the process becomes another program). */
  controllers(options: ControllersOptions): Promise<void>;
  /** Undefined when none runs on this folder. */
  status(data: string): Promise<PlatformState | undefined>;
  /** Ends the platform of a folder; false when none runs there. */
  down(data: string, options: { readonly purge: boolean }): Promise<boolean>;
  images(data: string): ImageCommands;
  build(options: {
    readonly dir: string;
    readonly image: string;
    readonly data: string;
    /** `bundled` or the name of an image. */
    readonly base?: string;
    /** Relative to the folder. */
    readonly dockerfile?: string;
    readonly onProgress: (line: string) => void;
  }): Promise<{ readonly image: string; readonly digest: string }>;
}

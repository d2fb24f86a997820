// How the entry files tell each other what to do: one JSON argument, no environment.
import type { ControllersOptions } from "#cli";

/** What `eider up` was asked for. */
export interface UpRequest {
  readonly dataDir: string;
  readonly host: string;
  readonly domain: string;
  readonly apiPort: number | undefined;
  readonly httpPort: number | undefined;
  readonly internalPort: number | undefined;
  readonly registryPort: number | "none" | undefined;
  readonly registryAuth: RegistryAuth;
  readonly externalPort: number | undefined;
  readonly orphanGraceMs: number;
  readonly diskBudget: number | undefined;
  readonly containerHost: string;
  /** What the keeper prints when the platform is ready. */
  readonly format: "text" | "json";
}

export type RegistryAuth = "none" | "basic" | "token";

/** What every platform of a keeper is told, also by a keeper that took over. */
export interface PlatformSettings {
  readonly host: string;
  readonly domain: string;
  readonly externalPort: number | undefined;
  readonly orphanGraceMs: number;
  /** Not in the settings of older keepers. */
  readonly registryAuth?: RegistryAuth;
  /** Bytes. Not in the settings of older keepers. */
  readonly diskBudget?: number | undefined;
  /** `auto`, `off`, or an address like that of DOCKER_HOST. Not in the settings of older keepers. */
  readonly containerHost?: string;
  /** When the keeper started, for `readyMs`; wall-clock milliseconds. */
  readonly startedAtMs: number;
}

const UP = "--eider-up=";
const CONTROLLERS = "--eider-controllers=";
const SETTINGS = "--eider-settings=";

const find = (argv: readonly string[], prefix: string): unknown => {
  const found = argv.find((argument) => argument.startsWith(prefix));
  return found === undefined ? undefined : JSON.parse(found.slice(prefix.length));
};

export const upArgument = (request: UpRequest): string => `${UP}${JSON.stringify(request)}`;
export const parseUp = (argv: readonly string[]): UpRequest | undefined => find(argv, UP) as UpRequest | undefined;
export const controllersArgument = (request: ControllersOptions): string => `${CONTROLLERS}${JSON.stringify(request)}`;
export const parseControllers = (argv: readonly string[]): ControllersOptions | undefined => find(argv, CONTROLLERS) as ControllersOptions | undefined;
export const settingsArgument = (settings: PlatformSettings): string => `${SETTINGS}${JSON.stringify(settings)}`;

export function parseSettings(argv: readonly string[]): PlatformSettings {
  const settings = find(argv, SETTINGS) as PlatformSettings | undefined;
  if (settings === undefined) throw new Error("this program is started by the keeper: use `eider up`");
  return settings;
}

/** Little memory rather than the last bit of speed: a small young generation in every thread, and garbage given back at rest. */
const MEMORY_FLAGS: readonly string[] = ["--max-semi-space-size=2", "--expose-gc"];

/** The flags that our own programs run with: how modules resolve, no notes about experimental parts, and those for memory. */
export function nodeFlags(execArgv: readonly string[]): string[] {
  return [...execArgv.filter((flag) => flag.startsWith("--conditions=") || flag.startsWith("--disable-warning=")), ...MEMORY_FLAGS];
}

/** The environment of this process, for programs that it starts. */
export function environment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

// The keeper's life: sockets, platform, processes, requests.
import type { Clock, Logger, Rng } from "#core";
import type { DataLock } from "./data-lock.ts";
import type { ListeningSockets } from "./listening-sockets.ts";

export interface KeeperOptions {
  readonly dataDir: string;
  /** The caller took it before the sockets were opened. */
  readonly lock: DataLock;
  readonly sockets: ListeningSockets;
  /** The platform's program: `process.execPath` with these (`["--conditions=source", entryFile]`). */
  readonly platform: { readonly execPath: string; readonly execArgv: readonly string[]; readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> };
  readonly orphanGraceMs: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Called with the line of each platform's `ready`. */
  readonly onReady: (line: string) => void;
}

/** Runs until a `shutdown` request, an abort of `signal` (both end all processes) or the orphan grace; answers the exit code. */
export declare function runKeeper(options: KeeperOptions, signal: AbortSignal): Promise<number>;

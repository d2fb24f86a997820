// A platform whose keeper died starts the next one and hands it the sockets.
import type { KeeperStart } from "./start-args.ts";

export interface KeeperSpawn {
  readonly execPath: string;
  /** `["--conditions=source", keeperEntryFile]` */
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly start: KeeperStart;
}

/** Starts a detached keeper that owns the sockets; answers its pid. The caller then ends itself: the new keeper starts its own platform. */
export declare function spawnKeeper(spawn: KeeperSpawn): number;

// A platform whose keeper died starts the next one and hands it the sockets.
//
//   keeper dies → platform: keeperGone resolves → spawnKeeper(...) → platform ends (its gateway drains, it closes its store)
//                 new keeper: waits for the data folder's lock → adopts the processes → starts its own platform
// The sockets stay open throughout: the old platform has them until it ends, the new keeper from its first instant.
import { spawn } from "node:child_process";
import { keeperArgs, renumbered, socketFds, type KeeperStart } from "./start-args.ts";

export interface KeeperSpawn {
  readonly execPath: string;
  /** `["--conditions=source", keeperEntryFile]` */
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `sockets` as this process knows them; the numbers that the keeper sees are worked out here. */
  readonly start: KeeperStart;
}

/** First descriptor after stdin, stdout and stderr. */
const FIRST_FD = 3;

/** Starts a detached keeper that owns the sockets; answers its pid. The caller then ends itself: the new keeper starts its own platform. */
export function spawnKeeper({ execPath, execArgv, env, start }: KeeperSpawn): number {
  const child = spawn(execPath, [...execArgv, ...keeperArgs({ ...start, sockets: renumbered(start.sockets, FIRST_FD) })], {
    detached: true,
    env: { ...env },
    stdio: ["ignore", "inherit", "inherit", ...socketFds(start.sockets)],
  });
  child.unref();
  if (child.pid === undefined) throw new Error("the keeper could not be started");
  return child.pid;
}

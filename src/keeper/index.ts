// keeper: the small parent process: listening sockets, pods' processes, their output files. No kinds, no API.
export { lockDataFolder, type DataLock } from "./data-lock.ts";
export { identify, isRunning } from "./identity.ts";
export { holderOfPort, inheritSockets, openListeningSockets, PortTakenError, type ListeningSockets, type SocketsWanted } from "./listening-sockets.ts";
export { PLATFORM_REFUSED, type PlatformProgram } from "./platform-child.ts";
export { joinKeeper, type KeeperLink } from "./platform-link.ts";
export { runKeeper, type KeeperEnd, type KeeperOptions } from "./run-keeper.ts";
export { spawnKeeper, type KeeperSpawn } from "./spawn-keeper.ts";
export {
  keeperArgs,
  parseKeeperArgs,
  parsePlatformArgs,
  platformArgs,
  threadSockets,
  type KeeperStart,
  type PlatformStart,
  type SocketNumbers,
  type ThreadSockets,
} from "./start-args.ts";

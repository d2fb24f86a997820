// keeper: the small parent process: listening sockets, pods' processes, their output files. No kinds, no API.
export { lockDataFolder, type DataLock } from "./data-lock.ts";
export { holderOfPort, inheritSockets, openListeningSockets, PortTakenError, type ListeningSockets, type SocketsWanted } from "./listening-sockets.ts";
export { runKeeper, type KeeperOptions } from "./run-keeper.ts";
export { spawnKeeper, type KeeperSpawn } from "./spawn-keeper.ts";
export { joinKeeper, type KeeperLink } from "./platform-link.ts";
export { keeperArgs, parseKeeperArgs, parsePlatformArgs, platformArgs, KEEPER_SOCKET_FILE, type KeeperStart, type PlatformStart, type SocketNumbers } from "./start-args.ts";

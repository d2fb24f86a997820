// runtimes: make pods run. Today: `process`, through the keeper.
export { addressOf, ADDRESSES_ANNOTATION, type PodAddress } from "./addresses.ts";
export type { CommandRequest, ContainerUsage, PodStreams, PodUsage, RunningCommand } from "./port.ts";
export { connectKeeper, type KeeperClient } from "./process/keeper-client.ts";
export { notHonoured } from "./process/not-honoured.ts";
export { createProcessRuntime, type ProcessRuntime, type ProcessRuntimeOptions } from "./process/process-runtime.ts";
export { type LogQuery } from "./process/pod-logs.ts";

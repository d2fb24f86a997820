// runtimes: make pods run, each on an engine of this machine. `process` and `sandbox`, through the keeper.
export { addressOf, ADDRESSES_ANNOTATION, type PodAddress } from "./addresses.ts";
export { RUNTIME_NAMES, type EngineFactory } from "./engine.ts";
export type { CommandRequest, ContainerUsage, PodStreams, PodUsage, RunningCommand } from "./port.ts";
export { containerEngine } from "./container/container-engine.ts";
export { daemonNames } from "./container/daemon-names.ts";
export { placeOf, type DaemonPlace } from "./container/daemon-place.ts";
export { findDaemon, type DaemonFound } from "./container/find-daemon.ts";
export { connectKeeper, type KeeperClient } from "./keeper/keeper-client.ts";
export { podUsers } from "./keeper/pod-users.ts";
export { type LogQuery } from "./pod/pod-logs.ts";
export { createRuntime, type Runtime, type RuntimeOptions } from "./pod/runtime.ts";
export { PodImages } from "./pod-images.ts";
export { processEngine } from "./process/process-engine.ts";
export { UsageMeter } from "./usage-meter.ts";
export { sandboxEngine, type SandboxEngineOptions } from "./sandbox/sandbox-engine.ts";
export { findSandboxHost } from "./sandbox/sandbox-host.ts";
export { removeSandboxes } from "./sandbox/remove-sandboxes.ts";

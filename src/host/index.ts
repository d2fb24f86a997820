// host: the real machine behind core's interfaces; only `main` imports it. Doors of their own, since not every thread
// needs them: `#host/log` (pino), `#host/certificates` (x509), `#host/marks` and `#host/https` (node:https).
export { measureEventLoopDelay } from "./event-loop-delay.ts";
export { giveBackMemory } from "./give-back-memory.ts";
export { machineUsage } from "./machine-usage.ts";
export { createSystemRng } from "./system-rng.ts";
export { systemClock } from "./system-clock.ts";

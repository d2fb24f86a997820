// What this machine uses: CPU time of all its processors, and memory that nobody could have without taking it away.
import { cpus, freemem, totalmem } from "node:os";

export interface MachineUsage {
  /** Since the machine was started. */
  readonly cpuNanos: number;
  readonly memoryBytes: number;
}

const NANOS_A_MS = 1e6;

/** Available memory counts as free: caches are given back on demand. */
export function machineUsage(): MachineUsage {
  const busyMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return { cpuNanos: busyMs * NANOS_A_MS, memoryBytes: totalmem() - freemem() };
}

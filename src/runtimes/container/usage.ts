// What a container uses, from the daemon's statistics. Pure.
import type { ContainerUsage } from "../port.ts";

export interface DaemonStats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
}

/** The working set is what cannot be given back at once: without files that nobody has used for a while. Podman does not tell these apart. */
export function usageOf({ cpu_stats: cpu, memory_stats: memory }: DaemonStats, at: Pick<ContainerUsage, "name" | "atMs">): ContainerUsage {
  const idle = memory?.stats?.["total_inactive_file"] ?? memory?.stats?.["inactive_file"] ?? 0;
  return { ...at, cpuNanos: cpu?.cpu_usage?.total_usage ?? 0, memoryBytes: Math.max(0, (memory?.usage ?? 0) - idle) };
}

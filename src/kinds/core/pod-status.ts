// The words that `kubectl get pods` shows for the state of a pod.
import { humanDuration } from "#schema";
import { hasEnded } from "./pod-phase.ts";
import type { ContainerStatus, Pod } from "./v1.types.ts";

export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  readonly status: string;
  readonly restarts: number;
  /** Milliseconds since the epoch of the last end of a container that was started again. */
  readonly lastRestartMs: number | undefined;
}

type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

function endOf(terminated: Terminated): string {
  if (terminated.reason) return terminated.reason;
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

/** What init containers say while they have not all finished; undefined afterwards. */
function initStatus(pod: Pod): string | undefined {
  const all = pod.spec.initContainers ?? [];
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const { terminated, waiting } = status.state ?? {};
    const sidecar = all.find((container) => container.name === status.name)?.restartPolicy === "Always";
    if (terminated?.exitCode === 0 || (sidecar && status.started === true)) continue;
    if (terminated !== undefined) return `Init:${endOf(terminated)}`;
    if (waiting?.reason && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
    return `Init:${index}/${all.length}`;
  }
  return undefined;
}

function latestRestart(statuses: readonly ContainerStatus[]): number | undefined {
  const times = statuses.map((status) => Date.parse(status.lastState?.terminated?.finishedAt ?? "")).filter((ms) => !Number.isNaN(ms));
  return times.length === 0 ? undefined : Math.max(...times);
}

function isReady(pod: Pod): boolean {
  return (pod.status?.conditions ?? []).some((condition) => condition.type === "Ready" && condition.status === "True");
}

export function summarize(pod: Pod): PodSummary {
  const statuses = pod.status?.containerStatuses ?? [];
  const gated = (pod.status?.conditions ?? []).some((condition) => condition.type === "PodScheduled" && condition.reason === "SchedulingGated");
  let status = gated ? "SchedulingGated" : pod.status?.reason || pod.status?.phase || "";
  let ready = 0;
  let hasRunning = false;
  const init = initStatus(pod);
  if (init !== undefined) status = init;
  for (const one of init === undefined ? statuses.toReversed() : []) {
    const { waiting, terminated, running } = one.state ?? {};
    if (waiting?.reason) status = waiting.reason;
    else if (terminated !== undefined) status = endOf(terminated);
    else if (one.ready && running !== undefined) {
      hasRunning = true;
      ready++;
    }
  }
  if (status === "Completed" && hasRunning) status = isReady(pod) ? "Running" : "NotReady";
  if (pod.metadata.deletionTimestamp !== undefined && !hasEnded(pod)) status = pod.status?.reason === "NodeLost" ? "Unknown" : "Terminating";
  const restarts = (init === undefined ? statuses : (pod.status?.initContainerStatuses ?? [])).reduce((sum, one) => sum + (one.restartCount ?? 0), 0);
  return { ready, total: ((pod.spec.containers as Pod["spec"]["containers"] | null) ?? []).length, status, restarts, lastRestartMs: latestRestart(statuses) };
}

/** `0`, or `2 (5m ago)`. */
export function restartsText(summary: PodSummary, nowMs: number): string {
  const { restarts, lastRestartMs } = summary;
  return restarts === 0 || lastRestartMs === undefined ? String(restarts) : `${restarts} (${humanDuration(nowMs - lastRestartMs)} ago)`;
}

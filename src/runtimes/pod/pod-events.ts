// What is told of a pod in Events, in the kubelet's words. Pure.
import type { Pod } from "#kinds";

export interface PodEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** The part of the pod that it is about: `spec.containers{app}`. */
  readonly fieldPath?: string;
  /** Who says it; default: the kubelet. */
  readonly component?: string;
}

export function fieldPathOf({ spec }: Pod, container: string): string {
  const list = (spec.initContainers ?? []).some(({ name }) => name === container) ? "initContainers" : "containers";
  return `spec.${list}{${container}}`;
}

/** The node is given with the pod; somebody has to say so. */
export function scheduledEvent({ metadata: { namespace = "", name }, spec }: Pod): PodEvent {
  const message = `Successfully assigned ${namespace}/${name} to ${spec.nodeName ?? ""}`;
  return { type: "Normal", reason: "Scheduled", message, component: "default-scheduler" };
}

const normal = (reason: string, message: string): PodEvent => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): PodEvent => ({ type: "Warning", reason, message });

export const containerEvents = {
  created: (name: string) => normal("Created", `Created container: ${name}`),
  started: (name: string) => normal("Started", `Started container ${name}`),
  notStarted: (error: string) => warning("Failed", `Error: ${error}`),
  backOff: (name: string, { metadata: { name: pod, namespace = "", uid } }: Pod) =>
    warning("BackOff", `Back-off restarting failed container ${name} in pod ${pod}_${namespace}(${uid})`),
  unhealthy: (probe: "Liveness" | "Readiness" | "Startup", failure: string) => warning("Unhealthy", `${probe} probe failed: ${failure}`),
  killing: (message: string) => normal("Killing", message),
  stopping: (name: string) => normal("Killing", `Stopping container ${name}`),
  /** The words of a hook may be secret: they are not in the event. */
  postStartFailed: () => warning("FailedPostStartHook", "PostStartHook failed"),
  preStopFailed: () => warning("FailedPreStopHook", "PreStopHook failed"),
} as const;

/** Why a pod is ended before its time: its Event, and the reason and message of its status. */
export type CutShort = Pick<PodEvent, "type" | "reason" | "message">;

/** Of a pod whose `activeDeadlineSeconds` are over. */
export const DEADLINE_EXCEEDED: CutShort = normal("DeadlineExceeded", "Pod was active on the node longer than the specified deadline");

/** Of one that takes more of the machine than it may. */
export const evicted = (message: string): CutShort => warning("Evicted", message);

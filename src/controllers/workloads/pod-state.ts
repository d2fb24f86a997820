// What workload controllers ask about a pod.
import { hasEnded, type Pod } from "#kinds";

/** Neither ended nor on its way out: it counts as a replica. */
export function isActive(pod: Pod): boolean {
  return !hasEnded(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Wall-clock milliseconds since which the pod is ready, or undefined when it is not. */
export function readySinceMs(pod: Pod): number | undefined {
  const condition = pod.status?.conditions?.find(({ type }) => type === "Ready");
  return condition?.status === "True" ? Date.parse(condition.lastTransitionTime ?? pod.metadata.creationTimestamp) : undefined;
}

// Which pods go first when a ReplicaSet shrinks: those whose loss hurts least.
import type { Pod } from "#kinds";
import { readySinceMs } from "../pod-state.ts";

const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
const PHASE_ORDER: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

function restarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((container) => container.restartCount));
}

function costOf(pod: Pod): number {
  const cost = Number(pod.metadata.annotations?.[DELETION_COST] ?? "0");
  return Number.isInteger(cost) ? cost : 0;
}

/** Criteria in order; the lower value goes first. */
function criteria(pod: Pod, podsOnNode: ReadonlyMap<string, number>): readonly number[] {
  const readyMs = readySinceMs(pod);
  return [
    pod.spec?.nodeName === undefined || pod.spec.nodeName === "" ? 0 : 1,
    PHASE_ORDER[pod.status?.phase ?? "Pending"] ?? 1,
    readyMs === undefined ? 0 : 1,
    costOf(pod),
    -(podsOnNode.get(pod.spec?.nodeName ?? "") ?? 0),
    -(readyMs ?? 0),
    -restarts(pod),
    -Date.parse(pod.metadata.creationTimestamp),
  ];
}

/** The `count` pods to delete: unassigned, pending, unready, cheap, crowded, lately ready, restarted, new; then by name. */
export function victims(pods: readonly Pod[], count: number): readonly Pod[] {
  const podsOnNode = new Map<string, number>();
  for (const pod of pods) podsOnNode.set(pod.spec?.nodeName ?? "", (podsOnNode.get(pod.spec?.nodeName ?? "") ?? 0) + 1);
  const ranked = pods.map((pod) => ({ pod, ranks: criteria(pod, podsOnNode) }));
  ranked.sort((a, b) => {
    const at = a.ranks.findIndex((rank, index) => rank !== b.ranks[index]);
    if (at < 0) return a.pod.metadata.name < b.pod.metadata.name ? -1 : 1;
    return (a.ranks[at] ?? 0) - (b.ranks[at] ?? 0);
  });
  return ranked.slice(0, count).map(({ pod }) => pod);
}

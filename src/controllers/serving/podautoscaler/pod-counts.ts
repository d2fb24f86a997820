// Pods of a revision by state, as the autoscaler counts them.
import type { Pod } from "#kinds";

export interface PodTally {
  readonly ready: number;
  readonly notReady: number;
  readonly pending: number;
  readonly terminating: number;
}

function isPodReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
}

/** Pending pods and terminating ones are not ready, too; ended pods do not count. */
export function tallyPods(pods: readonly Pod[]): PodTally {
  const tally = { ready: 0, notReady: 0, pending: 0, terminating: 0 };
  for (const pod of pods) {
    const phase = pod.status?.phase;
    if (phase !== "Pending" && phase !== "Running") continue;
    if (phase === "Pending") tally.pending++;
    else if (pod.metadata.deletionTimestamp !== undefined) tally.terminating++;
    else if (isPodReady(pod)) {
      tally.ready++;
      continue;
    }
    tally.notReady++;
  }
  return tally;
}

// Readiness by connecting: a starting pod that is waited for is tried every millisecond, later less often.
import type { Clock } from "#core";
import type { Backend } from "./backend.ts";
import type { PodConnection } from "./pod-connection.ts";
import type { Pod } from "./pod.ts";

/** Twenty attempts at each pace, the last one for ever. */
const PACES_MS: readonly number[] = [1, 2, 5, 10, 20, 50];
const ATTEMPTS_PER_PACE = 20;

/** Milliseconds between attempt `attempt` (from 0) and the next one. */
export function attemptDelayMs(attempt: number): number {
  return PACES_MS[Math.min(Math.floor(attempt / ATTEMPTS_PER_PACE), PACES_MS.length - 1)] ?? 50;
}

export interface ProveOptions {
  readonly clock: Clock;
  readonly connect: (pod: Pod) => PodConnection;
  readonly podReady: (backend: Backend, pod: Pod) => void;
}

/** Tries while the pod is wanted, and requests wait or it is suspect; the connection that succeeds carries the first request. */
export async function proveReady(wanted: { readonly backend: Backend; readonly pod: Pod }, how: ProveOptions, signal: AbortSignal): Promise<void> {
  const { backend, pod } = wanted;
  pod.proving = true;
  if (Number.isNaN(pod.triedMs)) pod.triedMs = how.clock.monotonicMs();
  try {
    for (let attempt = 0; !signal.aborted && (backend.waiting > 0 || pod.suspect) && !pod.ready && pod.removedIn === 0; attempt++) {
      const connection = how.connect(pod);
      if (await connection.connected()) {
        if (pod.removedIn > 0 || signal.aborted) return connection.destroy();
        pod.connectedMs = how.clock.monotonicMs();
        connection.park(pod.idle);
        if (!pod.suspect) how.podReady(backend, pod);
        backend.proved(pod);
        return;
      }
      await how.clock.sleep(attemptDelayMs(attempt), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    pod.proving = false;
  }
}

// A kept connection to a pod for one request.
import type { PodConnection } from "./pod-connection.ts";
import type { Pod } from "./pod.ts";
import { isIdempotent, TRUSTED_IDLE_MS } from "../request/retry.ts";

/** The connection that was used last and can still be trusted with a request of this method; those past their time are closed on the way. */
export function keptConnection(pod: Pod, method: string, nowMs: number): PodConnection | undefined {
  const latest = pod.idle.at(-1);
  if (latest === undefined || (latest.idleForMs(nowMs) > TRUSTED_IDLE_MS && !isIdempotent(method))) return undefined;
  for (let connection = pod.idle.pop(); connection !== undefined; connection = pod.idle.pop()) {
    if (connection.usable && !connection.isStale(nowMs)) return connection;
    connection.destroy();
  }
  return undefined;
}

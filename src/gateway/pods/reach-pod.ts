// A connection to a pod for one request: one that was kept, or a new one.
import type { GatewayContext } from "../context.ts";
import { PodConnection } from "./pod-connection.ts";
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

export function newConnection(pod: Pod, { buffers, outbox, idles, clock }: GatewayContext): PodConnection {
  return new PodConnection({ address: pod.address, buffers, outbox, idles, nowMs: () => clock.monotonicMs() });
}

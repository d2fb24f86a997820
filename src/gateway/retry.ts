// Whether a request may be tried again after its connection to a pod failed, and where.
import type { PodFailure } from "./pod-connection.ts";

/** Attempts beyond the first one. */
const RETRIES_MAX = 2;

/** Methods that may be sent twice (RFC 9110 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

/** What the decision asks of a request. */
export interface Tried {
  readonly method: string;
  /** Sendings to a pod so far. */
  readonly attempts: number;
  /** All of the body that was sent is still held. */
  readonly replayable: boolean;
  /** The pod is out of the table. */
  readonly podLeft: boolean;
}

/** Another pod when nothing was sent or this one leaves; a new connection to it when a kept one turned out to be dead. */
export function retryOf(failure: PodFailure, { method, attempts, replayable, podLeft }: Tried): "no" | "otherPod" | "samePod" {
  if (!replayable || attempts > RETRIES_MAX) return "no";
  const sendable = !failure.fresh && failure.untouched && IDEMPOTENT.has(method);
  if (failure.connected && !sendable) return "no";
  return !failure.connected || podLeft ? "otherPod" : "samePod";
}

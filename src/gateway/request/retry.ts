// What becomes of a request whose attempt on a pod failed: whether it may be tried again, and how long connecting may take.
import type { PodFailure } from "../pods/pod-connection.ts";

/** Sendings of one request, to whatever pods: many dead ones in a row are no reason to go on for ever. */
const ATTEMPTS_MAX = 20;
/** Repetitions of what an application may have seen. More would let one poisonous request fell pod after pod. */
const REPEATS_MAX = 2;
/** Connecting gets this long at first, and this much longer each time (Knative's dialler: 19 s in all). */
const CONNECT_MS = 50;
const CONNECT_GROWTH = 1.4;
const CONNECTS_MAX = 15;
/** How long a request waits again when it could be sent to nobody: long enough for a pod that is just being replaced. */
export const WAIT_AGAIN_MS = 5_000;
/** A kept connection that was idle for longer may just be closing: only what can be repeated is sent on it. */
export const TRUSTED_IDLE_MS = 1_000;

/** Methods that may be sent twice (RFC 9110 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/** What the decision asks of a request. */
export interface Tried {
  readonly method: string;
  /** Sendings to a pod so far. */
  readonly attempts: number;
  /** Those of them that an application may have seen, but for the first. */
  readonly repeats: number;
  /** All of the body that was sent is still held. */
  readonly replayable: boolean;
}

/**
 * | what came of the attempt | then |
 * |---|---|
 * | no connection | `unsent`: any request is sent to another pod, or waits |
 * | the pod had closed before the request reached it | `unsent` |
 * | the connection died without an octet of a response | `repeat` when idempotent, else `no` |
 * | a part of a response, or nonsense | `no` |
 */
export function retryOf(failure: PodFailure, { method, attempts, repeats, replayable }: Tried): "no" | "unsent" | "repeat" {
  if (!replayable || attempts >= ATTEMPTS_MAX) return "no";
  if (!failure.connected || failure.unsent) return "unsent";
  return failure.untouched && isIdempotent(method) && repeats < REPEATS_MAX ? "repeat" : "no";
}

/** Errors that say something of the pod, and not of ourselves. */
const REFUSALS: ReadonlySet<string> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"]);

/** Whether nobody listens at the pod's address. */
export function isRefusal({ connected, error }: PodFailure): boolean {
  return !connected && REFUSALS.has((error as NodeJS.ErrnoException | undefined)?.code ?? "");
}

/** How long the connection after `timeouts` that took too long may take; undefined when that were enough. */
export function connectLimitMs(timeouts: number): number | undefined {
  return timeouts < CONNECTS_MAX ? CONNECT_MS * CONNECT_GROWTH ** timeouts : undefined;
}

// What a client reads when its pod failed: Go's words, as Knative's proxies answer.
import type { PodFailure } from "../pods/pod-connection.ts";

/** Errors of the system in Go's words. */
const SYSTEM: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  EPIPE: "broken pipe",
  ETIMEDOUT: "connection timed out",
};

/** Connecting took too long, again and again. */
export function dialTimeoutText(authority: string, tookMs: number): string {
  return `timed out dialing ${authority} after ${(tookMs / 1000).toFixed(2)}s`;
}

/** `authority` is the pod's `host:port`. */
export function failureText(failure: PodFailure, authority: string): string {
  if (failure.malformed) return "malformed HTTP response";
  const code = (failure.error as NodeJS.ErrnoException | undefined)?.code;
  if (code === undefined) return failure.untouched ? "EOF" : "unexpected EOF";
  const words = SYSTEM[code] ?? code;
  if (!failure.connected) return `dial tcp ${authority}: connect: ${words}`;
  return code === "EPIPE" ? `write tcp ${authority}: write: ${words}` : `read tcp ${authority}: read: ${words}`;
}

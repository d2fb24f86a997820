// Time as an interface: what waits or measures takes a Clock, so tests and simulations own the time.

/** Monotonic time drives windows, leases and backoff; wall time drives certificates, expiry and timestamps. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back, also while the machine sleeps. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch; may be stepped by the system. */
  wallMs(): number;
  /** Resolves after `ms` milliseconds of monotonic time, or rejects with the signal's reason once it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** `wallMs` as Kubernetes writes times: RFC 3339 in UTC with whole seconds. */
export function rfc3339(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`;
}

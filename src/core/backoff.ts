// Exponential backoff with jitter, as a value.
import { float, type Rng } from "./rng.ts";

export interface BackoffPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  /** Share of the delay that is random, 0 … 1. */
  readonly jitter: number;
}

/** The delay before attempt `attempt` (0 is the first retry). */
export function backoffMs(policy: BackoffPolicy, attempt: number, rng: Rng): number {
  const whole = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(attempt, 52));
  return whole * (1 - policy.jitter) + whole * policy.jitter * float(rng);
}

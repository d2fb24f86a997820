// Whether a delivery is tried again, and when (eventing.md 2.5 and D4 of 5.2; decision 48, rows 3, 25).
import type { DeliveryRules } from "#protocol";

/** What came of one attempt to send an event. */
export type AttemptResult =
  | { readonly is: "answer"; readonly status: number; readonly retryAfter?: string }
  /** No answer: refused, reset, no such name, out of time, not trusted. */
  | { readonly is: "failure"; readonly why: string };

/** No wait is longer, whatever the numbers of a delivery spec come to. */
export const WAIT_MS_MAX = 24 * 3_600_000;
/** Answers whose `Retry-After` counts. */
const PACED = [429, 503];

/** Any 2xx; 3xx is never followed, since a POST would arrive as a GET. */
export function isAccepted(result: AttemptResult): boolean {
  return result.is === "answer" && result.status >= 200 && result.status < 300;
}

/**
 * answer                   again?
 * none (refused, time-out) yes
 * 404, 408, 409, 429, 5xx  yes
 * 1xx, 3xx, other 4xx      no
 */
export function isRetryable(result: AttemptResult): boolean {
  if (result.is === "failure") return true;
  const { status } = result;
  return status >= 500 || status === 404 || status === 408 || status === 409 || status === 429;
}

/**
 * The wait before retry `retry` (1 is the first): d, 2d, 4d … exponential, d, 2d, 3d … linear. `Retry-After` can only make it longer.
 */
export function waitMs(rules: DeliveryRules, retry: number, result: AttemptResult, wallMs: number): number {
  const { backoff, backoffMs } = rules;
  const whole = backoff === "linear" ? backoffMs * retry : backoffMs * 2 ** Math.min(retry - 1, 52);
  return Math.min(WAIT_MS_MAX, Math.max(whole, askedForMs(rules, result, wallMs)));
}

function askedForMs({ retryAfterMaxMs = 0 }: DeliveryRules, result: AttemptResult, wallMs: number): number {
  if (retryAfterMaxMs === 0 || result.is === "failure" || !PACED.includes(result.status)) return 0;
  return Math.min(retryAfterMaxMs, retryAfterMs(result.retryAfter, wallMs) ?? 0);
}

/** Whole seconds, or a date (RFC 9110, 10.2.3); undefined for anything else. */
export function retryAfterMs(text: string | undefined, wallMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const at = /^[A-Z][a-z]{2},? /.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - wallMs);
}

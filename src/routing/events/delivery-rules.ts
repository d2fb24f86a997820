// The delivery rules that a Trigger or a Subscription has, with every default filled in (decision 48, rows 3 and 25).
import { parsePeriodMs, type DeliverySpec } from "#kinds";
import type { DeliveryRules } from "#protocol";

/** Where retries are asked for and no delay is: what Knative ships as the delay of Brokers. */
const BACKOFF_MS = 200;
/** Of an attempt without a time-out of its own. */
const TIMEOUT_MS = 600_000;
/** Longer times are as good as none, and timers hold no more. */
const MS_MAX = 2_147_483_647;

/** The own spec as a whole, if there is one; else the default as a whole. Texts have been checked: what cannot be read counts as absent. */
export function deliveryRules(own: DeliverySpec | undefined, byDefault: DeliverySpec | undefined): DeliveryRules {
  const { retry = 0, backoffPolicy, backoffDelay, timeout, retryAfterMax, format } = own ?? byDefault ?? {};
  const retryAfterMaxMs = periodMs(retryAfterMax);
  return {
    retries: Math.max(0, retry),
    backoff: backoffPolicy === "linear" ? "linear" : "exponential",
    backoffMs: periodMs(backoffDelay) ?? BACKOFF_MS,
    timeoutMs: periodMs(timeout) ?? TIMEOUT_MS,
    ...(retryAfterMaxMs === undefined || retryAfterMaxMs === 0 ? {} : { retryAfterMaxMs }),
    ...(format === "json" || format === "binary" ? { format } : {}),
  };
}

function periodMs(text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : parsePeriodMs(text);
  return ms === undefined || ms < 0 ? undefined : Math.min(MS_MAX, ms);
}

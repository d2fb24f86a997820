// Sends an event of a source until its sink takes it or refuses it for good, by the table of the data plane (eventing.md 2.5).
import type { Clock } from "#core";
import type { DeliveryRules } from "#protocol";
import { isAccepted, isRetryable, waitMs, type AttemptResult } from "../delivery/retry.ts";
import type { Outgoing, Sender } from "../delivery/send.ts";

/** Between two attempts, whatever the numbers come to. */
const PAUSE_MS_MAX = 60_000;
const RULES: DeliveryRules = { retries: Number.MAX_SAFE_INTEGER, backoff: "exponential", backoffMs: 100, timeoutMs: 0, retryAfterMaxMs: PAUSE_MS_MAX };

/** The request is made anew for each attempt: the sink may be another one by then. Undefined: nobody wants it any more, or the signal has aborted. */
export async function sendUntilTaken(
  { sender, clock }: { readonly sender: Sender; readonly clock: Clock },
  request: () => Outgoing | undefined,
  signal: AbortSignal,
): Promise<AttemptResult | undefined> {
  for (let retry = 1; !signal.aborted; retry++) {
    const outgoing = request();
    if (outgoing === undefined) return undefined;
    const { result } = await sender.send(outgoing, signal);
    if (signal.aborted) return undefined;
    if (isAccepted(result) || !isRetryable(result)) return result;
    const pauseMs = Math.min(PAUSE_MS_MAX, waitMs(RULES, retry, result, clock.wallMs()));
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
  return undefined;
}

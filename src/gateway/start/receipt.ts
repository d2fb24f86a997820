// The receipt of a request: where its time went until the first octet of its answer. The parts add up to the total.
import type { GatewayContext } from "../context.ts";
import type { Pod } from "../pods/pod.ts";
import type { RequestFacts } from "../request/request-facts.ts";
import type { StartTimes } from "./start-times.ts";

/**
 * In the order in which they pass. `queue`: until control heard of it, or, with pods there, until one had room; `decide`: until there was a
 * Pod; `create`: until its process was started; `boot`: until it took connections; `probe`: until the request was given to it; `first-byte`.
 */
export const PARTS = ["queue", "decide", "create", "boot", "probe", "first-byte"] as const;

/** Milliseconds a part, in the order of `PARTS`. What is not known of a start counts to the next part that is. */
export function receiptParts(facts: RequestFacts, pod: Pick<Pod, "triedMs" | "connectedMs">, start: StartTimes | undefined): number[] {
  const { arrivedMs, grantedMs, firstByteMs } = facts;
  // Under many starts at once control may tell of one when it is over; we know when its address came.
  const { wokenMs, createdMs, spawnedMs } = start ?? { wokenMs: NaN, createdMs: NaN, spawnedMs: pod.triedMs };
  const steps = facts.cold ? [wokenMs, createdMs, spawnedMs, pod.connectedMs, grantedMs, firstByteMs] : [grantedMs, NaN, NaN, NaN, NaN, firstByteMs];
  let beforeMs = arrivedMs;
  return steps.map((stepMs) => {
    // A start may have begun before this request came, and is known by messages that take a moment.
    const atMs = Math.max(beforeMs, Math.min(Number.isNaN(stepMs) ? beforeMs : stepMs, firstByteMs));
    const lasted = atMs - beforeMs;
    beforeMs = atMs;
    return lasted;
  });
}

/** The value of `Server-Timing` (W3C Server Timing): the parts that took time, and their sum. */
export function serverTiming(parts: readonly number[]): string {
  const named = parts.flatMap((ms, index) => (ms > 0 ? [`${PARTS[index] ?? ""};dur=${ms.toFixed(3)}`] : []));
  return [...named, `total;dur=${parts.reduce((sum, ms) => sum + ms, 0).toFixed(3)}`].join(", ");
}

/** Takes note of a cold start whose response begins; a header line when the revision asks for receipts, else "". */
export function receiptLine(facts: RequestFacts, { starts, coldStarts, answered }: Pick<GatewayContext, "starts" | "coldStarts" | "answered">): string {
  const { backend, pod, cold } = facts;
  if (backend === undefined || pod === undefined) return "";
  const parts = receiptParts(facts, pod, cold ? starts.of(pod.id) : undefined);
  if (cold) {
    coldStarts.record(parts);
    answered(backend);
  }
  return backend.entry.serverTiming ? `Server-Timing: ${serverTiming(parts)}\r\n` : "";
}
